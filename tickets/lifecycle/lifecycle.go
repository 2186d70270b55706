package lifecycle

import (
	"fmt"
	"strings"
	"time"
)

// Calendar is what the engine asks of business hours; package hours answers it.
type Calendar interface {
	Open(t time.Time) bool
	Add(t time.Time, d time.Duration) (time.Time, bool)
	EndOfNextBusinessDay(t time.Time) (time.Time, bool)
	EndOfBusinessDay(t time.Time) (time.Time, bool)
}

// Ways of counting a waiting time.
const (
	Elapsed     = "elapsed"      // by the clock on the wall, as the policy reads
	Business    = "business"     // a day is a business day's open time
	ElapsedOpen = "elapsed_open" // by the clock, but never while shut: it slides to the end of the next open day
)

// Policy is the waiting times in force. Changing it affects later transitions only.
type Policy struct {
	SolvedClosesAfter  time.Duration
	PendingSolvesAfter time.Duration
	Counting           string
	UpdateWithin       map[Priority]time.Duration // business time; 0: the end of the next business day
	Reminders          []time.Duration            // since Pending began, growing
	SurveyAfter        time.Duration
	SurveySilent       bool // ask also after a ticket that silence solved
}

// Rules is a policy with the calendar it counts by.
type Rules struct {
	Policy Policy
	Hours  Calendar
}

// businessDay is what one day of a waiting time is worth when business time is counted: nine hours,
// the policy's 8:00 to 17:00.
const businessDay = 9 * time.Hour

// Apply is the whole life of a ticket. Same arguments, same answer. On an error the ticket is as before.
func (r Rules) Apply(t Ticket, ev Event, by Actor, now time.Time) (Ticket, []Effect, error) {
	before := t
	next, effects, err := r.apply(t, ev, by, now)
	if err != nil {
		return before, nil, err
	}
	if next != before {
		next.Version = before.Version + 1
	}
	return next, effects, nil
}

func (r Rules) apply(t Ticket, ev Event, by Actor, now time.Time) (Ticket, []Effect, error) {
	if t.Status == Closed {
		return r.whileClosed(t, ev, now)
	}
	switch ev := ev.(type) {
	case Created:
		return r.created(t, now)
	case CustomerReplied:
		return r.customerReplied(t, now)
	case ChampionReplied:
		return r.championReplied(t, ev, by, now)
	case NoteAdded, MachineWrote:
		return t, nil, nil
	case PrioritySet:
		return r.prioritySet(t, ev, now)
	case Assigned:
		if ev.To == t.Assignee {
			return t, nil, ErrMoot
		}
		t.Assignee = ev.To
		return t, []Effect{History{Event: "assigned", To: ev.Name, Why: ev.Why}}, nil
	case StatusSet:
		return r.statusSet(t, ev, by, now)
	case DetailsChanged:
		return t, []Effect{History{Event: "details", To: ev.What}}, nil
	case CustomerSolved:
		if t.Status == Solved {
			return t, nil, ErrMoot
		}
		return r.solve(t, ByCustomer, "The customer says that it is solved.", now)
	case EscalationAsked:
		if t.Escalated {
			return t, nil, ErrMoot
		}
		t.Escalated = true
		return t, []Effect{History{Event: "escalated", Why: ev.Reason}, Mail{"escalated"}, Alert{"escalated"}}, nil
	case EscalationOver:
		if !t.Escalated {
			return t, nil, ErrMoot
		}
		t.Escalated = false
		return t, []Effect{History{Event: "escalation_over", To: ev.Outcome}}, nil
	case Merged:
		from := t.Status
		t = stopWaits(t)
		t.Status, t.ClosedCause, t.MergedInto = Closed, ByMerge, ev.Into
		return t, []Effect{History{Event: "merged", From: string(from), To: string(Closed), Why: strings.TrimSpace(fmt.Sprintf("Merged into ticket %d. %s", ev.Into, ev.Why))}}, nil
	case Alarm:
		return r.alarm(t, now)
	}
	return t, nil, fmt.Errorf("ticket %d: unknown event %T", t.Number, ev)
}

// whileClosed: closed is final. Only the survey is still to be asked; everything else is ErrClosed, and
// for a customer's reply the desk makes a follow-up.
func (r Rules) whileClosed(t Ticket, ev Event, now time.Time) (Ticket, []Effect, error) {
	switch ev.(type) {
	case Alarm:
		if due(t.SurveyAt, now) {
			t.SurveyAt = time.Time{}
			return t, []Effect{Mail{"survey"}, History{Event: "survey"}}, nil
		}
		return t, nil, nil
	case MachineWrote, NoteAdded:
		return t, nil, nil
	}
	return t, nil, ErrClosed
}

func (r Rules) created(t Ticket, now time.Time) (Ticket, []Effect, error) {
	if t.Status != "" {
		return t, nil, ErrMoot
	}
	if t.Priority == "" {
		t.Priority = Normal // M28: default for unmarked requests
	}
	if !t.Priority.Valid() {
		return t, nil, ErrValue
	}
	t.Status, t.CreatedAt = Open, now
	t.UpdateDueAt = r.promise(t.Priority, now)
	effects := []Effect{History{Event: "created", To: string(Open)}, Mail{"received"}}
	if t.Priority == Urgent {
		effects = append(effects, Alert{"urgent"})
	}
	return t, effects, nil
}

// customerReplied opens what waited for the customer. It moves no promise that runs already (M23).
func (r Rules) customerReplied(t Ticket, now time.Time) (Ticket, []Effect, error) {
	if t.Status == Open {
		return t, nil, nil
	}
	from := t.Status
	t = r.reopen(t, now)
	return t, []Effect{History{Event: "status", From: string(from), To: string(Open), Why: "The customer answered."}}, nil
}

func (r Rules) reopen(t Ticket, now time.Time) Ticket {
	t = stopWaits(t)
	t.Status, t.SolvedCause = Open, ""
	t.UpdateDueAt = r.promise(t.Priority, now)
	return t
}

// championReplied is a public update: it keeps the promise and begins the next one.
func (r Rules) championReplied(t Ticket, ev ChampionReplied, by Actor, now time.Time) (Ticket, []Effect, error) {
	t.LastPublicAt = now
	var effects []Effect
	if t.Assignee == "" && by.Kind == "champion" { // who answers first owns it
		t.Assignee = by.ID
		effects = append(effects, History{Event: "assigned", To: by.Name, Why: "Answered first."})
	}
	var more []Effect
	var err error
	switch ev.Status {
	case Solved:
		t, more, err = r.solve(t, ByChampion, "A solution was given.", now)
	case Pending:
		t, more, err = r.ask(t, "The customer is asked for more.", now)
	case Open, "":
		from := t.Status
		t = r.reopen(t, now)
		if from != Open {
			more = append(more, History{Event: "status", From: string(from), To: string(Open)})
		}
		more = append(more, Mail{"answered"})
	default:
		return t, nil, ErrStatus
	}
	return t, append(effects, more...), err
}

// solve begins the two days to Closed and tells the customer (M31, M32, M37). Solving again begins them anew.
func (r Rules) solve(t Ticket, cause, why string, now time.Time) (Ticket, []Effect, error) {
	from := t.Status
	t = stopWaits(t)
	t.Status, t.SolvedCause = Solved, cause
	t.ClosesAt = r.after(now, r.Policy.SolvedClosesAfter)
	return t, []Effect{History{Event: "status", From: string(from), To: string(Solved), Why: why}, Mail{"solved"}}, nil
}

// ask begins the four days to Solved (M35, M36).
func (r Rules) ask(t Ticket, why string, now time.Time) (Ticket, []Effect, error) {
	from := t.Status
	t = stopWaits(t)
	t.Status, t.SolvedCause, t.PendingSince = Pending, "", now
	t.SolvesAt = r.after(now, r.Policy.PendingSolvesAfter)
	t.RemindAt = r.nextReminder(t)
	return t, []Effect{History{Event: "status", From: string(from), To: string(Pending), Why: why}, Mail{"pending"}}, nil
}

// nextReminder is the first reminder not yet sent that comes before the ticket solves itself.
func (r Rules) nextReminder(t Ticket) time.Time {
	if t.Reminded < len(r.Policy.Reminders) {
		if at := t.PendingSince.Add(r.Policy.Reminders[t.Reminded]); at.Before(t.SolvesAt) {
			return at
		}
	}
	return time.Time{}
}

// prioritySet never makes a promise later than what was promised (M24).
func (r Rules) prioritySet(t Ticket, ev PrioritySet, now time.Time) (Ticket, []Effect, error) {
	if !ev.To.Valid() {
		return t, nil, ErrValue
	}
	if ev.To == t.Priority {
		return t, nil, ErrMoot
	}
	effects := []Effect{History{Event: "priority", From: string(t.Priority), To: string(ev.To), Why: ev.Why}}
	if ev.To == Urgent {
		effects = append(effects, Alert{"urgent"})
	}
	t.Priority = ev.To
	if t.Status == Open {
		since := t.CreatedAt
		if t.LastPublicAt.After(since) {
			since = t.LastPublicAt
		}
		sooner := r.promise(ev.To, since)
		if sooner.Before(now) { // raised late: the faster promise begins now
			sooner = r.promise(ev.To, now)
		}
		if t.UpdateDueAt.IsZero() || (!sooner.IsZero() && sooner.Before(t.UpdateDueAt)) {
			t.UpdateDueAt = sooner
		}
	}
	return t, effects, nil
}

// EscalationClosed is why an escalation ends with its ticket.
const EscalationClosed = "The ticket was closed."

// statusSet follows the policy's table: nobody closes by hand, and nothing leaves Closed.
func (r Rules) statusSet(t Ticket, ev StatusSet, by Actor, now time.Time) (Ticket, []Effect, error) {
	if !ev.To.Valid() {
		return t, nil, ErrValue
	}
	if ev.To == t.Status {
		return t, nil, ErrMoot
	}
	switch ev.To {
	case Open:
		from := t.Status
		t = r.reopen(t, now)
		return t, []Effect{History{Event: "status", From: string(from), To: string(Open), Why: ev.Why}}, nil
	case Solved:
		var effects []Effect
		if t.Assignee == "" && by.Kind == "champion" { // M31: who solves, owns
			t.Assignee = by.ID
			effects = append(effects, History{Event: "assigned", To: by.Name, Why: "Solved it."})
		}
		t, more, err := r.solve(t, ByChampion, ev.Why, now)
		return t, append(effects, more...), err
	case Pending:
		if t.Status == Solved {
			return t, nil, ErrStatus
		}
		return r.ask(t, ev.Why, now)
	}
	return t, nil, ErrStatus
}

// alarm does what has fallen due, one step: what a step starts is waited for in full, so that a
// customer always has two days after the mail, even when the program was down (M36).
func (r Rules) alarm(t Ticket, now time.Time) (Ticket, []Effect, error) {
	switch {
	case t.Status == Pending && due(t.SolvesAt, now):
		return r.solve(t, BySilence, "No answer came.", now)
	case t.Status == Pending && due(t.RemindAt, now):
		for t.Reminded < len(r.Policy.Reminders) && due(t.PendingSince.Add(r.Policy.Reminders[t.Reminded]), now) {
			t.Reminded++ // several missed ones are one mail
		}
		t.RemindAt = r.nextReminder(t)
		return t, []Effect{Mail{"reminder"}, History{Event: "reminded"}}, nil
	case t.Status == Solved && due(t.ClosesAt, now):
		t = stopWaits(t)
		t.Status, t.ClosedCause = Closed, ByTime
		if t.SolvedCause != BySilence || r.Policy.SurveySilent {
			t.SurveyAt = now.Add(r.Policy.SurveyAfter)
		}
		effects := []Effect{History{Event: "status", From: string(Solved), To: string(Closed), Why: "No answer came after Solved."}}
		if t.Escalated { // nobody waits for a manager any more; a reply opens a follow-up, which can be escalated again
			t.Escalated = false
			effects = append(effects, History{Event: "escalation_over", To: "done", Why: EscalationClosed})
		}
		if due(t.SurveyAt, now) { // M38: after Closed, not after Solved
			t.SurveyAt = time.Time{}
			effects = append(effects, Mail{"survey"}, History{Event: "survey"})
		}
		return t, effects, nil
	}
	return t, nil, nil
}

// stopWaits ends every wait and every promise; the caller begins the next.
func stopWaits(t Ticket) Ticket {
	t.UpdateDueAt, t.SolvesAt, t.ClosesAt, t.RemindAt, t.PendingSince = time.Time{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}
	t.Reminded = 0
	return t
}

func due(at, now time.Time) bool { return !at.IsZero() && !at.After(now) }

// promise is when the next public update is due (M23, M24).
func (r Rules) promise(p Priority, from time.Time) time.Time {
	if within := r.Policy.UpdateWithin[p]; within > 0 {
		if at, ok := r.Hours.Add(from, within); ok {
			return at
		}
	}
	at, ok := r.Hours.EndOfNextBusinessDay(from)
	if !ok { // a calendar without openings promises nothing
		return time.Time{}
	}
	return at
}

// after counts a waiting time in the way the policy says (requirements 1.B).
func (r Rules) after(from time.Time, d time.Duration) time.Time {
	at := from.Add(d)
	switch r.Policy.Counting {
	case Business:
		open := time.Duration(float64(d) / float64(24*time.Hour) * float64(businessDay))
		if end, ok := r.Hours.Add(from, open); ok {
			return end
		}
	case ElapsedOpen:
		if !r.Hours.Open(at) {
			if end, ok := r.Hours.EndOfBusinessDay(at); ok {
				return end
			}
		}
	}
	return at
}

// Order compares two tickets as a champion should take them: broken promises first, then priority,
// then the next promise, then age (M22). A low one whose promise is broken comes before an urgent one
// that is in time, so nothing starves. Negative: a first.
func Order(a, b Ticket, now time.Time) int {
	key := func(t Ticket) (late, level int) {
		if due(t.UpdateDueAt, now) {
			late = -1
		}
		level = -2 * t.Priority.Level()
		if t.Escalated { // an escalated one outranks its equals
			level--
		}
		return late, level
	}
	lateA, levelA := key(a)
	lateB, levelB := key(b)
	switch {
	case lateA != lateB:
		return lateA - lateB
	case levelA != levelB:
		return levelA - levelB
	case !a.UpdateDueAt.Equal(b.UpdateDueAt):
		if a.UpdateDueAt.IsZero() || (!b.UpdateDueAt.IsZero() && b.UpdateDueAt.Before(a.UpdateDueAt)) {
			return 1
		}
		return -1
	}
	return a.CreatedAt.Compare(b.CreatedAt)
}
