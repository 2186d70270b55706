package tickets

import (
	"testing"
	"time"

	"chatnow/tickets/lifecycle"
)

// Nobody decides: the ticket is solved, and closes by itself. The escalation is over then, and says why; nobody reads
// "in review" on a closed ticket.
func TestAnEscalationEndsWithItsTicket(t *testing.T) {
	d, db, c := onTuesday(t)
	ctx := t.Context()
	made, err := d.Open(ctx, request("one"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Escalate(ctx, ines, Asked{Reason: "Nobody calls", Priority: lifecycle.Urgent}, `t.number = $1`, made.Number); err != nil {
		t.Fatal(err)
	}
	priya := lifecycle.Actor{Kind: "champion", Name: "Priya"}
	if _, err := d.Do(ctx, priya, Change{Events: []lifecycle.Event{lifecycle.ChampionReplied{Status: lifecycle.Solved}},
		Comment: &Said{By: priya, Body: "Update.", Public: true}}, `t.number = $1`, made.Number); err != nil {
		t.Fatal(err)
	}
	state := func() (s struct {
		State     string `db:"state"`
		Why       string `db:"why"`
		Escalated bool   `db:"escalated"`
		Status    string `db:"status"`
	}) {
		t.Helper()
		if err := db.GetContext(ctx, &s, `SELECT e.state, e.why, t.escalated, t.status FROM escalations e JOIN tickets t ON t.number = e.ticket WHERE t.number = $1`, made.Number); err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := state(); s.State != "open" || !s.Escalated || s.Status != "solved" {
		t.Fatalf("solved is not over: %+v", s)
	}
	c.set(tuesday.Add(72 * time.Hour))
	if err := d.FireDue(ctx); err != nil {
		t.Fatal(err)
	}
	if s := state(); s.State != "done" || s.Escalated || s.Status != "closed" || s.Why != "The ticket was closed." {
		t.Errorf("%+v", s)
	}
	var history int
	if err := db.GetContext(ctx, &history, `SELECT count(*) FROM ticket_history WHERE ticket = $1 AND event = 'escalation_over'`, made.Number); err != nil || history != 1 {
		t.Errorf("%d lines of history, %v", history, err)
	}
}
