package lifecycle_test

import (
	"testing"
	"time"

	"chatnow/hours"
	"chatnow/tickets/lifecycle"
	"chatnow/tickets/lifecycle/lives"
)

// pure is the engine alone.
type pure struct {
	rules  lifecycle.Rules
	ticket lifecycle.Ticket
	mails  []string
}

func (w *pure) Create(p lifecycle.Priority, by lifecycle.Actor, now time.Time) error {
	w.ticket = lifecycle.Ticket{Number: 1001, Priority: p}
	return w.Do(lifecycle.Created{}, by, now)
}

func (w *pure) Do(ev lifecycle.Event, by lifecycle.Actor, now time.Time) error {
	next, effects, err := w.rules.Apply(w.ticket, ev, by, now)
	if err != nil {
		return err
	}
	w.ticket = next
	for _, e := range effects {
		if m, ok := e.(lifecycle.Mail); ok {
			w.mails = append(w.mails, m.Kind)
		}
	}
	return nil
}

func (w *pure) See() (lifecycle.Ticket, []string, error) {
	mails := w.mails
	w.mails = nil
	return w.ticket, mails, nil
}

func (w *pure) Policy(change func(*lifecycle.Policy)) error {
	change(&w.rules.Policy)
	return nil
}

func TestLives(t *testing.T) {
	lives.Play(t, "testdata", func(t *testing.T) lives.World {
		cal, err := hours.New(lives.Hours())
		if err != nil {
			t.Fatal(err)
		}
		return &pure{rules: lifecycle.Rules{Hours: cal, Policy: lives.Policy()}}
	})
}
