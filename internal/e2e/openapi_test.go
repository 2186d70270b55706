package e2e

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"chatnow/internal/app"
	"chatnow/internal/pgtest"
)

// at reads a value out of an answer by its path: "ticket.number", "mails.0.id".
func at(t *testing.T, answer map[string]any, path string) string {
	t.Helper()
	var v any = answer
	for step := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[step]
		case []any:
			var i int
			if _, err := fmt.Sscan(step, &i); err != nil || i >= len(in) {
				t.Fatalf("no %s in %v", path, answer)
			}
			v = in[i]
		default:
			t.Fatalf("no %s in %v", path, answer)
		}
	}
	return fmt.Sprint(v)
}

// A whole life over the REST surface. Each operation is called with success at least once, each answer is
// held against the document, and each property that the document promises is found in some answer.
func TestTheDocumentIsTrue(t *testing.T) {
	var said bytes.Buffer
	url := pgtest.URL(t)
	box, relay := openPostOffice(t)
	o := &office{server: serve(t, url, func(cfg *app.Config) { cfg.Out, cfg.SMTPURL = &said, relay })}
	o.base = "http://" + o.cfg.Listen
	s := o.surface()
	s.call("GET", "/openapi.json", "", 200)

	_, setup, _ := strings.Cut(strings.TrimSpace(said.String()), "token=")
	person := `"name":"Ada","email":"ada@example.com","password":"a long password"}`
	s.call("POST", "/setup", `{"token":"x",`+person, 404)
	s.call("POST", "/setup", `{"token":"`+setup+`",`+person, 201)
	s.call("POST", "/session", `{"email":"ada@example.com","password":"a wrong password"}`, 401)
	s.call("POST", "/session", `{"email":"ada@example.com"`, 400)
	s.call("POST", "/session", `{"email":"ada@example.com","password":"a long password"}`, 200)
	s.call("POST", "/session", ``, 415, "Content-Type", "text/plain")
	s.call("POST", "/session", `{"email":"`+strings.Repeat("x", 300_000)+`"}`, 413)
	o.admin = cookieOf(t, o.cfg.Listen, "ada@example.com")
	admin := []string{"Cookie", o.admin}
	s.call("GET", "/me", "", 200, admin...)
	s.call("GET", "/me", "", 401)
	made := s.call("POST", "/tokens", `{"name":"script"}`, 201, admin...)
	s.call("GET", "/tickets/counts", "", 200, "Authorization", "Bearer "+at(t, made, "token.secret"))
	s.call("GET", "/tokens", "", 200, admin...)
	s.call("DELETE", "/tokens/"+at(t, made, "token.id"), "", 204, admin...)
	s.call("DELETE", "/tokens/"+at(t, made, "token.id"), "", 404, admin...)
	s.call("POST", "/accounts", `{"name":"Chris","email":"chris@example.com","password":"a long password"}`, 202)
	newReader(t, o.base).form("/account/verify", "token", token(box.link(o, "verify", "/account/verify")))
	chris := []string{"Cookie", cookieOf(t, o.cfg.Listen, "chris@example.com")}
	s.call("GET", "/settings", "", 403, chris...)
	s.call("POST", "/tokens", `{}`, 403, append(admin, "Origin", "https://evil.example")...)

	o.holdSettings(s)
	number := o.holdTickets(s, chris)
	o.holdChats(s)
	o.holdFiles(s)
	o.holdTheEnd(s, box, number, chris)

	o.holdWorkbench(s)
	o.holdTeam(s)
	o.holdReports(s)
	o.holdMails(s)
	s.call("DELETE", "/session", "", 204, admin...)
	for _, what := range s.unseen() {
		t.Errorf("nobody has seen %s", what)
	}
}

func (o *office) holdSettings(s *surface) {
	t, admin := o.t, []string{"Cookie", o.admin}
	doc := s.call("GET", "/settings", "", 200, admin...)
	s.call("PUT", "/settings", `{"timezone":"Europe/Paris"}`, 422, admin...)
	doc["timezone"] = "UTC"
	var feast []any // two days, for a test that runs at midnight
	for i := range 2 {
		feast = append(feast, map[string]any{"date": time.Now().UTC().AddDate(0, 0, i).Format(time.DateOnly), "name": "Founders' Day", "hours": []any{}})
	}
	doc["holidays"] = feast
	whole, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	s.call("PUT", "/settings", string(whole), 200, admin...)
	s.call("PUT", "/settings", `{"version":0,"timezone":"Europe/Paris"}`, 409, admin...)
	s.call("GET", "/settings/history", "", 200, admin...)
	o.ticket("dora@example.com")
	s.call("POST", "/settings/preview", `{"policy":{"update_within":{"normal":"1h","low":"1h","high":"1h","urgent":"1h"}}}`, 200, admin...)
	s.call("POST", "/settings/preview", `{"timezone":"Nowhere"}`, 422, admin...)
	next := time.Now().Year() + 1
	calendar := fmt.Sprintf("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:%d1225\r\nSUMMARY:Christmas\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", next)
	if got := s.call("POST", "/settings/holidays", calendar, 200, append(admin, "Content-Type", "text/calendar")...); at(t, got, "holidays.0.name") != "Christmas" {
		t.Error(got)
	}
	s.call("POST", "/settings/holidays", "Christmas", 422, append(admin, "Content-Type", "text/calendar")...)
}

func (o *office) holdTickets(s *surface, chris []string) (number string) {
	t, admin := o.t, []string{"Cookie", o.admin}
	reader := newReader(t, o.base)
	_, log := reader.sendFile("a.log", "os.name=Windows\napp version: 11.7.2\n")
	_, shot := reader.sendFile("b.log", "words")
	made := s.call("POST", "/tickets", fmt.Sprintf(`{"name":"Chris","email":"chris@example.com","subject":"Help","description":"It stands still.","priority":"high","timezone":"Europe/Paris",
		"diagnostics":{"product":"CrashPlan for Small Business","os":"Windows","os_version":"11","app_version":"11.7.2","devices":["948688015614212345"],"accounts":["chris"],"destinations":["Other"],"logs":[%q],"description":"No."}}`, idOf(t, log)), 201, "Idempotency-Key", "one")
	number = at(t, made, "ticket.number")
	path := "/tickets/" + number
	s.call("POST", "/tickets", `{"name":"Chris","email":"chris","subject":"","description":"","diagnostics":{"devices":["x"]}}`, 422)
	s.call("POST", "/tickets", `{"subject":"Another","description":"Mine."}`, 422, append(chris, "Idempotency-Key", "a b")...)
	s.call("POST", "/tickets", `{"subject":"Another","description":"Mine."}`, 201, append(chris, "Idempotency-Key", "two")...)
	s.call("POST", "/tickets", `{"subject":"A third","description":"Mine."}`, 422, append(chris, "Idempotency-Key", "two")...)
	s.call("POST", path+"/comments", `{"body":"A thought","public":false}`, 201, admin...)
	s.call("POST", path+"/comments", fmt.Sprintf(`{"body":"Update, please.","status":"pending","attachments":[%q]}`, idOf(t, shot)), 201, admin...)
	s.call("POST", path+"/comments", `{"body":"May I?","status":"solved"}`, 422, chris...)
	s.call("POST", path+"/comments", `{"body":"Done."}`, 201, chris...)
	s.call("PATCH", path, `{"version":1,"priority":"low"}`, 409, admin...)
	read := s.call("GET", path, "", 200, admin...)
	me := at(t, s.call("GET", "/me", "", 200, admin...), "me.id")
	s.call("PATCH", path, fmt.Sprintf(`{"version":%s,"priority":"low","assignee":%q,"why":"A question only.","diagnostics":{"devices":[]}}`, at(t, read, "ticket.version"), me), 200, admin...)
	s.call("GET", path, "", 200, chris...)
	s.call("GET", "/tickets/999999", "", 404, chris...)
	s.call("GET", "/tickets?limit=1", "", 200, admin...)
	s.call("GET", "/tickets?view=mine&status=open&priority=low&assignee=me&q=Help", "", 200, admin...)
	s.call("GET", "/tickets?limit=1&cursor=1", "", 200, chris...)
	s.call("GET", "/tickets/counts", "", 200, admin...)

	ask := `{"reason":"Too slow","priority":"high","contact":"555 0100"}`
	one := "/escalations/" + at(t, s.call("POST", path+"/escalations", ask, 201, chris...), "escalation.id")
	s.call("POST", path+"/escalations", ask, 409, chris...)
	s.call("POST", path+"/escalations", ask, 409, admin...)
	s.call("GET", "/escalations?state=maybe", "", 422, admin...)
	s.call("PATCH", one, fmt.Sprintf(`{"action":"reassign","reason":"Yours","assignee":%q}`, me), 200, admin...)
	s.call("PATCH", one, `{"action":"raise","reason":"It is","priority":"urgent"}`, 200, admin...)
	s.call("PATCH", one, `{"action":"finish","answer":"Done.","reason":"It was late."}`, 200, admin...)
	s.call("PATCH", one, `{"action":"accept"}`, 409, admin...)
	s.call("POST", path+"/escalations", ask, 201, chris...)
	s.call("GET", "/escalations?limit=1", "", 200, admin...)
	s.call("GET", "/escalations?state=done", "", 200, admin...)

	into, gone := "/tickets/"+number, fmt.Sprintf("/tickets/%d", o.ticket("eve@example.com"))
	s.call("POST", gone+"/merge", `{"into":`+number+`}`, 409, admin...)
	s.call("POST", gone+"/unmerge", "", 409, admin...)
	s.call("POST", gone+"/merge", `{"into":`+number+`,"why":"One matter","version":99,"confirm":true}`, 409, admin...)
	s.call("POST", gone+"/merge", `{"into":`+number+`,"why":"One matter","confirm":true}`, 200, admin...)
	s.call("GET", into, "", 200, admin...)
	s.call("POST", gone+"/merge", `{"into":`+number+`,"confirm":true}`, 409, admin...)
	s.call("POST", gone+"/unmerge", `{"why":"A mistake"}`, 200, admin...)
	return number
}

func (o *office) holdChats(s *surface) {
	t, admin := o.t, []string{"Cookie", o.admin}
	s.call("GET", "/support", "", 200) // today is a holiday
	s.call("GET", "/chats?state=active", "", 200, admin...)
	s.call("GET", "/chats?state=lost", "", 422, admin...)
	question := `{"name":"Ines","email":"ines@example.com","question":"Hello?","page_url":"https://example.com/","timezone":"Europe/Paris","product":"crashplan-small-business"}`
	if got := s.call("POST", "/chats", question, 409); at(t, got, "code") != "outside_hours" {
		t.Error(got)
	}
	s.call("GET", "/availability", "", 200)
	week := map[string]any{}
	for _, day := range []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} {
		week[day] = [][]string{{"00:00", "24:00"}}
	}
	open, err := json.Marshal(map[string]any{"version": s.call("GET", "/settings", "", 200, admin...)["version"], "holidays": []any{}, "hours": week})
	if err != nil {
		t.Fatal(err)
	}
	s.call("PUT", "/settings", string(open), 200, admin...)
	if got := s.call("POST", "/chats", question, 409); at(t, got, "code") != "unstaffed" {
		t.Error(got)
	}
	s.call("POST", "/chats", strings.Replace(question, "crashplan-small-business", "incydr", 1), 409)
	addStaff(t, o.cfg.DatabaseURL, "priya@example.com", "Priya Raman", "champion")
	onDuty(t, o.cfg.Listen)
	s.call("GET", "/availability", "", 200)
	s.call("GET", "/staff", "", 200, admin...)
	var chat string
	var holder []string
	for range 2 {
		made := s.call("POST", "/chats", question, 201)
		chat, holder = "/chats/"+at(t, made, "chat.id"), []string{"Authorization", "Bearer " + at(t, made, "token")}
	}
	s.call("GET", chat, "", 200, holder...)
	s.call("GET", chat, "", 404, "Authorization", "Bearer x")
	s.call("GET", chat, "", 401)
	console := dial(t, o.cfg.Listen, "/ws/console", o.admin)
	console.send(`{"type":"hello"}`)
	console.send(`{"type":"presence","state":"online","capacity":4}`)
	console.send(`{"type":"accept","chat":%q}`, strings.TrimPrefix(chat, "/chats/"))
	o.eventually("a champion", func() bool { return at(t, s.call("GET", chat, "", 200, admin...), "chat.state") == "active" })
	_, file := newReader(t, o.base).sendFile("a.log", "words")
	s.call("POST", chat+"/files", fmt.Sprintf(`{"uploads":[%q]}`, idOf(t, file)), 204, holder...)
	s.call("GET", chat+"/messages?limit=1", "", 200, holder...)
	s.call("GET", chat+"/messages?after=x", "", 422, holder...)
	s.call("GET", chat+"/context", "", 200, admin...)
	ticket := `{"subject":"Hello","priority":"low","diagnostics":{"os":"macOS"}}`
	s.call("POST", chat+"/ticket", ticket, 201, holder...)
	s.call("POST", chat+"/ticket", ticket, 200, admin...)
	s.call("GET", chat+"/context", "", 200, admin...)
	console.send(`{"type":"end","chat":%q}`, strings.TrimPrefix(chat, "/chats/"))
	o.eventually("the end", func() bool { return at(t, s.call("GET", chat, "", 200, holder...), "chat.state") == "ended" })
	s.call("POST", chat+"/files", `{"uploads":[]}`, 409, holder...)
	s.call("GET", "/chats?state=ended&mine=1", "", 200, admin...)
	s.call("GET", "/chats?cursor=x", "", 422, admin...)
}

func (o *office) holdFiles(s *surface) {
	t, admin := o.t, []string{"Cookie", o.admin}
	part := func(content string) []string {
		return []string{fmt.Sprintf("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.log\"\r\n\r\n%s\r\n--x--\r\n", content), "Content-Type", "multipart/form-data; boundary=x"}
	}
	form := part("os.name=Windows\nos.version=11\napp version: 11.7.2\nguid=948688015614212345\n")
	id := "/uploads/" + at(t, s.call("POST", "/uploads", form[0], 201, form[1:]...), "id")
	s.call("GET", id, "", 200, admin...)
	s.call("GET", id, "", 404)
	s.call("GET", id+"/preview", "", 404, admin...)
	s.call("POST", "/uploads", "words", 415, "Content-Type", "text/plain")
	program := part("\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 60))
	s.call("POST", "/uploads", program[0], 415, program[1:]...)
	s.call("POST", "/uploads/parts", `{"name":"a.png","size":1000000000}`, 413)
	var archive, picture bytes.Buffer
	z := zip.NewWriter(&archive)
	if _, err := z.Create("service.log"); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	logs := part(archive.String())
	s.call("POST", "/uploads", logs[0], 201, logs[1:]...)
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	parts := "/uploads/" + at(t, s.call("POST", "/uploads/parts", fmt.Sprintf(`{"name":"a.png","size":%d}`, picture.Len()), 201), "id")
	raw := []string{"Content-Type", "application/octet-stream"}
	s.call("GET", parts+"/parts", "", 200)
	s.call("PUT", parts+"/parts/0", "short", 422, raw...)
	s.call("PUT", parts+"/parts/9", "short", 404, raw...)
	s.call("POST", parts+"/done", "", 409)
	s.call("PUT", parts+"/parts/0", picture.String(), 204, raw...)
	s.call("POST", parts+"/done", "", 201)
	s.call("GET", parts+"/preview", "", 200, admin...)
}

func (o *office) holdMails(s *surface) {
	t, admin := o.t, []string{"Cookie", o.admin}
	o.ticket("gone@example.com")
	for _, state := range []string{"sent", "failed"} {
		o.eventually(state, func() bool {
			mails, _ := s.call("GET", "/outbox?state="+state, "", 200, admin...)["mails"].([]any)
			return len(mails) > 0
		})
	}
	s.call("GET", "/outbox?limit=1", "", 200, admin...)
	s.call("GET", "/outbox?cursor=x", "", 422, admin...)
	mail := "/outbox/" + at(t, s.call("GET", "/outbox?state=failed", "", 200, admin...), "mails.0.id")
	s.call("GET", mail, "", 200, admin...)
	s.call("GET", mail+"/html", "", 200, admin...)
	s.call("POST", mail+"/retry", "", 200, admin...)
	s.call("POST", "/outbox/5e0f4d2c-6a53-4d0c-8c87-0f6f1c2f7a10/retry", "", 404, admin...)
}

// holdTheEnd closes a ticket, and what comes after.
func (o *office) holdTheEnd(s *surface, box *postOffice, number string, chris []string) {
	t, admin := o.t, []string{"Cookie", o.admin}
	path := "/tickets/" + number
	o.policy(map[string]any{"solved_closes_after": "1ms", "survey_after": "0s"})
	s.call("POST", path+"/solved", "", 200, chris...)
	s.call("POST", path+"/solved", "", 403, admin...)
	survey := strings.TrimPrefix(box.link(o, "survey", "/survey/"), "/survey/")
	s.call("POST", "/surveys/"+survey, `{"rating":5,"comment":"Thanks"}`, 200)
	s.call("POST", "/surveys/"+survey, `{"rating":6}`, 422)
	s.call("POST", "/surveys/nobody", `{"rating":5}`, 404)
	closed := s.call("GET", path, "", 200, admin...)
	s.call("PATCH", path, `{"version":`+at(t, closed, "ticket.version")+`,"priority":"high"}`, 409, admin...)
	s.call("POST", path+"/merge", `{"into":`+at(t, s.call("POST", path+"/comments", `{"body":"It is back."}`, 201, chris...), "ticket.number")+`}`, 409, admin...)
}

func TestTheDocumentHasATag(t *testing.T) {
	o := newOffice(t)
	get := func(tag string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, o.base+"/api/v1/openapi.json", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("If-None-Match", tag)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res
	}
	first := get("")
	if tag := first.Header.Get("ETag"); first.StatusCode != 200 || tag == "" || get(tag).StatusCode != 304 || get(`"other"`).StatusCode != 200 {
		t.Errorf("%d %q", first.StatusCode, tag)
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
	s.each(func(method, route, path string, op *openapi3.Operation) {
		permission, _ := op.Extensions["x-permission"].(string)
		least, known := rank[permission]
		if !known {
			t.Errorf("%s %s: who is %q?", method, route, permission)
		}
		for who, cookie := range cookies {
			if rank[who] >= least {
				continue
			}
			want := http.StatusForbidden
			if cookie == "" {
				want = http.StatusUnauthorized
			}
			if got, said := ask(t, method, o.base+path, "{}", "Cookie", cookie); got != want || !has(op, want) {
				t.Errorf("%s %s by %s: %d, not %d: %s", method, route, who, got, want, said)
			}
			checked++
		}
	})
	if checked < 60 {
		t.Errorf("only %d were checked", checked)
	}
}
