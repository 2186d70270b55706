package tickets

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"chatnow/hours"
	"chatnow/internal/accounts"
	"chatnow/internal/fault"
	"chatnow/internal/pgtest"
	"chatnow/internal/settings"
	"chatnow/tickets/lifecycle"
	"chatnow/tickets/lifecycle/lives"
)

// served is the desk with its database, its settings and its outbox. A twin without a database lives the
// same lives beside it, and after each line every ticket of the two is the same: status, instants, mails,
// history.
type served struct {
	t     testing.TB
	d     *Desk
	db    *sqlx.DB
	c     *clock
	priya *accounts.Person
	twin  *lives.Model
}

func newServed(t testing.TB, calendar hours.Config) *served {
	db, c := pgtest.New(t), &clock{}
	c.set(time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC))
	w := &served{t: t, d: newDesk(t, db, c), db: db, c: c}
	doc := w.d.settings.Current().Doc
	doc.Config = calendar
	doc.Policy.SurveyCooldown = 0
	if _, err := w.d.settings.Update(t.Context(), doc, settings.Who{Name: "test"}); err != nil {
		t.Fatal(err)
	}
	w.twin = &lives.Model{Rules: rules(w.d.settings.Current())}
	var id string // by hand: a life needs no password, and its hash takes longer than the life
	if err := db.Get(&id, `WITH one AS (INSERT INTO people (name, role) VALUES ('champion', 'champion') RETURNING id)
		INSERT INTO addresses (email, person_id) SELECT 'priya@example.com', id FROM one RETURNING person_id`); err != nil {
		t.Fatal(err)
	}
	w.priya = &accounts.Person{ID: id, Name: "champion", Role: accounts.Champion}
	return w
}

func (w *served) as(by lifecycle.Actor) lifecycle.Actor {
	if by.Kind == "champion" {
		by.ID = w.priya.ID
	}
	return by
}

// alike says where the two differ; otherwise it gives the desk's own error.
func (w *served) alike(own, twins error) error {
	for _, kind := range []error{lifecycle.ErrClosed, lifecycle.ErrStatus, lifecycle.ErrValue} {
		if errors.Is(own, kind) != errors.Is(twins, kind) {
			return fmt.Errorf("the desk says %w, the engine %w", own, twins)
		}
	}
	if (own == nil) != (twins == nil) {
		return fmt.Errorf("the desk says %w, the engine %w", own, twins)
	}
	var n int
	if err := w.db.Get(&n, `SELECT count(*) FROM tickets`); err != nil || n != w.twin.Count() {
		return fmt.Errorf("the desk has %d tickets, the engine %d, %w", n, w.twin.Count(), err)
	}
	for number := int64(1001); number < 1001+int64(n); number++ {
		have, err := w.See(number)
		if err != nil {
			return err
		}
		want, err := w.twin.See(number)
		if err != nil {
			return err
		}
		if differ := lives.Differ(have, want); differ != "" {
			return fmt.Errorf("ticket %d of the desk: %s", number, differ)
		}
	}
	return own
}

func (w *served) Create(p lifecycle.Priority, by lifecycle.Actor, now time.Time) (int64, error) {
	w.c.set(now)
	n := request("")
	n.Priority, n.By = p, by
	tk, err := w.d.Open(w.t.Context(), n)
	_, twins := w.twin.Create(p, by, now)
	return tk.Number, w.alike(err, twins)
}

func (w *served) Do(number int64, ev lifecycle.Event, by lifecycle.Actor, now time.Time) (int64, error) {
	w.c.set(now)
	by = w.as(by)
	heard, err := w.do(number, ev, by)
	twinHeard, twins := w.twin.Do(number, ev, by, now)
	if err := w.alike(err, twins); err != nil {
		return heard, err
	}
	if heard != twinHeard {
		return heard, fmt.Errorf("ticket %d heard it at the desk, %d in the engine", heard, twinHeard)
	}
	return heard, nil
}

func (w *served) do(number int64, ev lifecycle.Event, by lifecycle.Actor) (int64, error) {
	ctx := w.t.Context()
	switch ev := ev.(type) {
	case lifecycle.EscalationAsked:
		e, _, err := w.d.Escalate(ctx, by, Asked{Reason: ev.Reason}, `t.number = $1`, number)
		var active *fault.Error
		if errors.As(err, &active) && active.Code == "already_escalated" {
			first, _ := active.Extra["escalation"].(map[string]any)
			heard, _ := first["ticket"].(int64)
			return heard, nil
		}
		return e.Ticket, err
	case lifecycle.EscalationOver:
		number = w.survivor(number)
		list, err := escalationsOf(ctx, w.db, number)
		for _, e := range list {
			if err == nil && (e.State == "open" || e.State == "accepted") {
				_, err = w.d.Decide(ctx, w.priya, e.ID, Decision{Action: map[string]string{"done": "finish", "declined": "decline"}[ev.Outcome], Reason: "Looked at."})
				if tk, again := get(ctx, w.db, false, `t.number = $1`, number); err == nil && tk.Status == lifecycle.Closed { // decided, and the ticket stayed closed
					err = errors.Join(lifecycle.ErrClosed, again)
				}
				return number, err
			}
		}
		// None is active; what happens to a closed ticket is refused nevertheless.
	}
	ch := Change{Events: []lifecycle.Event{ev}}
	switch ev.(type) {
	case lifecycle.CustomerReplied, lifecycle.ChampionReplied:
		ch.Comment = &Said{By: by, Body: "Words.", Public: true}
	case lifecycle.NoteAdded:
		ch.Comment = &Said{By: by, Body: "A thought."}
	}
	tk, err := w.d.Do(ctx, by, ch, `t.number = $1`, number)
	if fault.Code(err) == "closed" && !errors.Is(err, lifecycle.ErrClosed) {
		w.t.Errorf("%v hides its cause", err)
	}
	return tk.Number, err
}

func (w *served) survivor(number int64) int64 {
	for {
		var into *int64
		if err := w.db.Get(&into, `SELECT merged_into FROM tickets WHERE number = $1`, number); err != nil {
			w.t.Fatal(err)
		}
		if into == nil {
			return number
		}
		number = *into
	}
}

func (w *served) Alarm(now time.Time) error {
	w.c.set(now)
	return w.alike(w.d.FireDue(w.t.Context()), w.twin.Alarm(now))
}

func (w *served) Merge(number, into int64, why string, by lifecycle.Actor, now time.Time) error {
	w.c.set(now)
	_, err := w.d.Merge(w.t.Context(), w.priya, number, into, why, 0, false)
	if err != nil && (fault.Code(err) == "closed" || fault.KindOf(err) == fault.Invalid) {
		err = errors.Join(err, lifecycle.ErrClosed)
	}
	return w.alike(err, w.twin.Merge(number, into, why, w.as(by), now))
}

func (w *served) Unmerge(number int64, why string, by lifecycle.Actor, now time.Time) error {
	w.c.set(now)
	_, err := w.d.Unmerge(w.t.Context(), w.priya, number, why)
	if code := fault.Code(err); code == "not_merged" || code == "too_late" {
		err = errors.Join(err, lifecycle.ErrStatus)
	}
	return w.alike(err, w.twin.Unmerge(number, why, w.as(by), now))
}

func (w *served) See(number int64) (lives.Seen, error) {
	tk, err := get(w.t.Context(), w.db, false, `t.number = $1`, number)
	if err != nil {
		return lives.Seen{}, err
	}
	seen := lives.Seen{Ticket: tk.Ticket}
	// Several mails of one instant stand in the order of the versions that caused them.
	if err := w.db.Select(&seen.Mails, `SELECT kind FROM outbox WHERE ticket = $1 ORDER BY queued_at, split_part(key, ':', 4)::int`, number); err != nil {
		return seen, err
	}
	history, err := historyOf(w.t.Context(), w.db, number)
	for _, h := range history {
		seen.Story = append(seen.Story, lives.Line{By: h.ActorKind, Event: h.Event, From: h.From, To: h.To, Why: h.Why})
	}
	return seen, err
}

func (w *served) Policy(change func(*lifecycle.Policy)) error {
	doc := w.d.settings.Current().Doc
	p := rules(w.d.settings.Current()).Policy
	change(&p)
	doc.Policy.Counting, doc.Policy.Reminders, doc.Policy.UpdateWithin = p.Counting, []settings.Duration{}, map[string]settings.Duration{}
	doc.Policy.SurveyAfter, doc.Policy.SurveySilent = settings.Duration(p.SurveyAfter), p.SurveySilent
	for _, d := range p.Reminders {
		doc.Policy.Reminders = append(doc.Policy.Reminders, settings.Duration(d))
	}
	for level, d := range p.UpdateWithin {
		doc.Policy.UpdateWithin[string(level)] = settings.Duration(d)
	}
	_, err := w.d.settings.Update(w.t.Context(), doc, settings.Who{Name: "test"})
	return errors.Join(err, w.twin.Policy(change))
}

// The lives of the pure engine, unchanged, on the real desk (M57).
func TestLivesOnTheDesk(t *testing.T) {
	lives.Play(t, "lifecycle/testdata", func(t *testing.T) lives.World { return newServed(t, lives.Hours()) })
}

// A quarter with holidays and clocks that go back and forward, against a table made by hand.
func TestAQuarterAtTheDesk(t *testing.T) {
	lives.Quarter(t, "lifecycle/testdata/quarter/table.txt", func(t *testing.T, c hours.Config) lives.World { return newServed(t, c) })
}
