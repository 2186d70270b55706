package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"chatnow/internal/app"
	"chatnow/internal/pgtest"
)

// One of the team comes by a mailed link, works, and is let go: his console, which only listens, ends on every node
// within five seconds, and no road leads back.
func TestOneOfTheTeamComesAndGoes(t *testing.T) {
	box, relay := openPostOffice(t)
	db := pgtest.URL(t)
	s := serve(t, db, func(cfg *app.Config) { cfg.SMTPURL = relay })
	other := serve(t, db) // another node
	addStaff(t, db, "ada@example.com", "Ada", "admin")
	o := &office{s, "http://" + s.cfg.Listen, cookieOf(t, s.cfg.Listen, "ada@example.com")}
	api := o.base + "/api/v1"
	admin := []string{"Cookie", o.admin}

	got, said := ask(t, "POST", api+"/team", `{"name":"Jonas","email":"jonas@example.com","role":"champion"}`, admin...)
	if got != http.StatusCreated || !strings.Contains(said, `"invited":true`) {
		t.Fatalf("invite: %d %s", got, said)
	}
	_, id, _ := strings.Cut(said, `"id":"`)
	id = id[:36]
	jonas := newReader(t, o.base)
	way := box.link(o, "invited", "/account/reset")
	if got, _, page := jonas.form("/account/reset", "token", token(way), "password", "Password123"); got != 422 || !strings.Contains(page, "among the first that anybody would try") {
		t.Fatalf("a password that everybody guesses: %d %s", got, page)
	}
	jonas.form("/account/reset", "token", token(way), "password", "a long password")
	if got, at, _ := jonas.open("/console"); got != 200 || at != "/console" {
		t.Fatalf("the console: %d at %s", got, at)
	}

	silent := dial(t, other.cfg.Listen, "/ws/console", cookieOf(t, other.cfg.Listen, "jonas@example.com"))
	silent.send(`{"type":"hello"}`)
	silent.until("welcome")
	if got, said := ask(t, "PATCH", api+"/team/"+id, `{"disabled":true}`, admin...); got != 200 {
		t.Fatalf("disable: %d %s", got, said)
	}
	ended := time.Now()
	if f := silent.until("bye"); f["reason"] != "expired" || time.Since(ended) > 5*time.Second {
		t.Fatalf("%v after %s", f, time.Since(ended))
	}
	if got, at, _ := jonas.open("/console"); at != "/account/signin" {
		t.Errorf("the console of one who is disabled: %d at %s", got, at)
	}
	body := `{"email":"jonas@example.com","password":"a long password"}`
	if got, said := ask(t, "POST", api+"/session", body); got != http.StatusUnauthorized {
		t.Errorf("signs in: %d %s", got, said)
	}
	if got, said := ask(t, "POST", api+"/team", `{"name":"Jonas","email":"jonas@example.com","role":"admin"}`, admin...); got != http.StatusConflict {
		t.Errorf("invited again though disabled: %d %s", got, said)
	}
	if got, said := ask(t, "PATCH", api+"/team/"+id, `{"disabled":false}`, admin...); got != 200 {
		t.Fatalf("enable: %d %s", got, said)
	}
	if got, said := ask(t, "POST", api+"/session", body); got != 200 {
		t.Errorf("does not sign in again: %d %s", got, said)
	}
	if got, said := ask(t, "GET", api+"/audit", "", admin...); got != 200 || strings.Count(said, `"change account"`) != 2 || !strings.Contains(said, `"person Jonas"`) {
		t.Errorf("the audit log: %d %s", got, said)
	}
}

// Two administrators who take each other's rights away at the same moment do not leave the house without one.
func TestSomebodyStaysAdministrator(t *testing.T) {
	db := pgtest.URL(t)
	s := serve(t, db)
	base := "http://" + s.cfg.Listen + "/api/v1"
	ids, cookies := map[string]string{}, map[string]string{}
	for _, name := range []string{"ada", "grace"} {
		addStaff(t, db, name+"@example.com", name, "admin")
		cookies[name] = cookieOf(t, s.cfg.Listen, name+"@example.com")
		_, said := ask(t, "GET", base+"/me", "", "Cookie", cookies[name])
		_, id, _ := strings.Cut(said, `"id":"`)
		ids[name] = id[:36]
	}
	done := make(chan int, 2)
	for who, whom := range map[string]string{"ada": "grace", "grace": "ada"} {
		go func() {
			got, _ := ask(t, "PATCH", base+"/team/"+ids[whom], `{"role":"champion"}`, "Cookie", cookies[who])
			done <- got
		}()
	}
	one, two := <-done, <-done
	if one+two == 400 { // both went through
		t.Fatalf("both were let go: %d, %d", one, two)
	}
	left := 0
	for _, name := range []string{"ada", "grace"} {
		if got, _ := ask(t, "GET", base+"/team", "", "Cookie", cookieOf(t, s.cfg.Listen, name+"@example.com")); got == 200 {
			left++
		}
	}
	if left != 1 {
		t.Errorf("%d administrators are left", left)
	}
}
