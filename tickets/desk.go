package tickets

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"chatnow/internal/accounts"
	"chatnow/internal/cluster"
	"chatnow/internal/fault"
	"chatnow/internal/files"
	"chatnow/internal/mail"
	"chatnow/internal/postgres"
	"chatnow/internal/settings"
	"chatnow/internal/text"
	"chatnow/tickets/lifecycle"
)

// Desk is the one door to tickets: it locks the row, lets the engine decide, and keeps the new state,
// what was said, the history and the effects together or not at all.
type Desk struct {
	Files *files.Service // nil: no files are taken

	db       *sqlx.DB
	settings *settings.Store
	outbox   *mail.Outbox
	people   *accounts.Service
	bus      cluster.Bus
	now      func() time.Time
	log      *slog.Logger
}

// NewDesk makes the desk.
func NewDesk(db *sqlx.DB, s *settings.Store, o *mail.Outbox, p *accounts.Service, bus cluster.Bus, now func() time.Time, log *slog.Logger) *Desk {
	return &Desk{db: db, settings: s, outbox: o, people: p, bus: bus, now: now, log: log}
}

// rules are the engine's, from the settings as they are committed.
func rules(s *settings.Snapshot) lifecycle.Rules {
	p := s.Policy
	within := map[lifecycle.Priority]time.Duration{}
	for level, d := range p.UpdateWithin {
		within[lifecycle.Priority(level)] = d.D()
	}
	var reminders []time.Duration
	for _, d := range p.Reminders {
		reminders = append(reminders, d.D())
	}
	return lifecycle.Rules{Hours: s.Calendar, Policy: lifecycle.Policy{
		SolvedClosesAfter: p.SolvedClosesAfter.D(), PendingSolvesAfter: p.PendingSolvesAfter.D(), Counting: p.Counting,
		UpdateWithin: within, Reminders: reminders, SurveyAfter: p.SurveyAfter.D(), SurveySilent: p.SurveySilent,
	}}
}

// Said is one comment that comes with a new ticket.
type Said struct {
	By     lifecycle.Actor
	Body   string
	Public bool
	At     time.Time
	Files  []string // ids of uploads that come with it
}

// New is a request for a ticket, by whatever door.
type New struct {
	Subject        string
	RequesterID    string
	RequesterName  string
	RequesterEmail string
	RequesterZone  string // IANA name, or empty where it is not known
	Priority       lifecycle.Priority
	Origin         string
	Diagnostics    Diagnostics
	Assignee       string
	Chat           string
	FollowUpOf     int64
	Said           []Said // the first is the description or the transcript
	By             lifecycle.Actor
	Key            string // repeats find the first ticket by it
}

// check cleans what was given and says what is wrong with it.
func (n *New) check(doc *settings.Doc) error {
	if _, err := time.LoadLocation(n.RequesterZone); err != nil || n.RequesterZone == "Local" || len(n.RequesterZone) > 60 {
		n.RequesterZone = "" // a browser's word; without it the company's zone is used
	}
	var wrong []fault.Field
	var known *fault.Error
	take := func(err error) {
		if errors.As(err, &known) {
			wrong = append(wrong, known.Fields...)
		}
	}
	var err error
	n.RequesterEmail, err = accounts.Email("email", n.RequesterEmail)
	take(err)
	n.RequesterName, err = accounts.Name("name", n.RequesterName)
	take(err)
	n.Subject = text.Line(n.Subject)
	if n.Subject == "" || len(n.Subject) > 2*maxLine {
		wrong = append(wrong, fault.Field{Field: "subject", Detail: "A line that says what is wrong, up to 600 bytes."})
	}
	if n.Priority == "" {
		n.Priority = lifecycle.Normal
	}
	if !n.Priority.Valid() {
		wrong = append(wrong, fault.Field{Field: "priority", Detail: "urgent, high, normal or low."})
	}
	if n.Chat == "" && (len(n.Said) == 0 || strings.TrimSpace(n.Said[0].Body) == "") {
		wrong = append(wrong, fault.Field{Field: "description", Detail: "Say what happened, what you expected, and since when."})
	}
	for _, s := range n.Said {
		if n.Chat == "" && len(s.Body) > maxText {
			wrong = append(wrong, fault.Field{Field: "description", Detail: fmt.Sprintf("Up to %d bytes.", maxText)})
		}
	}
	wrong = append(wrong, n.Diagnostics.check(doc)...)
	if len(wrong) > 0 {
		return fault.Wrong(wrong...)
	}
	return nil
}

// Create makes a ticket inside the caller's transaction. made is false where a repeat has found the
// ticket that is there already. After the commit, call Published.
func (d *Desk) Create(ctx context.Context, tx *sqlx.Tx, n New) (t Ticket, made bool, err error) {
	defer fault.Wrap(&err, "create ticket")
	snap, err := d.settings.InTx(ctx, tx)
	if err != nil {
		return t, false, err
	}
	if err := n.check(&snap.Doc); err != nil {
		return t, false, err
	}
	now := d.now().UTC().Truncate(time.Microsecond)
	next, effects, err := rules(snap).Apply(lifecycle.Ticket{Priority: n.Priority, Assignee: n.Assignee}, lifecycle.Created{}, n.By, now)
	if err != nil {
		return t, false, err
	}
	if n.RequesterID == "" { // whoever has proved the address owns what comes from it
		if n.RequesterID, err = d.people.OwnerOf(ctx, tx, n.RequesterEmail); err != nil {
			return t, false, err
		}
	}
	t = Ticket{Ticket: next, Subject: n.Subject, RequesterZone: n.RequesterZone, RequesterID: n.RequesterID, RequesterName: n.RequesterName, RequesterEmail: n.RequesterEmail,
		Origin: n.Origin, Diagnostics: n.Diagnostics, UpdatedAt: now, FollowUpOf: n.FollowUpOf, Chat: n.Chat}
	first := ""
	if len(n.Said) > 0 {
		first = n.Said[0].Body
	}
	number, err := insert(ctx, tx, &t, n.Key, first)
	if err != nil {
		return t, false, err
	}
	if number == 0 {
		t, err = get(ctx, tx, false, `t.idem_key = $1 OR t.chat_id::text = $2`, n.Key, n.Chat)
		return t, false, err
	}
	t.Number = number
	for i, s := range n.Said {
		if s.At.IsZero() {
			s.At = now
		}
		key := ""
		if n.FollowUpOf != 0 && i == 0 { // the reply that opened it: asked again, it is found by its key
			key = n.Key
		}
		if err := d.say(ctx, tx, number, s, key); err != nil {
			return t, false, err
		}
	}
	had := Diagnostics{}
	if n.FollowUpOf != 0 {
		had = n.Diagnostics
	}
	if err := d.claim(ctx, tx, &t, had, n.By.ID); err != nil {
		return t, false, err
	}
	if n.Chat != "" {
		if err := files.Move(ctx, tx, n.Chat, number); err != nil {
			return t, false, err
		}
	}
	if n.FollowUpOf != 0 { // told once, with the new number, in the follow-up's own words
		for i, e := range effects {
			if e == (lifecycle.Mail{Kind: "received"}) {
				effects[i] = lifecycle.Mail{Kind: "follow_up"}
			}
		}
	}
	if err := d.carryOut(ctx, tx, &t, effects, cause{by: n.By, now: now, policy: &snap.Policy}); err != nil {
		return t, false, err
	}
	t, err = get(ctx, tx, false, `t.number = $1`, number)
	return t, true, err
}

// Published tells all nodes that a ticket changed; call it after the commit.
func (d *Desk) Published(ctx context.Context, number int64) {
	d.bus.Publish(ctx, cluster.Hint{Topic: "ticket", Key: fmt.Sprint(number)})
}

// Change is one thing to do to a ticket.
type Change struct {
	Events  []lifecycle.Event
	Comment *Said  // kept with it
	Key     string // of the comment
	Version int    // the version the caller has read; 0: whichever
	Edit    func(t *Ticket) error
}

// Do applies a change. The condition, on t, says which ticket and that the caller may; foreign and
// unknown are alike. A customer's reply to a closed ticket gives the follow-up instead (M34).
func (d *Desk) Do(ctx context.Context, by lifecycle.Actor, ch Change, where string, args ...any) (t Ticket, err error) {
	defer fault.Wrap(&err, "change ticket")
	var touched []int64
	err = postgres.InTx(ctx, d.db, func(tx *sqlx.Tx) error {
		touched = nil
		if t, err = get(ctx, tx, true, where, args...); err != nil {
			return err
		}
		asked := t
		if t, err = d.survivor(ctx, tx, t); err != nil {
			return err
		}
		if by.Kind == "customer" && t.RequesterEmail != asked.RequesterEmail {
			touched = append(touched, t.Number)
			err = d.heardElsewhere(ctx, tx, asked, t, ch, by)
			t = asked
			return err
		}
		if ch.Version != 0 && ch.Version != t.Version {
			return fault.Conflict("stale", "Somebody changed the ticket meanwhile. Read it again.").With("version", t.Version)
		}
		if repeated, err := d.repeated(ctx, tx, &t, ch.Key); err != nil || repeated {
			return err
		}
		snap, err := d.settings.InTx(ctx, tx)
		if err != nil {
			return err
		}
		err = d.change(ctx, tx, &t, ch, by, snap)
		if errors.Is(err, lifecycle.ErrClosed) && by.Kind == "customer" && ch.Comment != nil {
			t, err = d.followUp(ctx, tx, t, ch, by)
		}
		touched = append(touched, t.Number)
		return explain(err)
	})
	if err != nil {
		return Ticket{}, err
	}
	for _, number := range touched {
		d.Published(ctx, number)
	}
	return t, nil
}

// repeated finds the ticket on which a repeated comment was kept.
func (d *Desk) repeated(ctx context.Context, tx *sqlx.Tx, t *Ticket, key string) (bool, error) {
	if key == "" {
		return false, nil
	}
	var number int64
	err := postgres.Kind(ctx, tx.GetContext(ctx, &number, `SELECT ticket FROM comments WHERE idem_key = $1`, key))
	if fault.KindOf(err) == fault.Missing {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	*t, err = get(ctx, tx, false, `t.number = $1`, number)
	return true, err
}

func (d *Desk) change(ctx context.Context, tx *sqlx.Tx, t *Ticket, ch Change, by lifecycle.Actor, snap *settings.Snapshot) error {
	now, r := d.now().UTC().Truncate(time.Microsecond), rules(snap)
	next, version := *t, t.Version
	type done struct{ effects []lifecycle.Effect }
	var all []done
	for _, ev := range ch.Events {
		state, effects, err := r.Apply(next.Ticket, ev, by, now)
		if errors.Is(err, lifecycle.ErrMoot) {
			continue
		}
		if err != nil {
			return err
		}
		next.Ticket = state
		all = append(all, done{effects})
	}
	if ch.Edit != nil {
		if err := ch.Edit(&next); err != nil {
			return err
		}
	}
	if len(all) > 0 || ch.Edit != nil || ch.Comment != nil {
		next.Version = version + 1 // one change, one version, however many events it was
	}
	next.UpdatedAt = now
	if err := update(ctx, tx, &next); err != nil {
		return err
	}
	if t.Escalated && !next.Escalated && next.Status == lifecycle.Closed {
		if err := d.endEscalation(ctx, tx, t.Number, now); err != nil {
			return err
		}
	}
	if err := d.claim(ctx, tx, &next, t.Diagnostics, by.ID); err != nil {
		return err
	}
	if ch.Comment != nil {
		said := *ch.Comment
		said.At = now
		if err := d.say(ctx, tx, t.Number, said, ch.Key); err != nil {
			return err
		}
	}
	answer := ""
	if c := ch.Comment; c != nil && c.Public && c.By.Kind == "champion" {
		answer = c.Body
	}
	for _, step := range all {
		if err := d.carryOut(ctx, tx, &next, step.effects, cause{by: by, answer: answer, now: now, policy: &snap.Policy}); err != nil {
			return err
		}
	}
	fresh, err := get(ctx, tx, false, `t.number = $1`, t.Number)
	*t = fresh
	return err
}

// say keeps a comment with its files.
func (d *Desk) say(ctx context.Context, tx *sqlx.Tx, number int64, s Said, key string) error {
	id, err := insertComment(ctx, tx, number, s, key)
	if err != nil || id == "" {
		return err
	}
	return d.claimFiles(ctx, tx, "attachments", s.Files, files.To{Ticket: number, Comment: id, Internal: !s.Public}, s.By.ID)
}

// followUp makes the new ticket of a reply to a closed one, with everything copied; a second reply
// finds the first follow-up while it lives (M34). The closed row is locked, so two replies take turns.
func (d *Desk) followUp(ctx context.Context, tx *sqlx.Tx, closed Ticket, ch Change, by lifecycle.Actor) (Ticket, error) {
	open, err := living(ctx, tx, closed)
	if err == nil {
		snap, err := d.settings.InTx(ctx, tx)
		if err != nil {
			return open, err
		}
		err = d.change(ctx, tx, &open, Change{Events: []lifecycle.Event{lifecycle.CustomerReplied{}}, Comment: ch.Comment, Key: ch.Key}, by, snap)
		return open, err
	}
	if fault.KindOf(err) != fault.Missing {
		return open, err
	}
	assignee := ""
	if closed.Assignee != "" {
		if _, err := d.people.Staff(ctx, tx, closed.Assignee); err == nil { // copied only if active
			assignee = closed.Assignee
		}
	}
	t, _, err := d.Create(ctx, tx, New{
		Subject: closed.Subject, RequesterID: closed.RequesterID, RequesterName: closed.RequesterName, RequesterEmail: closed.RequesterEmail, RequesterZone: closed.RequesterZone,
		Priority: closed.Priority, Origin: closed.Origin, Diagnostics: closed.Diagnostics, Assignee: assignee, FollowUpOf: closed.Number,
		Said: []Said{*ch.Comment}, By: by, Key: ch.Key,
	})
	return t, err
}

// explain gives the engine's errors the kinds that people are answered with.
func explain(err error) error {
	switch {
	case errors.Is(err, lifecycle.ErrClosed):
		return fault.Conflict("closed", "The ticket is closed. A reply opens a follow-up ticket.").Because(err)
	case errors.Is(err, lifecycle.ErrStatus):
		return fault.WrongField("status", "A ticket cannot go there from its status.").Because(err)
	case errors.Is(err, lifecycle.ErrValue):
		return fault.WrongField("priority", "urgent, high, normal or low.").Because(err)
	}
	return err
}

// gone reports whether a ticket no longer meets the condition, as for a timer that another node has fired.
func gone(err error) bool { return fault.KindOf(err) == fault.Missing }
