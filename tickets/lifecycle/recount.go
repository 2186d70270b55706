package lifecycle

import "time"

// Recount gives the waits of a ticket as they would be had they begun under these rules at since, for
// the preview of a change of settings: a change itself moves nothing that was promised.
func (r Rules) Recount(t Ticket, since time.Time) Ticket {
	switch t.Status {
	case Open:
		if t.LastPublicAt.After(since) {
			since = t.LastPublicAt
		}
		t.UpdateDueAt = r.promise(t.Priority, since)
	case Pending:
		t.SolvesAt = r.after(t.PendingSince, r.Policy.PendingSolvesAfter)
	case Solved:
		t.ClosesAt = r.after(since, r.Policy.SolvedClosesAfter)
	}
	return t
}
