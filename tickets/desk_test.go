package tickets

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"chatnow/internal/accounts"
	"chatnow/internal/cluster"
	"chatnow/internal/fault"
	"chatnow/internal/mail"
	"chatnow/internal/pgtest"
	"chatnow/internal/settings"
	"chatnow/internal/web"
	"chatnow/tickets/lifecycle"
)

// clock is the time in the test's hand.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time       { return time.Unix(0, c.at.Load()).UTC() }
func (c *clock) set(t time.Time)      { c.at.Store(t.UnixNano()) }
func (c *clock) pass(d time.Duration) { c.at.Add(int64(d)) }

var tuesday = time.Date(2026, 11, 24, 15, 0, 0, 0, time.UTC)

func newDesk(t testing.TB, db *sqlx.DB, c *clock) *Desk {
	t.Helper()
	quiet, bus := slog.New(slog.DiscardHandler), cluster.NewLocal()
	st, err := settings.Open(t.Context(), db, bus, c.now, quiet)
	if err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse("http://127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	srv := web.New(web.Config{BaseURL: base, Log: quiet, Now: c.now})
	outbox := mail.New(db, c.now)
	return NewDesk(db, st, outbox, accounts.New(db, srv, outbox, bus, c.now, quiet), bus, c.now, quiet)
}

// onTuesday gives a desk on a database of its own, on a Tuesday morning.
func onTuesday(t *testing.T) (*Desk, *sqlx.DB, *clock) {
	t.Helper()
	db, c := pgtest.New(t), &clock{}
	c.set(tuesday)
	return newDesk(t, db, c), db, c
}

var ines = lifecycle.Actor{Kind: "customer", Name: "Ines"}

func request(key string) New {
	return New{Subject: "Backup stops", RequesterName: "Ines", RequesterEmail: "ines@example.com", Origin: "web", By: ines, Key: key,
		Said: []Said{{By: ines, Body: "At 47 %.", Public: true}}}
}

func must(t *testing.T, d *Desk, by lifecycle.Actor, number int64, ch Change) Ticket {
	t.Helper()
	tk, err := d.Do(t.Context(), by, ch, `t.number = $1`, number)
	if err != nil {
		t.Fatal(err)
	}
	return tk
}

func mails(t *testing.T, db *sqlx.DB, number int64) string {
	t.Helper()
	var kinds []string
	if err := db.Select(&kinds, `SELECT kind FROM outbox WHERE ticket = $1 ORDER BY created_at, key`, number); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(kinds)
}

func TestAWholeLifeAndItsFollowUp(t *testing.T) {
	d, db, c := onTuesday(t)
	tk, err := d.Open(t.Context(), request("a"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := d.Open(t.Context(), request("a"))
	if err != nil || again.Number != tk.Number {
		t.Fatalf("the same key made %d and %d, %v", tk.Number, again.Number, err)
	}
	priya, err := d.people.AddStaff(t.Context(), "p@example.com", "Priya", accounts.Champion, "a long password")
	if err != nil {
		t.Fatal(err)
	}
	by := lifecycle.Actor{Kind: "champion", ID: priya.ID, Name: priya.Name}
	c.pass(time.Minute)
	tk = must(t, d, by, tk.Number, Change{Events: []lifecycle.Event{lifecycle.ChampionReplied{Status: lifecycle.Pending}}, Comment: &Said{By: by, Body: "Which version?", Public: true}})
	if tk.Status != lifecycle.Pending || tk.Assignee != priya.ID || tk.Version != 2 {
		t.Fatalf("%+v", tk.Ticket)
	}
	c.pass(96*time.Hour - time.Millisecond)
	fire(t, d)
	if got := read(t, d, tk.Number); got.Status != lifecycle.Pending {
		t.Fatalf("a millisecond early it is %s", got.Status)
	}
	c.pass(time.Millisecond)
	fire(t, d)
	fire(t, d) // a doubled alarm
	if got := read(t, d, tk.Number); got.Status != lifecycle.Solved || !got.ClosesAt.Equal(c.now().Add(48*time.Hour)) {
		t.Fatalf("%+v", got.Ticket)
	}
	c.pass(48 * time.Hour)
	fire(t, d)
	if got := mails(t, db, tk.Number); got != "[received pending solved survey]" {
		t.Fatalf("mails: %s", got)
	}
	reply := Change{Events: []lifecycle.Event{lifecycle.CustomerReplied{}}, Comment: &Said{By: ines, Body: "It is back.", Public: true}}
	follow := must(t, d, ines, tk.Number, reply)
	if follow.Number == tk.Number || follow.FollowUpOf != tk.Number || follow.Status != lifecycle.Open || follow.Assignee != priya.ID {
		t.Fatalf("%+v", follow)
	}
	if second := must(t, d, ines, tk.Number, reply); second.Number != follow.Number {
		t.Fatalf("a second reply made %d beside %d", second.Number, follow.Number)
	}
	if got := read(t, d, tk.Number); got.Status != lifecycle.Closed {
		t.Fatalf("closed is final, but it is %s", got.Status)
	}
	if got := mails(t, db, follow.Number); got != "[follow_up]" {
		t.Fatalf("mails of the follow-up: %s", got)
	}
}

func TestARatingIsShownOnceItStands(t *testing.T) {
	d, db, c := onTuesday(t)
	tk, err := d.Open(t.Context(), request(""))
	if err != nil {
		t.Fatal(err)
	}
	must(t, d, ines, tk.Number, Change{Events: []lifecycle.Event{lifecycle.CustomerSolved{}}})
	c.pass(48 * time.Hour)
	fire(t, d)
	var token string
	if err := db.Get(&token, `SELECT data->>'token' FROM outbox WHERE kind = 'survey'`); err != nil {
		t.Fatal(err)
	}
	seen := func() any {
		t.Helper()
		v, err := d.View(t.Context(), read(t, d, tk.Number), true)
		if err != nil {
			t.Fatal(err)
		}
		return v["survey"]
	}
	if _, err := d.AnswerSurvey(t.Context(), token, 2, "Slow"); err != nil {
		t.Fatal(err)
	}
	if got := seen(); got != nil {
		t.Errorf("shown while it can be changed: %v", got)
	}
	c.pass(changeable - time.Second)
	if _, err := d.AnswerSurvey(t.Context(), token, 4, "Slow, but kind"); err != nil {
		t.Fatal(err)
	}
	c.pass(time.Second)
	if _, err := d.AnswerSurvey(t.Context(), token, 5, ""); fault.Code(err) != "expired" {
		t.Errorf("changed after its date: %v", err)
	}
	if got, ok := seen().(Survey); !ok || *got.Rating != 4 || got.Comment != "Slow, but kind" {
		t.Errorf("%+v", got)
	}
}

func fire(t *testing.T, d *Desk) {
	t.Helper()
	if err := d.FireDue(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, d *Desk, number int64) Ticket {
	t.Helper()
	tk, err := get(t.Context(), d.db, false, `t.number = $1`, number)
	if err != nil {
		t.Fatal(err)
	}
	return tk
}

func TestStaleAndUnknown(t *testing.T) {
	d, _, _ := onTuesday(t)
	tk, err := d.Open(t.Context(), request(""))
	if err != nil {
		t.Fatal(err)
	}
	raise := Change{Version: 1, Events: []lifecycle.Event{lifecycle.PrioritySet{To: lifecycle.High}}}
	must(t, d, lifecycle.Actor{Kind: "champion", Name: "P"}, tk.Number, raise)
	raise.Events = []lifecycle.Event{lifecycle.PrioritySet{To: lifecycle.Low}}
	if _, err := d.Do(t.Context(), ines, raise, `t.number = $1`, tk.Number); fault.Code(err) != "stale" {
		t.Errorf("a stale version: %v", err)
	}
	if _, err := d.Do(t.Context(), ines, raise, `t.number = $1`, 999999); fault.KindOf(err) != fault.Missing {
		t.Errorf("an unknown ticket: %v", err)
	}
	bad := request("")
	bad.RequesterEmail, bad.Diagnostics = "nobody", Diagnostics{Devices: []string{"948688015614210048", "12"}}
	if _, err := d.Open(t.Context(), bad); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a bad request: %v", err)
	}
}

// Two nodes on one database: each ticket is closed once, and each mail is there once.
func TestFiveHundredDueInOneSecondOnTwoNodes(t *testing.T) {
	db, c := pgtest.New(t), &clock{}
	c.set(tuesday)
	desks := []*Desk{newDesk(t, db, c), newDesk(t, db, c)}
	if _, err := db.Exec(`INSERT INTO tickets (status, priority, level, subject, requester_name, requester_email, origin, version, created_at, updated_at, closes_at, wake_at)
		SELECT 'solved', 'normal', 1, 'x', 'Ines', 'ines' || n || '@example.com', 'web', 2, $1, $1, $1, $1 FROM generate_series(1, 500) n`, tuesday); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, d := range desks {
		wg.Go(func() {
			if err := d.FireDue(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var closed, history, surveys int
	if err := db.QueryRow(`SELECT (SELECT count(*) FROM tickets WHERE status = 'closed'), (SELECT count(*) FROM ticket_history WHERE to_value = 'closed'),
		(SELECT count(*) FROM outbox WHERE kind = 'survey')`).Scan(&closed, &history, &surveys); err != nil {
		t.Fatal(err)
	}
	if closed != 500 || history != 500 || surveys != 500 {
		t.Fatalf("%d closed, %d lines of history, %d mails", closed, history, surveys)
	}
}

func TestVersionsAreComparedAsVersions(t *testing.T) {
	order := []string{"1.2.beta", "1.2", "1.2.1", "9.0", "10.2.1", "10.10", "11.8.0"}
	for i := range order {
		for j := range order {
			if got := CompareVersions(order[i], order[j]); (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("%s and %s: %d", order[i], order[j], got)
			}
		}
	}
}
