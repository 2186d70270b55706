package tickets

import (
	"errors"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"chatnow/internal/accounts"
	"chatnow/internal/fault"
	"chatnow/internal/pgtest"
	"chatnow/internal/settings"
	"chatnow/tickets/lifecycle"
	"chatnow/tickets/lifecycle/lives"
)

// served is the desk with its database, its settings and its outbox.
type served struct {
	t      *testing.T
	d      *Desk
	db     *sqlx.DB
	c      *clock
	priya  *accounts.Person
	number int64
	seen   int // mails
}

func newServed(t *testing.T) lives.World {
	db, c := pgtest.New(t), &clock{}
	c.set(time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC))
	w := &served{t: t, d: newDesk(t, db, c), db: db, c: c}
	doc := w.d.settings.Current().Doc
	doc.Config = lives.Hours()
	if _, err := w.d.settings.Update(t.Context(), doc, settings.Who{Name: "test"}); err != nil {
		t.Fatal(err)
	}
	var err error
	if w.priya, err = w.d.people.AddStaff(t.Context(), "priya@example.com", "champion", accounts.Champion, "a long password"); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *served) Create(p lifecycle.Priority, by lifecycle.Actor, now time.Time) error {
	w.c.set(now)
	n := request("")
	n.Priority, n.By = p, by
	tk, err := w.d.Open(w.t.Context(), n)
	w.number, w.seen = tk.Number, 0
	return err
}

func (w *served) Do(ev lifecycle.Event, by lifecycle.Actor, now time.Time) error {
	w.c.set(now)
	ctx := w.t.Context()
	if by.Kind == "champion" {
		by.ID = w.priya.ID
	}
	switch ev.(type) {
	case lifecycle.Alarm:
		return w.d.FireDue(ctx)
	case lifecycle.Merged:
		other, err := w.d.Open(ctx, request(""))
		if err != nil {
			return err
		}
		_, err = w.d.Merge(ctx, w.priya, w.number, other.Number, "", true)
		return err
	case lifecycle.EscalationAsked:
		_, _, err := w.d.Escalate(ctx, by, Asked{Reason: "It takes too long."}, `t.number = $1`, w.number)
		return err
	}
	ch := Change{Events: []lifecycle.Event{ev}}
	switch ev.(type) {
	case lifecycle.CustomerReplied, lifecycle.ChampionReplied:
		ch.Comment = &Said{By: by, Body: "Words.", Public: true}
	case lifecycle.NoteAdded:
		ch.Comment = &Said{By: by, Body: "A thought."}
	}
	tk, err := w.d.Do(ctx, by, ch, `t.number = $1`, w.number)
	if err == nil && tk.Number != w.number { // a follow-up: the closed one stayed as it was
		return lifecycle.ErrClosed
	}
	if fault.Code(err) == "closed" && !errors.Is(err, lifecycle.ErrClosed) {
		w.t.Errorf("%v hides its cause", err)
	}
	return err
}

func (w *served) See() (lifecycle.Ticket, []string, error) {
	tk, err := get(w.t.Context(), w.db, false, `t.number = $1`, w.number)
	if err != nil {
		return tk.Ticket, nil, err
	}
	var kinds []string
	// Several mails of one instant stand in the order in which they were written.
	err = w.db.Select(&kinds, `SELECT kind FROM outbox WHERE ticket = $1 ORDER BY queued_at, key`, w.number)
	fresh := kinds[min(w.seen, len(kinds)):]
	w.seen = len(kinds)
	return tk.Ticket, fresh, err
}

func (w *served) Policy(change func(*lifecycle.Policy)) error {
	doc := w.d.settings.Current().Doc
	p := rules(w.d.settings.Current()).Policy
	change(&p)
	doc.Policy.Counting, doc.Policy.Reminders = p.Counting, []settings.Duration{}
	for _, d := range p.Reminders {
		doc.Policy.Reminders = append(doc.Policy.Reminders, settings.Duration(d))
	}
	_, err := w.d.settings.Update(w.t.Context(), doc, settings.Who{Name: "test"})
	return err
}

// The lives of the pure engine, unchanged, on the real desk (M57).
func TestLivesOnTheDesk(t *testing.T) { lives.Play(t, "lifecycle/testdata", newServed) }
