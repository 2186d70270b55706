package lifecycle

import "time"

// Unmerge gives a merged ticket back what it was before. A wait that ran out meanwhile begins anew, in
// full: nothing fires at once because of an undo.
func (r Rules) Unmerge(t, former Ticket, now time.Time) Ticket {
	former.Version = t.Version
	if due(former.UpdateDueAt, now) {
		former.UpdateDueAt = r.promise(former.Priority, now)
	}
	switch {
	case due(former.SolvesAt, now):
		former.PendingSince, former.Reminded = now, 0
		former.SolvesAt = r.after(now, r.Policy.PendingSolvesAfter)
		former.RemindAt = r.nextReminder(former)
	case due(former.RemindAt, now): // what was missed is not said now; the next one is
		for former.Reminded < len(r.Policy.Reminders) && due(former.PendingSince.Add(r.Policy.Reminders[former.Reminded]), now) {
			former.Reminded++
		}
		former.RemindAt = r.nextReminder(former)
	}
	if due(former.ClosesAt, now) {
		former.ClosesAt = r.after(now, r.Policy.SolvedClosesAfter)
	}
	return former
}
