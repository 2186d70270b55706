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

// An Idempotency-Key that is none is refused by every operation that takes one, before anything else is
// looked at, and passed over by all others.
func TestTheDocumentSaysWhatTakesAKey(t *testing.T) {
	o := newOffice(t)
	takes := 0
	o.surface().each(func(method, route, path string, op *openapi3.Operation) {
		status, said := ask(t, method, o.base+path, "{}", "Idempotency-Key", "a b")
		refused := status == http.StatusUnprocessableEntity && strings.Contains(said, `"Idempotency-Key"`)
		if named := op.Parameters.GetByInAndName("header", "Idempotency-Key") != nil; named != refused {
			t.Errorf("%s %s: the document says %v, the server %d %s", method, route, named, status, said)
		}
		if refused {
			takes++
		}
	})
	if takes < 10 {
		t.Errorf("only %d take one", takes)
	}
}

// Whoever asks too often is told so by the operations of which the document says it, and by no others.
func TestTheDocumentSaysWhatIsLimited(t *testing.T) {
	o := newOffice(t)
	o.stop()
	o.cfg.RateLimits = true
	o.start()
	o.surface().each(func(method, route, path string, op *openapi3.Operation) {
		most := 60
		if method == http.MethodPut {
			most = 1100 // parts of files come many at once
		}
		if method == http.MethodGet {
			most = 1
		}
		slow := false
		for range most {
			// without a session, and with a body that nothing is made of
			if status, _ := ask(t, method, o.base+path, "[]"); status == http.StatusTooManyRequests {
				slow = true
				break
			}
		}
		if has(op, http.StatusTooManyRequests) != slow {
			t.Errorf("%s %s: the document says %v, the server %v", method, route, !slow, slow)
		}
	})
}

// Of all names of fields that the document knows, each operation takes those that its own body has, and
// calls all others unknown.
func TestTheDocumentSaysWhatFieldsAreTaken(t *testing.T) {
	o := newOffice(t)
	s := o.surface()
	names := map[string]bool{}
	for _, ref := range s.Components.Schemas {
		all, _, _ := properties(ref, "")
		for name := range all {
			names[name] = true
		}
	}
	version := s.call("GET", "/settings", "", 200, "Cookie", o.admin)["version"]
	bodies := 0
	s.each(func(method, route, path string, op *openapi3.Operation) {
		if op.RequestBody == nil || op.RequestBody.Value.Content["application/json"] == nil {
			return
		}
		bodies++
		body := map[string]any{}
		for name := range names {
			body[name] = nil // of every type
		}
		body["version"] = version // without it the settings are not looked at
		var unknown []string
		for range len(names) + 1 {
			name := o.refused(t, method, path, body)
			if name == "" {
				break
			}
			unknown = append(unknown, name)
			delete(body, name)
		}
		all, _, _ := properties(op.RequestBody.Value.Content["application/json"].Schema, "")
		for name := range names {
			if _, documented := all[name]; documented == slices.Contains(unknown, name) {
				t.Errorf("%s %s, %s: the document says %v", method, route, name, documented)
			}
		}
	})
	if bodies < 15 {
		t.Errorf("only %d bodies", bodies)
	}
}

// refused names the field of a body that the server does not know.
func (o *office) refused(t *testing.T, method, path string, body map[string]any) string {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	status, said := ask(t, method, o.base+path, string(raw), "Cookie", o.admin)
	var problem struct {
		Errors []struct{ Field, Detail string }
	}
	if err := json.Unmarshal([]byte(said), &problem); status != http.StatusUnprocessableEntity || err != nil {
		return ""
	}
	for _, e := range problem.Errors {
		if e.Detail == "There is no such field." {
			if _, sent := body[e.Field]; !sent {
				t.Fatal(fmt.Errorf("%s %s: %s was not sent", method, path, e.Field))
			}
			return e.Field
		}
	}
	return ""
}

func (o *office) holdWorkbench(s *surface) {
	t, admin := o.t, []string{"Cookie", o.admin}
	s.call("POST", "/macros", `{"name":"Hello","body":"{{customer.nickname}}"}`, 422, admin...)
	id := at(t, s.call("POST", "/macros", `{"name":"Hello","body":"Good morning, {{customer.first_name}}."}`, 201, admin...), "macro.id")
	s.call("PUT", "/macros/"+id, `{"name":"Hello","body":"Good evening","version":1}`, 200, admin...)
	s.call("PUT", "/macros/"+id, `{"name":"Hello","body":"Good night","version":1}`, 409, admin...)
	s.call("PUT", "/macros/5e0f4d2c-6a53-4d0c-8c87-0f6f1c2f7a10", `{"name":"Nobody's","body":"x","version":1}`, 404, admin...)
	s.call("GET", "/macros", "", 200, admin...)
	s.call("DELETE", "/macros/"+id, "", 204, admin...)
	s.call("PUT", "/drafts", `{"place":"ticket:1001","body":"half a sent"}`, 204, admin...)
	s.call("PUT", "/drafts", `{"place":"nowhere","body":"x"}`, 422, admin...)
	s.call("GET", "/drafts", "", 200, admin...)
}

func (o *office) holdTeam(s *surface) {
	t, admin := o.t, []string{"Cookie", o.admin}
	s.call("POST", "/team", `{"name":"Jonas","email":"nowhere","role":"champion"}`, 422, admin...)
	id := at(t, s.call("POST", "/team", `{"name":"Jonas","email":"jonas@example.com","role":"champion"}`, 201, admin...), "member.id")
	s.call("POST", "/team", `{"name":"Jonas","email":"jonas@example.com","role":"champion"}`, 409, admin...)
	s.call("POST", "/team/"+id+"/invite", "", 204, admin...)
	s.call("PATCH", "/team/"+id, `{"capacity":51}`, 422, admin...)
	s.call("PATCH", "/team/"+id, `{"capacity":6,"role":"manager"}`, 200, admin...)
	s.call("PATCH", "/team/"+id, `{"disabled":true}`, 200, admin...)
	s.call("POST", "/team/"+id+"/invite", "", 409, admin...)
	s.call("PATCH", "/team/5e0f4d2c-6a53-4d0c-8c87-0f6f1c2f7a10", `{"disabled":true}`, 404, admin...)
	me := at(t, s.call("GET", "/me", "", 200, admin...), "me.id")
	s.call("PATCH", "/team/"+me, `{"role":"champion"}`, 409, admin...)
	s.call("GET", "/team", "", 200, admin...)
	s.call("GET", "/audit?limit=1", "", 200, admin...)
	s.call("GET", "/audit?cursor=x", "", 422, admin...)
}

func (o *office) holdReports(s *surface) {
	admin := []string{"Cookie", o.admin}
	s.call("GET", "/reports?zone=UTC", "", 200, admin...)
	s.call("GET", "/reports?from=never", "", 422, admin...)
	s.call("GET", "/reports/rows?of=tickets", "", 200, admin...)
	s.call("GET", "/reports/rows?of=all", "", 200, admin...)
	s.call("GET", "/reports/rows?of=nothing", "", 422, admin...)
	s.call("GET", "/reports/rows.csv?of=tickets", "", 200, admin...)
	s.call("GET", "/reports/rows.csv?of=nothing", "", 422, admin...)
}
