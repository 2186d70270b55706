package lifecycle

import (
	"strings"
	"testing"
	"time"
)

func TestWhyItIsSo(t *testing.T) {
	r := rules(t, ElapsedOpen)
	when := func(at time.Time) string { return at.Format("2 Jan 15:04") }
	pending := in(t, r, Pending)
	why := r.Why(pending, []Past{{At: tuesday, Event: "created", To: "open"}, {At: tuesday, By: "Priya", Event: "status", To: "pending", Why: "The customer is asked for more."}}, when)
	for key, want := range map[string]string{
		"status":    "Since " + when(tuesday) + ", by Priya. The customer is asked for more.",
		"solves_at": "after 4 days, but never while we are closed",
		"priority":  "As it came",
	} {
		if !strings.Contains(why[key], want) {
			t.Errorf("%s: %q", key, why[key])
		}
	}
	if why["update_due_at"] != "" || why["closes_at"] != "" {
		t.Errorf("promises that there are not: %v", why)
	}
	open := in(t, r, Open)
	if why := r.Why(open, []Past{{At: tuesday, Event: "created", To: "open"}}, when); !strings.Contains(why["update_due_at"], "the ticket came") || !strings.Contains(why["status"], "when it came") {
		t.Errorf("%v", why)
	}
	r.Policy.UpdateWithin = map[Priority]time.Duration{Normal: 90 * time.Minute}
	open.LastPublicAt = tuesday.Add(time.Hour)
	if why := r.Why(open, nil, when); !strings.Contains(why["update_due_at"], "within 1h30m0s of business time after "+when(open.LastPublicAt)+", we last wrote") {
		t.Errorf("%v", why)
	}
}
