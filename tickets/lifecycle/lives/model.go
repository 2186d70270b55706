package lives

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"chatnow/tickets/lifecycle"
)

// Line is one line of a ticket's history, as a life sees it.
type Line struct{ By, Event, From, To, Why string }

func (l Line) String() string {
	out := l.Event
	if l.From != "" && l.To != "" {
		out += " " + l.From + ">" + l.To
	}
	return out + " by " + l.By
}

// Seen is a ticket with all its mails and its history, in the order in which they were written.
type Seen struct {
	lifecycle.Ticket
	Mails []string
	Story []Line
}

// Model is a world without a database: the pure engine, and around it what the policy says of closed
// and of merged tickets, in as few words as possible.
type Model struct {
	Rules   lifecycle.Rules
	tickets []*modelled
}

type modelled struct {
	Seen
	followUpOf int64
	merge      *merge // the last one, while it can be undone
}

type merge struct {
	former lifecycle.Ticket
	due    time.Time // of the other one, before
	at     time.Time
}

const first = 1001 // the number of a life's first ticket

func (m *Model) of(number int64) *modelled { return m.tickets[number-first] }

// survivor follows merges.
func (m *Model) survivor(number int64) *modelled {
	for m.of(number).MergedInto != 0 {
		number = m.of(number).MergedInto
	}
	return m.of(number)
}

// Create begins a ticket.
func (m *Model) Create(p lifecycle.Priority, by lifecycle.Actor, now time.Time) (int64, error) {
	t := &modelled{Seen: Seen{Ticket: lifecycle.Ticket{Number: first + int64(len(m.tickets)), Priority: p}}}
	m.tickets = append(m.tickets, t)
	return t.Number, m.apply(t, lifecycle.Created{}, by, now)
}

func (m *Model) apply(t *modelled, ev lifecycle.Event, by lifecycle.Actor, now time.Time) error {
	next, effects, err := m.Rules.Apply(t.Ticket, ev, by, now)
	if errors.Is(err, lifecycle.ErrMoot) {
		return nil
	}
	if err != nil {
		return err
	}
	t.Ticket = next
	for _, e := range effects {
		switch e := e.(type) {
		case lifecycle.Mail:
			t.Mails = append(t.Mails, e.Kind)
		case lifecycle.History:
			t.Story = append(t.Story, Line{by.Kind, e.Event, e.From, e.To, e.Why})
		}
	}
	return nil
}

// Do lets something happen to a ticket. The number is of the ticket that heard it: a merged one passes
// it on, and a customer's reply to a closed one is heard by its follow-up.
func (m *Model) Do(number int64, ev lifecycle.Event, by lifecycle.Actor, now time.Time) (int64, error) {
	t := m.survivor(number)
	err := m.apply(t, ev, by, now)
	_, reply := ev.(lifecycle.CustomerReplied)
	_, asked := ev.(lifecycle.EscalationAsked)
	if !errors.Is(err, lifecycle.ErrClosed) || by.Kind != "customer" || !reply && !asked {
		return t.Number, err
	}
	followUp := m.followUp(t.Number)
	if followUp == nil {
		n, err := m.Create(t.Priority, by, now)
		if err != nil {
			return n, err
		}
		followUp = m.of(n)
		followUp.followUpOf, followUp.Assignee = t.Number, t.Assignee
		followUp.Mails[0] = "follow_up"
	} else if asked && followUp.Escalated {
		return followUp.Number, nil
	} else if err := m.apply(followUp, lifecycle.CustomerReplied{}, by, now); err != nil {
		return followUp.Number, err
	}
	if asked {
		return followUp.Number, m.apply(followUp, ev, by, now)
	}
	return followUp.Number, nil
}

// followUp finds the living end of a closed ticket's story.
func (m *Model) followUp(number int64) *modelled {
	story, found := map[int64]bool{number: true}, (*modelled)(nil)
	for grown := true; grown; {
		grown = false
		for _, t := range m.tickets {
			heir := story[t.followUpOf]
			for n := range story { // what one of them went into belongs to it, but not what the closed one itself did
				heir = heir || n != number && m.of(n).MergedInto == t.Number
			}
			if heir && !story[t.Number] {
				story[t.Number], grown = true, true
			}
		}
	}
	for _, t := range m.tickets {
		if found == nil && story[t.Number] && t.Number != number && t.Status != lifecycle.Closed {
			found = t
		}
	}
	return found
}

// Alarm fires what is due on all tickets, until nothing is.
func (m *Model) Alarm(now time.Time) error {
	for _, t := range m.tickets {
		for again := true; again; {
			before := t.Ticket
			if err := m.apply(t, lifecycle.Alarm{}, lifecycle.System, now); err != nil {
				return err
			}
			again = t.Ticket != before
		}
	}
	return nil
}

// Merge closes a ticket into another.
func (m *Model) Merge(number, into int64, why string, by lifecycle.Actor, now time.Time) error {
	loser, winner := m.of(number), m.of(into)
	if number == into || loser.Status == lifecycle.Closed || winner.Status == lifecycle.Closed {
		return lifecycle.ErrClosed
	}
	loser.merge = &merge{loser.Ticket, winner.UpdateDueAt, now}
	if due := loser.UpdateDueAt; winner.Status == lifecycle.Open && !due.IsZero() && due.Before(winner.UpdateDueAt) {
		winner.UpdateDueAt = due
	}
	winner.Story = append(winner.Story, Line{by.Kind, "took_in", "", fmt.Sprint(number), why})
	return m.apply(loser, lifecycle.Merged{Into: into, Why: why}, by, now)
}

// Unmerge undoes the last merge of a ticket within a day.
func (m *Model) Unmerge(number int64, why string, by lifecycle.Actor, now time.Time) error {
	t := m.of(number)
	if t.merge == nil || now.Sub(t.merge.at) > 24*time.Hour {
		return lifecycle.ErrStatus
	}
	winner, was := m.of(t.MergedInto), t.merge
	t.Ticket, t.merge = m.Rules.Unmerge(t.Ticket, was.former, now), nil
	if winner.Status == lifecycle.Open && was.former.UpdateDueAt.Equal(winner.UpdateDueAt) && was.due.After(now) {
		winner.UpdateDueAt = was.due
	}
	t.Story = append(t.Story, Line{by.Kind, "unmerged", "closed", string(t.Status), why})
	winner.Story = append(winner.Story, Line{by.Kind, "gave_back", "", fmt.Sprint(number), why})
	return nil
}

// See gives a ticket.
func (m *Model) See(number int64) (Seen, error) {
	if n := number - first; n < 0 || n >= int64(len(m.tickets)) {
		return Seen{}, fmt.Errorf("there is no ticket %d", number)
	}
	return m.of(number).Seen, nil
}

// Count is how many tickets there are.
func (m *Model) Count() int { return len(m.tickets) }

// Policy changes the rules for what comes.
func (m *Model) Policy(change func(*lifecycle.Policy)) error {
	change(&m.Rules.Policy)
	return nil
}

// Differ says in what two worlds differ over a ticket; empty where they agree. Versions are the desk's
// own matter: there a comment is a version, too.
func Differ(a, b Seen) string {
	show := func(s Seen) string {
		t := s.Ticket
		t.Version = 0
		for _, at := range []*time.Time{&t.CreatedAt, &t.UpdateDueAt, &t.SolvesAt, &t.ClosesAt, &t.RemindAt, &t.PendingSince, &t.LastPublicAt, &t.SurveyAt} {
			*at = at.UTC()
		}
		return fmt.Sprintf("%+v\nmails %v\n%s", t, s.Mails, strings.ReplaceAll(fmt.Sprintf("%+v", s.Story), "{", "\n{"))
	}
	if x, y := show(a), show(b); x != y {
		return x + "\nis not\n" + y
	}
	return ""
}
