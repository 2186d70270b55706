package chat

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// State is where a chat stands in its life.
type State string

// The four states of a chat.
const (
	Queued State = "queued" // the customer waits, and may write meanwhile
	Active State = "active" // a champion has it
	Ended  State = "ended"  // over; may still become a ticket
	Missed State = "missed" // nobody took it; what was typed becomes the draft of a ticket
)

// Reasons that a chat gives for its state.
const (
	ByCustomer   = "customer"    // ended by the customer
	ByChampion   = "champion"    // ended by the champion
	ByGone       = "gone"        // the customer did not come back within chat_resume_within
	ByClosing    = "closed"      // chat hours ended while waiting (M5)
	ByUnstaffed  = "unstaffed"   // nobody was on duty for unstaffed_missed_after
	ByVanished   = "vanished"    // waits again: the champion's connection was lost
	ByTransfer   = "transferred" // waits for, or was given to, another champion
	ByTicketForm = "ticket"      // the customer chose to write a ticket instead
)

// Party is a champion as a chat knows one.
type Party struct{ ID, Name string }

// Session is the part of a chat that its life changes. It is a value; Apply gives the next one.
type Session struct {
	State        State
	Reason       string
	Champion     Party
	OfferedTo    string    // champion who is being asked to take it
	OfferedUntil time.Time // when the next one is asked
	PassedBy     []string  // champions who let an offer lapse
	WaitingSince time.Time // place in the queue
	AcceptedAt   time.Time
	EndedAt      time.Time
}

// Event is something that happens to a session.
type Event interface{ event() }

// The events of a chat's life.
type (
	// Accepted: a champion takes a waiting chat.
	Accepted struct{ By Party }
	// Transferred: the champion who has it gives it to another; a manager may give or take any.
	Transferred struct {
		By, To  Party
		Manager bool
	}
	// Offered: the next champion is asked.
	Offered struct {
		To    string
		Until time.Time
	}
	// OfferLapsed: the one who was asked did not take it.
	OfferLapsed struct{}
	// EndedBy: one side ends it. Reason is ByCustomer, ByChampion or ByTicketForm.
	EndedBy struct {
		Reason string
		Who    Party // the champion, for ByChampion
	}
	// ChampionVanished: the champion's connection has been gone for champion_gone_after.
	ChampionVanished struct{}
	// CustomerVanished: the customer has been gone for chat_resume_within.
	CustomerVanished struct{}
	// Given up: nobody can take a waiting chat. Reason is ByClosing or ByUnstaffed.
	GivenUp struct{ Reason string }
)

func (Accepted) event()         {}
func (Transferred) event()      {}
func (Offered) event()          {}
func (OfferLapsed) event()      {}
func (EndedBy) event()          {}
func (ChampionVanished) event() {}
func (CustomerVanished) event() {}
func (GivenUp) event()          {}

// What can be wrong with an event.
var (
	ErrOver     = errors.New("the chat is over")
	ErrTaken    = errors.New("somebody else has the chat")
	ErrNotYours = errors.New("the chat is not yours")
	ErrMoot     = errors.New("nothing to do") // the reason for the event has passed; not a fault
)

// Apply is the whole life of a chat: the next session, and what the log says about it. It reads no
// clock and no database. The same event again answers ErrMoot where the state is already what it would make.
func (s Session) Apply(ev Event, now time.Time) (Session, []string, error) {
	over := s.State == Ended || s.State == Missed
	switch ev := ev.(type) {
	case Accepted:
		switch {
		case over:
			return s, nil, ErrOver
		case s.State == Active && s.Champion.ID == ev.By.ID:
			return s, nil, ErrMoot
		case s.State == Active:
			return s, nil, ErrTaken
		}
		s = s.given(ev.By, now)
		return s, []string{fmt.Sprintf("%s joined the chat.", ev.By.Name)}, nil

	case Transferred:
		switch {
		case over:
			return s, nil, ErrOver
		case s.State != Active || s.Champion.ID != ev.By.ID && !ev.Manager:
			return s, nil, ErrNotYours
		case ev.To.ID == s.Champion.ID:
			return s, nil, ErrMoot
		}
		s = s.given(ev.To, now)
		s.Reason = ByTransfer
		if ev.To.ID == ev.By.ID {
			return s, []string{fmt.Sprintf("%s joined the chat.", ev.By.Name)}, nil
		}
		return s, []string{fmt.Sprintf("%s handed the chat to %s.", ev.By.Name, ev.To.Name)}, nil

	case Offered:
		if s.State != Queued || s.OfferedTo == ev.To {
			return s, nil, ErrMoot
		}
		s.OfferedTo, s.OfferedUntil = ev.To, ev.Until
		return s, nil, nil

	case OfferLapsed:
		if s.State != Queued || s.OfferedTo == "" {
			return s, nil, ErrMoot
		}
		s.PassedBy = append(slices.Clone(s.PassedBy), s.OfferedTo)
		s.OfferedTo, s.OfferedUntil = "", time.Time{}
		return s, nil, nil

	case EndedBy:
		if over {
			return s, nil, ErrMoot
		}
		said := "The customer ended the chat."
		if ev.Reason == ByChampion {
			if s.State != Active || s.Champion.ID != ev.Who.ID {
				return s, nil, ErrNotYours
			}
			said = fmt.Sprintf("%s ended the chat.", ev.Who.Name)
		}
		if ev.Reason == ByTicketForm {
			said = "The customer writes a ticket instead."
		}
		return s.over(Ended, ev.Reason, now), []string{said}, nil

	case ChampionVanished:
		if s.State != Active {
			return s, nil, ErrMoot
		}
		said := fmt.Sprintf("%s lost the connection. You are first in line for the next Customer Champion.", s.Champion.Name)
		s.State, s.Reason = Queued, ByVanished
		s.Champion, s.AcceptedAt = Party{}, time.Time{}
		s.OfferedTo, s.OfferedUntil, s.PassedBy = "", time.Time{}, nil
		// WaitingSince stays: who has waited longest is at the front, and this customer came first.
		return s, []string{said}, nil

	case CustomerVanished:
		switch s.State {
		case Active:
			return s.over(Ended, ByGone, now), []string{"The customer did not come back."}, nil
		case Queued:
			return s.over(Missed, ByGone, now), []string{"The customer left before anybody could answer."}, nil
		}
		return s, nil, ErrMoot

	case GivenUp:
		if s.State != Queued {
			return s, nil, ErrMoot
		}
		said := "Chat has closed for today. What you wrote is kept for a ticket."
		if ev.Reason == ByUnstaffed {
			said = "No Customer Champion is here at the moment. What you wrote is kept for a ticket."
		}
		return s.over(Missed, ev.Reason, now), []string{said}, nil
	}
	return s, nil, fmt.Errorf("unknown event %T", ev)
}

func (s Session) given(to Party, now time.Time) Session {
	s.State, s.Reason, s.Champion = Active, "", to
	s.OfferedTo, s.OfferedUntil, s.PassedBy = "", time.Time{}, nil
	s.AcceptedAt = now
	return s
}

func (s Session) over(state State, reason string, now time.Time) Session {
	s.State, s.Reason, s.EndedAt = state, reason, now
	s.OfferedTo, s.OfferedUntil, s.PassedBy = "", time.Time{}, nil
	return s
}
