// Package lifecycle is the whole life of a ticket as a pure function: state and
// event in, state and effects out. It reads no clock and no database, and knows
// nothing of where a ticket came from (M57).
//
// Due instants are computed once, at the transition that starts the wait, and
// stored. An Alarm only says "look again": early, late and doubled ones are
// harmless.
package lifecycle

import (
	"errors"
	"slices"
	"time"
)

// Status is one of the four that everybody sees.
type Status string

// The four statuses of the policy.
const (
	Open    Status = "open"
	Pending Status = "pending"
	Solved  Status = "solved"
	Closed  Status = "closed"
)

// Valid reports whether s is one of the four.
func (s Status) Valid() bool { return s == Open || s == Pending || s == Solved || s == Closed }

// Priority is how severe a ticket is (M25–M29).
type Priority string

// The four priorities of the policy.
const (
	Low    Priority = "low"
	Normal Priority = "normal"
	High   Priority = "high"
	Urgent Priority = "urgent"
)

var levels = []Priority{Low, Normal, High, Urgent}

// Level orders priorities: 0 is low, 3 is urgent, -1 is none.
func (p Priority) Level() int { return slices.Index(levels, p) }

// Valid reports whether p is one of the four.
func (p Priority) Valid() bool { return p.Level() >= 0 }

// Why a ticket was solved or closed.
const (
	ByChampion = "champion" // solved by an answer
	BySilence  = "silence"  // pending for too long (M36)
	ByCustomer = "customer" // "solved, thank you"
	ByTime     = "time"     // closed two days after solved (M32)
	ByMerge    = "merged"
)

// Ticket is what the engine needs to know of one.
type Ticket struct {
	Number    int64
	Status    Status
	Priority  Priority
	Assignee  string // id of a champion, or empty
	Version   int    // grows by one with every change
	CreatedAt time.Time

	UpdateDueAt  time.Time // promise: the next public update (M23); zero in Pending, Solved and Closed
	SolvesAt     time.Time // only while Pending (M36)
	ClosesAt     time.Time // only while Solved (M32)
	RemindAt     time.Time // only while Pending: the next reminder
	Reminded     int       // reminders sent since Pending began
	PendingSince time.Time
	LastPublicAt time.Time // last public update by a champion
	SolvedCause  string
	ClosedCause  string
	SurveyAt     time.Time // only while Closed and not yet asked (M38)
	MergedInto   int64
	Escalated    bool
}

// Wake is the next instant at which an Alarm will change something; zero for none.
func (t Ticket) Wake() time.Time {
	var next time.Time
	for _, at := range []time.Time{t.SolvesAt, t.ClosesAt, t.RemindAt, t.SurveyAt} {
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// Actor is who does something.
type Actor struct {
	Kind string // "customer", "champion" or "system"
	ID   string
	Name string
}

// System is the actor of timers.
var System = Actor{Kind: "system"}

// Event is something that happens to a ticket.
type Event interface{ event() }

// The events of a ticket's life.
type (
	// Created: the ticket came by whatever door.
	Created struct{}
	// CustomerReplied: the customer wrote, by whatever door (M33, M34).
	CustomerReplied struct{}
	// ChampionReplied: a public answer. Status is the outcome: Solved, Pending, or Open for an update
	// that is no answer (M30).
	ChampionReplied struct{ Status Status }
	// NoteAdded: an internal remark. It changes no status and keeps no promise.
	NoteAdded struct{}
	// MachineWrote: an automatic mail. It is recorded and changes nothing.
	MachineWrote struct{}
	// PrioritySet: a champion decides the priority (M25).
	PrioritySet struct {
		To  Priority
		Why string
	}
	// Assigned: To is a champion's id, or empty for nobody.
	Assigned struct{ To, Name, Why string }
	// StatusSet: a champion changes the status without writing to the customer.
	StatusSet struct {
		To  Status
		Why string
	}
	// DetailsChanged: subject or diagnostics were edited.
	DetailsChanged struct{ What string }
	// CustomerSolved: the customer says that it is solved.
	CustomerSolved struct{}
	// EscalationAsked: the customer wants a manager (M40).
	EscalationAsked struct{ Reason string }
	// EscalationOver: the manager has decided.
	EscalationOver struct{ Outcome string }
	// Merged: the ticket went into another.
	Merged struct {
		Into int64
		Why  string
	}
	// Alarm: look again.
	Alarm struct{}
)

func (Created) event()         {}
func (CustomerReplied) event() {}
func (ChampionReplied) event() {}
func (NoteAdded) event()       {}
func (MachineWrote) event()    {}
func (PrioritySet) event()     {}
func (Assigned) event()        {}
func (StatusSet) event()       {}
func (DetailsChanged) event()  {}
func (CustomerSolved) event()  {}
func (EscalationAsked) event() {}
func (EscalationOver) event()  {}
func (Merged) event()          {}
func (Alarm) event()           {}

// Effect is something that must be done because of an event, in the same transaction or from the outbox.
type Effect interface{ effect() }

// The effects.
type (
	// Mail goes to the requester. Kind is received, answered, pending, reminder, solved, follow_up,
	// survey or escalated.
	Mail struct{ Kind string }
	// History is a line of the ticket's story.
	History struct{ Event, From, To, Why string }
	// Alert goes to champions on duty (M26) or managers: "urgent" or "escalated".
	Alert struct{ Kind string }
)

func (Mail) effect()    {}
func (History) effect() {}
func (Alert) effect()   {}

// What can be wrong with an event.
var (
	// ErrClosed: a closed ticket stays closed. For CustomerReplied the desk opens a follow-up (M34).
	ErrClosed = errors.New("the ticket is closed")
	// ErrStatus: the policy's table has no such transition.
	ErrStatus = errors.New("a ticket cannot go there from its status")
	// ErrValue: the event names no priority or status that exists.
	ErrValue = errors.New("there is no such value")
	// ErrMoot: the ticket is already as the event would have it; nothing changes.
	ErrMoot = errors.New("nothing to change")
)
