package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"chatnow/internal/pgtest"
)

// reader is a customer's browser without script: it keeps cookies and sends forms.
type reader struct {
	t    *testing.T
	base string
	*http.Client
}

func newReader(t *testing.T, base string) *reader {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &reader{t, base, &http.Client{Jar: jar}}
}

func (r *reader) end(res *http.Response, err error) (int, string, string) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return res.StatusCode, res.Request.URL.Path, string(raw)
}

func (r *reader) open(path string) (int, string, string) {
	r.t.Helper()
	return r.end(r.Get(r.base + path))
}

func (r *reader) form(path string, fields ...string) (int, string, string) {
	r.t.Helper()
	v := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		v.Set(fields[i], fields[i+1])
	}
	return r.end(r.PostForm(r.base+path, v))
}

// office is a running server with an administrator, who reads the outbox.
type office struct {
	*server
	base, admin string
}

func newOffice(t *testing.T) *office {
	db := pgtest.URL(t)
	s := serve(t, db)
	addStaff(t, db, "ada@example.com", "Ada", "admin")
	return &office{s, "http://" + s.cfg.Listen, cookieOf(t, s.cfg.Listen, "ada@example.com")}
}

// policy changes waiting times as an administrator does.
func (o *office) policy(change map[string]any) {
	o.t.Helper()
	_, raw := ask(o.t, "GET", o.base+"/api/v1/settings", "", "Cookie", o.admin)
	var doc map[string]any
	if err := json.Unmarshal([]byte(raw), &doc); err != nil {
		o.t.Fatalf("%s %v", raw, err)
	}
	policy, ok := doc["policy"].(map[string]any)
	if !ok {
		o.t.Fatal(raw)
	}
	for k, v := range change {
		policy[k] = v
	}
	body, err := json.Marshal(doc)
	if err != nil {
		o.t.Fatal(err)
	}
	if status, said := ask(o.t, "PUT", o.base+"/api/v1/settings", string(body), "Cookie", o.admin); status != 200 {
		o.t.Fatalf("%d %s", status, said)
	}
}

// mails gives the texts of the mails of a kind to an address, newest first.
func (o *office) mails(to, kind string) []string {
	o.t.Helper()
	var list struct {
		Mails []struct{ ID, To, Kind string }
	}
	_, raw := ask(o.t, "GET", o.base+"/api/v1/outbox", "", "Cookie", o.admin)
	if err := json.Unmarshal([]byte(raw), &list); err != nil {
		o.t.Fatalf("%s %v", raw, err)
	}
	var out []string
	for _, m := range list.Mails {
		if m.To == to && m.Kind == kind {
			var one struct{ Mail struct{ Text string } }
			_, raw := ask(o.t, "GET", o.base+"/api/v1/outbox/"+m.ID, "", "Cookie", o.admin)
			if err := json.Unmarshal([]byte(raw), &one); err != nil {
				o.t.Fatal(err)
			}
			out = append(out, one.Mail.Text)
		}
	}
	return out
}

// path finds a link in a mail, and gives its path.
func (o *office) path(mail, begins string) string {
	o.t.Helper()
	found := regexp.MustCompile(regexp.QuoteMeta(o.base) + `(` + begins + `\S*)`).FindStringSubmatch(mail)
	if found == nil {
		o.t.Fatalf("no %s in %q", begins, mail)
	}
	return found[1]
}

func (o *office) eventually(what string, ok func() bool) {
	o.t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			o.t.Fatal("waited in vain for " + what)
		}
	}
}

func (o *office) ticket(from string) int64 {
	o.t.Helper()
	status, raw := ask(o.t, "POST", o.base+"/api/v1/tickets", fmt.Sprintf(`{"name":"Chris","email":%q,"subject":"Backup stands still","description":"Since Monday.","diagnostics":{},"timezone":"Europe/Berlin"}`, from))
	var got struct{ Ticket struct{ Number int64 } }
	if err := json.Unmarshal([]byte(raw), &got); err != nil || status != 201 {
		o.t.Fatalf("%d %s", status, raw)
	}
	return got.Ticket.Number
}

// token takes the token out of a path such as /account/verify?token=….
func token(path string) string {
	_, token, _ := strings.Cut(path, "token=")
	return token
}

func TestACustomerFollowsHisTicketToTheEnd(t *testing.T) {
	o := newOffice(t)
	number := o.ticket("chris@example.com")
	page := fmt.Sprintf("/tickets/%d", number)
	api := o.base + "/api/v1" + page
	chris, eve := newReader(t, o.base), newReader(t, o.base)

	// An account is asked for, and exists only when the button behind the mailed link is pressed.
	for range 2 {
		if got, said := ask(t, "POST", o.base+"/api/v1/accounts", `{"name":"Chris","email":"Chris@example.com","password":"a long password"}`); got != 202 {
			t.Fatalf("%d %s", got, said)
		}
	}
	link := o.path(o.mails("chris@example.com", "verify")[0], "/account/verify")
	if got, _, body := eve.open(link); got != 200 || strings.Count(body, "<button") != 1 {
		t.Fatalf("a scanner opens it: %d\n%s", got, body)
	}
	if got, said := ask(t, "POST", o.base+"/api/v1/session", `{"email":"chris@example.com","password":"a long password"}`); got != 401 {
		t.Fatalf("signed in before the address was proved: %d %s", got, said)
	}
	if got, at, _ := chris.form("/account/verify", "token", token(link)); got != 200 || at != "/tickets" {
		t.Fatalf("%d %s", got, at)
	}
	if got, _, _ := eve.form("/account/verify", "token", token(link)); got != 404 {
		t.Fatalf("the link worked twice: %d", got)
	}
	if got, said := ask(t, "POST", o.base+"/api/v1/session", `{"email":"chris@example.com","password":"a long password"}`); got != 200 {
		t.Fatalf("%d %s", got, said)
	}

	// The ticket from before the account is his, and nobody else's.
	if got, _, body := chris.open("/tickets"); got != 200 || !strings.Contains(body, "Backup stands still") {
		t.Fatalf("not adopted: %d\n%s", got, body)
	}
	if got, said := ask(t, "POST", o.base+"/api/v1/accounts", `{"name":"Eve","email":"eve@example.com","password":"a long password"}`); got != 202 {
		t.Fatalf("%d %s", got, said)
	}
	eve.form("/account/verify", "token", token(o.path(o.mails("eve@example.com", "verify")[0], "/account/verify")))
	foreign, _, first := eve.open(page)
	unknown, _, second := eve.open("/tickets/999999")
	if foreign != 404 || unknown != 404 || first != second {
		t.Fatalf("foreign %d and unknown %d answer differently", foreign, unknown)
	}
	if got, _, _ := eve.form(page, "body", "Let me in."); got != 404 {
		t.Fatalf("a stranger answered: %d", got)
	}

	// A note stays inside; an answer that asks is Pending; his reply opens it again, once.
	answer := func(body string) {
		t.Helper()
		if got, said := ask(t, "POST", api+"/comments", body, "Cookie", o.admin); got != 201 {
			t.Fatalf("%d %s", got, said)
		}
	}
	answer(`{"body":"He sounds cross.","public":false}`)
	answer(`{"body":"Which version do you have?","status":"pending"}`)
	got, _, body := chris.open(page)
	if got != 200 || strings.Contains(body, "cross") || !strings.Contains(body, "Which version") || !strings.Contains(body, "waiting for you") {
		t.Fatalf("%d\n%s", got, body)
	}
	key := "5e0f4d2c-6a53-4d0c-8c87-0f6f1c2f7a10"
	for range 2 {
		if got, at, _ := chris.form(page, "body", "It is 11.8.0.", "key", key, "do", "reply"); got != 200 || at != page {
			t.Fatalf("%d %s", got, at)
		}
	}
	if _, _, body := chris.open(page); strings.Count(body, "It is 11.8.0.") != 1 || !strings.Contains(body, "It is our turn") {
		t.Fatalf("said twice, or still Pending:\n%s", body)
	}

	// A manager is asked, once at a time; what he thinks stays inside, what he answers does not.
	if _, _, body := chris.form(page, "do", "escalate", "reason", "It takes too long", "priority", "high", "contact", "555 0100"); !strings.Contains(body, "in review") {
		t.Fatalf("not escalated:\n%s", body)
	}
	if got, said := ask(t, "POST", api+"/escalations", `{"reason":"again","priority":"high","contact":""}`, "Cookie", o.admin); got != 409 || !strings.Contains(said, "already_escalated") {
		t.Fatalf("%d %s", got, said)
	}
	var list struct{ Escalations []struct{ ID, State string } }
	_, raw := ask(t, "GET", o.base+"/api/v1/escalations?state=open", "", "Cookie", o.admin)
	if err := json.Unmarshal([]byte(raw), &list); err != nil || len(list.Escalations) != 1 {
		t.Fatalf("%s %v", raw, err)
	}
	if got, said := ask(t, "PATCH", o.base+"/api/v1/escalations/"+list.Escalations[0].ID, `{"action":"decline","reason":"He exaggerates","answer":"We are on it."}`, "Cookie", o.admin); got != 200 {
		t.Fatalf("%d %s", got, said)
	}
	if _, _, body := chris.open(page); strings.Contains(body, "exaggerates") || !strings.Contains(body, "We are on it.") {
		t.Fatalf("the manager's reason reached the customer, or the answer did not:\n%s", body)
	}

	// Solved, thank you: closed, then one question, which only POST answers.
	o.policy(map[string]any{"solved_closes_after": "1ms"})
	if _, _, body := chris.form(page, "do", "solved"); !strings.Contains(body, "We believe that it is solved") && !strings.Contains(body, "closed") {
		t.Fatalf("not solved:\n%s", body)
	}
	o.eventually("the survey", func() bool { return len(o.mails("chris@example.com", "survey")) == 1 })
	survey := o.path(o.mails("chris@example.com", "survey")[0], "/survey/")
	for range 5 {
		if got, _, body := eve.open(survey); got != 200 || strings.Contains(body, " checked") {
			t.Fatalf("a GET stored something: %d\n%s", got, body)
		}
	}
	for _, mark := range []string{"2", "5"} {
		if got, _, body := chris.form(survey, "rating", mark, "comment", "Thanks"); got != 200 || !strings.Contains(body, `value="`+mark+`" required checked`) {
			t.Fatalf("%d\n%s", got, body)
		}
	}
	if got, said := ask(t, "POST", o.base+"/api/v1/surveys/"+strings.TrimPrefix(survey, "/survey/"), `{"rating":6}`); got != 422 || !strings.Contains(said, `"rating"`) {
		t.Fatalf("%d %s", got, said)
	}
	if got, said := ask(t, "POST", o.base+"/api/v1/surveys/nobody", `{"rating":5}`); got != 404 {
		t.Fatalf("%d %s", got, said)
	}

	// A reply to the closed ticket is a follow-up; a second one finds it. It closes, too, and is not surveyed again so soon.
	o.policy(map[string]any{"solved_closes_after": "48h"})
	_, followed, body := chris.form(page, "body", "It is back.")
	if followed == page || !strings.Contains(body, "follow-up of") {
		t.Fatalf("%s\n%s", followed, body)
	}
	if _, again, _ := chris.form(page, "body", "And worse."); again != followed {
		t.Fatalf("a second follow-up: %s after %s", again, followed)
	}
	if n := len(o.mails("chris@example.com", "follow_up")); n != 1 {
		t.Fatalf("%d mails about one follow-up", n)
	}
	o.policy(map[string]any{"solved_closes_after": "1ms"})
	chris.form(followed, "do", "solved")
	o.eventually("the follow-up to close", func() bool { _, _, b := chris.open(followed); return strings.Contains(b, "This ticket is closed") })
	if n := len(o.mails("chris@example.com", "survey")); n != 1 {
		t.Fatalf("%d surveys within the cool-down", n)
	}
}

func TestAddressesLinksAndPasswords(t *testing.T) {
	o := newOffice(t)
	o.ticket("dora@example.com")
	dora := newReader(t, o.base)

	// Known and unknown addresses are answered alike; only a known one gets a mail.
	_, _, known := dora.form("/account/link", "email", "dora@example.com")
	_, _, unknown := dora.form("/account/link", "email", "nobody@example.com")
	if strings.ReplaceAll(known, "dora@", "x@") != strings.ReplaceAll(unknown, "nobody@", "x@") {
		t.Fatal("the page tells which addresses are known")
	}
	if n := len(o.mails("nobody@example.com", "signin_link")); n != 0 {
		t.Fatalf("%d mails to a stranger", n)
	}
	// The link makes an account without a password, and signs in once.
	link := o.path(o.mails("dora@example.com", "signin_link")[0], "/account/signin")
	if got, at, body := dora.form("/account/signin", "token", token(link)); got != 200 || at != "/tickets" || !strings.Contains(body, "Backup stands still") {
		t.Fatalf("%d %s", got, at)
	}
	if got, _, _ := newReader(t, o.base).form("/account/signin", "token", token(link)); got != 404 {
		t.Fatalf("the link worked twice: %d", got)
	}
	// Another address, proved by the one who asked for it and by nobody else.
	old := o.ticket("dora@work.example")
	dora.form("/account", "do", "add", "email", "dora@work.example")
	proof := token(o.path(o.mails("dora@work.example", "verify")[0], "/account/verify"))
	if got, _, _ := newReader(t, o.base).form("/account/verify", "token", proof); got != 403 {
		t.Fatalf("a stranger proved it: %d", got)
	}
	dora.form("/account/verify", "token", proof)
	if got, _, _ := dora.open(fmt.Sprintf("/tickets/%d", old)); got != 200 {
		t.Fatalf("the other address's ticket: %d", got)
	}
	if got, _, _ := dora.open(fmt.Sprintf("/tickets/%d", o.ticket("dora@work.example"))); got != 200 {
		t.Fatalf("a later ticket of the other address: %d", got)
	}
	// A forgotten password: the new one works, all other browsers are out.
	other := newReader(t, o.base)
	other.form("/account/reset", "email", "dora@example.com")
	reset := token(o.path(o.mails("dora@example.com", "reset")[0], "/account/reset"))
	if got, at, body := other.form("/account/reset", "token", reset, "password", "a new password"); got != 200 || at != "/tickets" {
		t.Fatalf("%d %s\n%s", got, at, body)
	}
	o.eventually("the old session to end", func() bool { _, at, _ := dora.open("/tickets"); return at == "/account/signin" })
	if got, said := ask(t, "POST", o.base+"/api/v1/session", `{"email":"dora@work.example","password":"a new password"}`); got != 200 {
		t.Fatalf("%d %s", got, said)
	}
}

func TestTheFormMakesOneTicketOfOneSending(t *testing.T) {
	o := newOffice(t)
	r := newReader(t, o.base)
	number := regexp.MustCompile(`Ticket (\d+) is open`)
	send := func(fields ...string) string {
		t.Helper()
		given := append([]string{"key", "5e0f4d2c-6a53-4d0c-8c87-0f6f1c2f7a10", "name", "Chris", "email", "chris@example.com", "subject", "It stands still", "priority", "low"}, fields...)
		status, at, body := r.form("/tickets/new", given...)
		found := number.FindStringSubmatch(body)
		if status != 200 || at != "/tickets/sent" || found == nil { // reload and back send nothing again
			t.Fatalf("%d %s\n%s", status, at, body)
		}
		if _, _, again := r.open("/tickets/sent"); again != body {
			t.Fatalf("a reload shows something else:\n%s", again)
		}
		return found[1]
	}
	first := send("description", "Since Monday.", "true", "My account has expired")
	if again := send("description", "Since Monday.", "true", "My account has expired"); again != first {
		t.Errorf("sent twice it is %s and %s", first, again)
	}
	if other := send("description", "Since Tuesday, I meant."); other == first {
		t.Error("what was changed before it was sent again is lost")
	}
	if _, said := ask(t, "GET", o.base+"/api/v1/tickets/"+first, "", "Cookie", o.admin); !strings.Contains(said, `"priority":"urgent"`) || !strings.Contains(said, "True for me: My account has expired.") {
		t.Errorf("the scenario is not Urgent: %s", said)
	}
	// What is wrong stands at its field, and nothing is lost.
	status, _, body := r.form("/tickets/new", "name", "Chris", "email", "chris", "subject", "It stands still", "description", "Words & <more>", "devices", "12")
	if status != 422 || !strings.Contains(body, `id="wrong-email"`) || !strings.Contains(body, `id="wrong-devices"`) || !strings.Contains(body, "Words &amp; &lt;more&gt;") {
		t.Errorf("%d\n%s", status, body)
	}
}
