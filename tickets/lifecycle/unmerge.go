package lifecycle

import "time"

// Unmerge gives a merged ticket back what it was before. A wait that ran out meanwhile begins anew, in
// full: nothing fires at once because of an undo.
func (r Rules) Unmerge(t, former Ticket, now time.Time) Ticket {
	former.Version = t.Version
	if due(former.UpdateDueAt, now) {
		former.UpdateDueAt = r.promise(former.Priority, now)
	}
	if due(former.SolvesAt, now) {
		former.PendingSince = now
		former.SolvesAt = r.after(now, r.Policy.PendingSolvesAfter)
	}
	if due(former.ClosesAt, now) {
		former.ClosesAt = r.after(now, r.Policy.SolvedClosesAfter)
	}
	if due(former.RemindAt, now) {
		former.RemindAt = time.Time{}
	}
	return former
}
