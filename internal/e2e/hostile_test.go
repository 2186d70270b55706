package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// What no column holds is refused by every door that an address or a form has, never with 500.
func TestWhatNoColumnHoldsIsRefused(t *testing.T) {
	o := newOffice(t)
	r := newReader(t, o.base)
	r.signUp(o, "chris@example.com")
	for _, bad := range []string{"%00", "%ff", "a%00b"} {
		for _, path := range []string{"/api/v1/tickets?status=" + bad, "/api/v1/tickets?cursor=" + bad, "/api/v1/tickets/" + bad, "/api/v1/outbox/" + bad, "/api/v1/uploads/" + bad,
			"/survey/" + bad, "/tickets/" + bad, "/account/verify?token=" + bad, "/account/signin?next=" + bad, "/" + bad} {
			if got, said := ask(t, http.MethodGet, o.base+path, "", "Cookie", o.admin); got < 400 || got >= 500 {
				t.Errorf("%s: %d %s", path, got, said)
			}
		}
	}
	for _, bad := range []string{"\x00", "\xff", "a\x00b"} {
		for path, fields := range map[string][]string{
			"/tickets/1001": {"body"}, "/tickets/new": {"name", "subject", "description", "devices", "timezone", "true", "logs", "key"}, "/survey/x": {"comment"},
			"/account": {"name", "email", "password"}, "/account/new": {"name", "email", "password"}, "/account/signin": {"email", "password", "token", "next"},
			"/account/verify": {"token"}, "/account/link": {"email"}, "/account/reset": {"email", "token", "password"}, "/setup": {"token", "name"},
		} {
			for _, field := range fields {
				if got, _, said := r.form(path, field, bad, "do", "name"); got < 400 || got >= 500 {
					t.Errorf("%s %s %q: %d %s", path, field, bad, got, said[:min(200, len(said))])
				}
			}
		}
	}
	if got, _, said := r.form("/tickets/new", "name", strings.Repeat("x", 300_000)); got >= 500 {
		t.Errorf("%d %s", got, said[:200])
	}
}
