// Package demo fills a fresh database with lively data: champions on duty, chats in
// every state, and a month of tickets that lived by the real engine.
package demo

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"chatnow/internal/accounts"
	"chatnow/internal/cluster"
	"chatnow/internal/mail"
	"chatnow/internal/settings"
	"chatnow/internal/workbench"
	"chatnow/tickets"
	"chatnow/tickets/lifecycle"
)

// Email and Password sign in as the demo's administrator.
const (
	Email    = "demo@example.com"
	Password = "demo-password"
)

// Fill writes the data as it would have come about until now. The same seed gives the same stories.
func Fill(ctx context.Context, db *sqlx.DB, now time.Time, log *slog.Logger) error {
	f := filler{db: db, now: now, at: now, random: rand.New(rand.NewPCG(7, 7))}
	clock := func() time.Time { return f.at }
	bus := cluster.NewLocal()
	st, err := settings.Open(ctx, db, bus, clock, log)
	if err != nil {
		return err
	}
	if err := f.openAlways(ctx, st); err != nil {
		return err
	}
	f.people = accounts.New(db, nil, nil, bus, clock, log)
	f.desk = tickets.NewDesk(db, st, mail.New(db, clock), f.people, bus, clock, log)
	for _, step := range []func(context.Context) error{f.makeStaff, f.makeTickets, f.makePast, f.makeChats, f.makeMacros} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("demo data: %w", err)
		}
	}
	return nil
}

type filler struct {
	db     *sqlx.DB
	now    time.Time
	at     time.Time // the clock in hand
	random *rand.Rand
	people *accounts.Service
	desk   *tickets.Desk
	staff  []*accounts.Person
}

// openAlways lets the demo be tried at any hour.
func (f *filler) openAlways(ctx context.Context, st *settings.Store) error {
	doc := st.Current().Doc
	for _, d := range []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} {
		doc.Hours[d] = [][2]string{{"00:00", "24:00"}}
	}
	doc.Policy.UnstaffedMissedAfter = settings.Duration(24 * time.Hour)
	doc.Policy.ChatResumeWithin = settings.Duration(24 * time.Hour)
	_, err := st.Update(ctx, doc, settings.Who{Name: "demo"})
	return err
}

func (f *filler) makeMacros(ctx context.Context) error {
	bench := workbench.New(f.db, func() time.Time { return f.at })
	for _, m := range [][2]string{
		{"Good morning", "Good morning, {{customer.first_name}}. I am {{champion.first_name}}; let me look at it with you."},
		{"Update first", "Hello {{customer.first_name}}, {{product.version}} mends this. The app updates by itself; “Check now” is under Settings."},
		{"Please send the logs", "Could you send the log archive of that computer, {{customer.first_name}}? In the app: Settings, Help, Save logs. Drop it here, or on ticket {{ticket.number}}."},
		{"Closing soon", "Chat closes at {{hours.closes}}. I make a ticket of this, so that nothing is lost, and we go on there."},
	} {
		if _, err := bench.AddMacro(ctx, m[0], m[1], f.staff[0].Name); err != nil {
			return err
		}
	}
	return nil
}

func (f *filler) makeStaff(ctx context.Context) error {
	for i, name := range []string{"Dana Admin", "Priya Raman", "Jonas Lindqvist", "Amara Nwosu"} {
		email, role := fmt.Sprintf("champion%d@example.com", i), accounts.Champion
		if i == 0 {
			email, role = Email, accounts.Admin
		}
		p, err := f.people.AddStaff(ctx, email, name, role, Password)
		if err != nil {
			return err
		}
		f.staff = append(f.staff, p)
		if _, err := f.db.ExecContext(ctx, `INSERT INTO presence (person_id, state, capacity, changed_at) VALUES ($1, 'online', 4, $2)`, p.ID, f.now); err != nil {
			return err
		}
		if _, err := f.db.ExecContext(ctx, `INSERT INTO presence_leases (person_id, node_id, expires_at) VALUES ($1, $2, $3)`, p.ID, uuid.NewString(), f.now.AddDate(0, 0, 1)); err != nil {
			return err
		}
	}
	return nil
}

var customers = []string{"Marguerite Oyelaran", "Tomasz Wójcik", "Ines Duarte", "Lin Xiaoming", "Sunniva Åsgård", "Obadiah Nakamura-Ferrari", "Bartholomew Featherstonehaugh", "Noor Haddad"}

var stories = []struct {
	subject, description string
	priority             lifecycle.Priority
}{
	{"Cannot restore the accounts folder", "The restore ends with “file not found” for every file of the folder.", lifecycle.Urgent},
	{"Backup stops at 47 %", "Since the weekend the backup of our office server does not get past 47 %.", lifecycle.High},
	{"Account has expired, renewal fails", "The renewal page says that the card was refused; the bank says it was not asked.", lifecycle.Urgent},
	{"App shows the wrong time of the last backup", "It is an hour off since the clocks changed.", lifecycle.Normal},
	{"How do I move to a new laptop?", "The old one still works. Is there a guide?", lifecycle.Low},
	{"Upload is slow in the evening", "About 2 Mbit/s after six, 40 in the morning.", lifecycle.Normal},
	{"“Destination unavailable” on two computers", "Both are in the same office; the third is fine.", lifecycle.High},
	{"A word is missing in the guide", "Step 4 of the restore guide names a button that is not there.", lifecycle.Low},
}

// makeTickets lets a month pass, and things happen to tickets in it.
func (f *filler) makeTickets(ctx context.Context) error {
	for day := 30; day >= 0; day-- {
		for range 1 + f.random.IntN(3) {
			story := stories[f.random.IntN(len(stories))]
			who := customers[f.random.IntN(len(customers))]
			f.at = f.now.AddDate(0, 0, -day).Add(-time.Duration(f.random.IntN(600)) * time.Minute)
			if f.at.After(f.now) {
				f.at = f.now
			}
			by := lifecycle.Actor{Kind: "customer", Name: who}
			t, err := f.desk.Open(ctx, tickets.New{Subject: story.subject, RequesterName: who, RequesterEmail: address(who), Priority: story.priority, Origin: "web", By: by,
				Said: []tickets.Said{{By: by, Body: story.description, Public: true}},
				Diagnostics: tickets.Diagnostics{Product: "CrashPlan for Small Business", OS: "Windows", OSVersion: "11", AppVersion: []string{"11.8.0", "11.7.2", "10.2.1"}[f.random.IntN(3)],
					Devices: []string{fmt.Sprintf("9486880156142%05d", f.random.IntN(100000))}}})
			if err != nil {
				return err
			}
			if err := f.live(ctx, t, day); err != nil {
				return err
			}
		}
		f.at = f.now.AddDate(0, 0, -day)
		if err := f.desk.FireDue(ctx); err != nil {
			return err
		}
	}
	f.at = f.now
	return f.desk.FireDue(ctx)
}

func address(name string) string {
	out := []rune{}
	for _, r := range name {
		if r < 128 && r != ' ' {
			out = append(out, r)
		}
	}
	return string(out) + "@example.com"
}

// live gives a ticket an answer or two; the newest are left for whoever tries the demo.
func (f *filler) live(ctx context.Context, t tickets.Ticket, day int) error {
	if day < 2 && f.random.IntN(3) > 0 {
		return nil
	}
	p := f.staff[1+f.random.IntN(len(f.staff)-1)]
	by := lifecycle.Actor{Kind: "champion", ID: p.ID, Name: p.Name}
	outcomes := []lifecycle.Status{lifecycle.Solved, lifecycle.Solved, lifecycle.Pending, lifecycle.Open}
	if day > 2 && f.random.IntN(8) > 0 { // promises are kept, but for a few
		outcomes = outcomes[:3]
	}
	outcome := outcomes[f.random.IntN(len(outcomes))]
	said := map[lifecycle.Status]string{lifecycle.Solved: "Version 11.8.0 mends this. It updates by itself; “Check now” is under Settings.",
		lifecycle.Pending: "Could you send the log archive of that computer?", lifecycle.Open: "We have found the cause and are working on it."}[outcome]
	f.at = f.at.Add(time.Duration(20+f.random.IntN(200)) * time.Minute)
	if f.at.After(f.now) {
		f.at = f.now
	}
	_, err := f.desk.Do(ctx, by, tickets.Change{Events: []lifecycle.Event{lifecycle.ChampionReplied{Status: outcome}},
		Comment: &tickets.Said{By: by, Body: said, Public: true}}, `t.number = $1`, t.Number)
	return err
}
