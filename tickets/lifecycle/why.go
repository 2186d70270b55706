package lifecycle

import (
	"fmt"
	"time"
)

// Past is one line of a ticket's history, as explanations need it.
type Past struct {
	At             time.Time
	By             string // a name; empty for the system
	Event, To, Why string
}

// Why says for the state of a ticket and for each of its due instants why it is so, from the stored
// causes and the rules that started the wait (M59). when writes an instant.
func (r Rules) Why(t Ticket, history []Past, when func(time.Time) string) map[string]string {
	out := map[string]string{}
	last := func(event, to string) (p Past, found bool) {
		for _, h := range history {
			if h.Event == event && (to == "" || h.To == to) {
				p, found = h, true
			}
		}
		return p, found
	}
	by := func(p Past) string {
		if p.By == "" {
			return "by itself"
		}
		return "by " + p.By
	}
	if p, ok := last("status", string(t.Status)); ok {
		out["status"] = fmt.Sprintf("Since %s, %s. %s", when(p.At), by(p), p.Why)
	} else if p, ok := last("created", ""); ok {
		out["status"] = fmt.Sprintf("Since %s, when it came. Every new ticket is Open.", when(p.At))
	}
	if p, ok := last("priority", string(t.Priority)); ok {
		out["priority"] = fmt.Sprintf("Set on %s, %s. %s", when(p.At), by(p), p.Why)
	} else {
		out["priority"] = "As it came; a champion decides."
	}
	if !t.UpdateDueAt.IsZero() {
		since, what := t.CreatedAt, "the ticket came"
		if p, ok := last("status", string(Open)); ok && p.At.After(since) {
			since, what = p.At, "it was opened again"
		}
		if t.LastPublicAt.After(since) {
			since, what = t.LastPublicAt, "we last wrote to the customer"
		}
		promise := "by the end of the next business day"
		if within := r.Policy.UpdateWithin[t.Priority]; within > 0 {
			promise = fmt.Sprintf("within %s of business time", span(within))
		}
		out["update_due_at"] = fmt.Sprintf("A customer hears from us %s after %s, %s. Notes and answers of the customer do not move it, and a promise is never made later.", promise, when(since), what)
	}
	if !t.SolvesAt.IsZero() {
		out["solves_at"] = fmt.Sprintf("Pending since %s; without an answer it becomes Solved after %s%s.", when(t.PendingSince), span(r.Policy.PendingSolvesAfter), r.counted())
	}
	if !t.ClosesAt.IsZero() {
		out["closes_at"] = fmt.Sprintf("Solved tickets close after %s%s. An answer before opens it again; one after opens a follow-up.", span(r.Policy.SolvedClosesAfter), r.counted())
	}
	return out
}

func (r Rules) counted() string {
	switch r.Policy.Counting {
	case Business:
		return ", counted in business days"
	case ElapsedOpen:
		return ", but never while we are closed"
	}
	return ", by the clock"
}

// span writes a duration as people say it.
func span(d time.Duration) string {
	if d >= 24*time.Hour && d%(24*time.Hour) == 0 {
		if n := int(d / (24 * time.Hour)); n != 1 {
			return fmt.Sprintf("%d days", n)
		}
		return "one day"
	}
	return d.String()
}
