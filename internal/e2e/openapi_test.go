package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// surface is the document that a running server gives, for holding answers against it.
type surface struct {
	*openapi3.T
	o *office
}

func (o *office) surface() *surface {
	o.t.Helper()
	status, raw := ask(o.t, "GET", o.base+"/api/v1/openapi.json", "")
	doc, err := openapi3.NewLoader().LoadFromData([]byte(raw))
	if err == nil {
		err = doc.Validate(o.t.Context())
	}
	if err != nil || status != 200 {
		o.t.Fatalf("%d: %v", status, err)
	}
	return &surface{doc, o}
}

// call asks and holds the answer, and a JSON body that is taken, against the document.
func (s *surface) call(method, path, route, body string, want int, headers ...string) map[string]any {
	s.o.t.Helper()
	status, raw := ask(s.o.t, method, s.o.base+"/api/v1"+path, body, headers...)
	if status != want {
		s.o.t.Fatalf("%s %s: %d %s", method, path, status, raw)
	}
	item := s.Paths.Find(route)
	if item == nil || item.GetOperation(method) == nil {
		s.o.t.Fatalf("%s %s is not in the document", method, route)
	}
	op := item.GetOperation(method)
	var value any
	if err := json.Unmarshal([]byte(raw), &value); err != nil {
		s.o.t.Fatalf("%s: %v", raw, err)
	}
	if status < 400 && body != "" {
		var sent any
		if err := json.Unmarshal([]byte(body), &sent); err != nil {
			s.o.t.Fatal(err)
		}
		if err := op.RequestBody.Value.Content["application/json"].Schema.Value.VisitJSON(sent, openapi3.EnableJSONSchema2020()); err != nil {
			s.o.t.Errorf("%s %s takes what the document does not: %v", method, route, err)
		}
	}
	answer, kind := op.Responses.Status(status), "application/json"
	if status >= 400 {
		answer, kind = op.Responses.Default(), "application/problem+json"
	}
	if answer == nil {
		s.o.t.Fatalf("%s %s: %d is not in the document", method, route, status)
	}
	if err := answer.Value.Content[kind].Schema.Value.VisitJSON(value, openapi3.EnableJSONSchema2020(), openapi3.VisitAsResponse()); err != nil {
		s.o.t.Errorf("%s %s answers otherwise than the document: %v\n%s", method, route, err, raw)
	}
	got, _ := value.(map[string]any)
	return got
}

func TestTheDocumentIsTrue(t *testing.T) {
	o := newOffice(t)
	s := o.surface()
	var lines []string
	for path, item := range s.Paths.Map() {
		for method, op := range item.Operations() {
			lines = append(lines, method+" "+path)
			if op.Extensions["x-permission"] == "" || op.Summary == "" {
				t.Errorf("%s %s says not what it is or who may", method, path)
			}
		}
	}
	if slices.Sort(lines); len(lines) < 45 {
		t.Fatalf("only %d operations: %v", len(lines), lines)
	}
	admin := []string{"Cookie", o.admin}
	s.call("GET", "/availability", "/availability", "", 200)
	s.call("GET", "/support", "/support", "", 200)
	s.call("GET", "/me", "/me", "", 200, admin...)
	s.call("GET", "/me", "/me", "", 401)
	s.call("GET", "/settings", "/settings", "", 200, admin...)
	s.call("POST", "/settings/preview", "/settings/preview", `{"version":1,"timezone":"Europe/Paris","hours":{},"holidays":[],"policy":{},"products":[],"priorities":[]}`, 422, admin...)
	s.call("GET", "/staff", "/staff", "", 200, admin...)
	s.call("POST", "/tokens", "/tokens", `{"name":"script"}`, 201, admin...)
	s.call("GET", "/tokens", "/tokens", "", 200, admin...)
	s.call("POST", "/chats", "/chats", `{"name":"Chris","email":"chris@example.com","question":"Hello"}`, 409)
	made := s.call("POST", "/tickets", "/tickets", `{"name":"Chris","email":"chris@example.com","subject":"Help","description":"It stands still.","priority":"high","diagnostics":{"product":"CrashPlan for Small Business","devices":["948688015614212345"]}}`, 201)
	ticket, _ := made["ticket"].(map[string]any)
	path := fmt.Sprintf("/tickets/%v", ticket["number"])
	s.call("POST", "/tickets", "/tickets", `{"name":"Chris","email":"chris","subject":"","description":"","diagnostics":{"devices":["x"]}}`, 422)
	s.call("POST", path+"/comments", "/tickets/{number}/comments", `{"body":"A thought","public":false}`, 201, admin...)
	s.call("POST", path+"/comments", "/tickets/{number}/comments", `{"body":"Update, please.","status":"pending"}`, 201, admin...)
	s.call("PATCH", path, "/tickets/{number}", `{"version":1,"priority":"low"}`, 409, admin...)
	s.call("PATCH", path, "/tickets/{number}", `{"version":3,"priority":"low","why":"A question only."}`, 200, admin...)
	asked := s.call("POST", path+"/escalations", "/tickets/{number}/escalations", `{"reason":"Too slow","priority":"high","contact":"555 0100"}`, 201, admin...)
	one, _ := asked["escalation"].(map[string]any)
	s.call("PATCH", fmt.Sprintf("/escalations/%v", one["id"]), "/escalations/{id}", `{"action":"finish","answer":"Done."}`, 200, admin...)
	s.call("GET", "/escalations", "/escalations", "", 200, admin...)
	s.call("GET", path, "/tickets/{number}", "", 200, admin...)
	s.call("GET", "/tickets/999999", "/tickets/{number}", "", 404, admin...)
	s.call("GET", "/tickets?limit=1", "/tickets", "", 200, admin...)
	list := s.call("GET", "/outbox", "/outbox", "", 200, admin...)
	mails, _ := list["mails"].([]any)
	if len(mails) == 0 {
		t.Fatal("no mail")
	}
	mail, _ := mails[0].(map[string]any)
	s.call("GET", fmt.Sprintf("/outbox/%v", mail["id"]), "/outbox/{id}", "", 200, admin...)
	r := newReader(t, o.base)
	if status, said := r.sendFile("a.log", strings.Repeat("x", 10)); status != http.StatusCreated {
		t.Fatal(said)
	}
}

// Every route of the API, asked by nobody and by people of each role: whoever may not is told so before
// anything is read or written.
func TestThePermissionsOfEveryRoute(t *testing.T) {
	o := newOffice(t)
	s := o.surface()
	addStaff(t, o.cfg.DatabaseURL, "champ@example.com", "Champ", "champion")
	addStaff(t, o.cfg.DatabaseURL, "boss@example.com", "Boss", "manager")
	newReader(t, o.base).signUp(o, "cust@example.com")
	cookies := map[string]string{"nobody": "", "signed in": cookieOf(t, o.cfg.Listen, "cust@example.com"), "staff": cookieOf(t, o.cfg.Listen, "champ@example.com"), "manager": cookieOf(t, o.cfg.Listen, "boss@example.com")}
	rank := map[string]int{"anyone": 0, "staff or chat token": 0, "signed in": 1, "staff": 2, "manager": 3, "admin": 4}
	checked := 0
	for path, item := range s.Paths.Map() {
		for method, op := range item.Operations() {
			permission, _ := op.Extensions["x-permission"].(string)
			least, known := rank[permission]
			if !known {
				t.Errorf("%s %s: who is %q?", method, path, permission)
			}
			for who, cookie := range cookies {
				have := max(rank[who], 0)
				if have >= least {
					continue
				}
				want := http.StatusForbidden
				if cookie == "" {
					want = http.StatusUnauthorized
				}
				at := strings.NewReplacer("{number}", "1001", "{id}", "5e0f4d2c-6a53-4d0c-8c87-0f6f1c2f7a10", "{token}", "x", "{n}", "0").Replace(path)
				if got, said := ask(t, method, o.base+"/api/v1"+at, "{}", "Cookie", cookie); got != want {
					t.Errorf("%s %s by %s: %d, not %d: %s", method, path, who, got, want, said)
				}
				checked++
			}
		}
	}
	if checked < 60 {
		t.Errorf("only %d were checked", checked)
	}
}
