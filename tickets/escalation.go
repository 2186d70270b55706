package tickets

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"chatnow/internal/accounts"
	"chatnow/internal/fault"
	"chatnow/internal/postgres"
	"chatnow/internal/settings"
	"chatnow/internal/text"
	"chatnow/tickets/lifecycle"
)

// Escalation is a customer's wish for a manager, as a record of its own (M40). The manager's reason is
// internal; only the answer is for the customer.
type Escalation struct {
	ID        string             `db:"id"`
	Ticket    int64              `db:"ticket"`
	State     string             `db:"state"` // open, accepted, declined, done
	Reason    string             `db:"reason"`
	Priority  lifecycle.Priority `db:"priority"`
	Contact   string             `db:"contact"`
	AskedBy   string             `db:"asked_by"`
	CreatedAt time.Time          `db:"created_at"`
	DueAt     *time.Time         `db:"due_at"`
	Manager   *string            `db:"manager"`
	Answer    string             `db:"answer"`
	Why       string             `db:"why"`
}

const escalationColumns = `e.id, e.ticket, e.state, e.reason, e.priority, e.contact, e.asked_by, e.created_at, e.due_at, e.answer, e.why,
	(SELECT name FROM people WHERE id = e.manager_id) AS manager`

// View is an escalation as contract.md writes it; staff also see who decided and why.
func (e *Escalation) View(staff bool) map[string]any {
	v := map[string]any{"id": e.ID, "ticket": e.Ticket, "state": e.State, "reason": e.Reason, "priority": e.Priority, "contact": e.Contact,
		"created_at": stamp(e.CreatedAt), "due_at": nil, "answer": nil, "manager": e.Manager}
	if e.DueAt != nil {
		v["due_at"] = stamp(*e.DueAt)
	}
	if e.Answer != "" {
		v["answer"] = e.Answer
	}
	if staff {
		v["asked_by"], v["why"] = e.AskedBy, e.Why
	}
	return v
}

func escalationsOf(ctx context.Context, q sqlx.QueryerContext, number int64) ([]Escalation, error) {
	out := []Escalation{}
	err := sqlx.SelectContext(ctx, q, &out, `SELECT `+escalationColumns+` FROM escalations e WHERE e.ticket = $1 ORDER BY e.created_at, e.id`, number)
	return out, postgres.Kind(ctx, err)
}

// Asked is what somebody gives with an escalation (M42).
type Asked struct {
	Reason   string
	Priority lifecycle.Priority
	Contact  string
	Key      string
}

func (a *Asked) check() error {
	a.Reason, a.Contact = strings.TrimSpace(a.Reason), text.Line(a.Contact)
	var wrong []fault.Field
	if a.Reason == "" || len(a.Reason) > 10_000 {
		wrong = append(wrong, fault.Field{Field: "reason", Detail: "Say why a manager should look, up to 10,000 bytes."})
	}
	if a.Priority == "" {
		a.Priority = lifecycle.Normal
	}
	if !a.Priority.Valid() {
		wrong = append(wrong, fault.Field{Field: "priority", Detail: "urgent, high, normal or low."})
	}
	if len(a.Contact) > maxLine {
		wrong = append(wrong, fault.Field{Field: "contact", Detail: fmt.Sprintf("Up to %d bytes.", maxLine)})
	}
	if len(wrong) > 0 {
		return fault.Wrong(wrong...)
	}
	return nil
}

// Escalate asks for a manager. A closed ticket is escalated as its follow-up, which the reason opens.
// made is false where a repeat has found its first.
func (d *Desk) Escalate(ctx context.Context, by lifecycle.Actor, in Asked, where string, args ...any) (e Escalation, made bool, err error) {
	defer fault.Wrap(&err, "escalate ticket")
	if err := in.check(); err != nil {
		return e, false, err
	}
	var number int64
	err = postgres.InTx(ctx, d.db, func(tx *sqlx.Tx) error {
		made = false
		t, err := get(ctx, tx, true, where, args...)
		if err != nil {
			return err
		}
		asked := t
		if t, err = d.survivor(ctx, tx, t); err != nil {
			return err
		}
		if by.Kind == "customer" && t.RequesterEmail != asked.RequesterEmail {
			return explain(lifecycle.ErrClosed) // it went into somebody else's
		}
		if in.Key != "" {
			err := postgres.Kind(ctx, tx.GetContext(ctx, &e, `SELECT `+escalationColumns+` FROM escalations e WHERE e.idem_key = $1`, in.Key))
			if fault.KindOf(err) != fault.Missing {
				return err
			}
		}
		if t.Status == lifecycle.Closed {
			if t, err = d.followUp(ctx, tx, t, Change{Comment: &Said{By: by, Body: in.Reason, Public: true}}, by); err != nil {
				return err
			}
		}
		number = t.Number
		active, err := escalationsOf(ctx, tx, t.Number)
		if err != nil {
			return err
		}
		for _, first := range active {
			if first.State == "open" || first.State == "accepted" {
				return fault.Conflict("already_escalated", "A manager already looks at this ticket.").With("escalation", first.View(by.Kind == "champion"))
			}
		}
		e, err = d.keepEscalation(ctx, tx, &t, by, in)
		made = err == nil
		return err
	})
	if made {
		d.Published(ctx, number)
	}
	return e, made, err
}

func (d *Desk) keepEscalation(ctx context.Context, tx *sqlx.Tx, t *Ticket, by lifecycle.Actor, in Asked) (e Escalation, err error) {
	snap, err := d.settings.InTx(ctx, tx)
	if err != nil {
		return e, err
	}
	now := d.now().UTC().Truncate(time.Microsecond)
	var id string
	err = tx.GetContext(ctx, &id, `INSERT INTO escalations (ticket, reason, priority, contact, asked_by, created_at, due_at, changed_at, idem_key)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $6, $8) RETURNING id`, t.Number, in.Reason, in.Priority, in.Contact, by.Name, now,
		postgres.Null(managersPromise(snap, now)), postgres.NullText(in.Key))
	if err != nil {
		return e, fmt.Errorf("keep escalation: %w", err)
	}
	if err := d.change(ctx, tx, t, Change{Events: []lifecycle.Event{lifecycle.EscalationAsked{Reason: in.Reason}}}, by, snap); err != nil {
		return e, explain(err)
	}
	return oneEscalation(ctx, tx, false, id)
}

// managersPromise is the managers' own target, in business time (M44).
func managersPromise(snap *settings.Snapshot, now time.Time) time.Time {
	if at, ok := snap.Calendar.Add(now, snap.Policy.EscalationWithin.D()); ok && snap.Policy.EscalationWithin > 0 {
		return at
	}
	return time.Time{}
}

func oneEscalation(ctx context.Context, q sqlx.QueryerContext, lock bool, id string) (e Escalation, err error) {
	query := `SELECT ` + escalationColumns + ` FROM escalations e WHERE e.id::text = $1`
	if lock {
		query += ` FOR UPDATE OF e`
	}
	err = postgres.Kind(ctx, sqlx.GetContext(ctx, q, &e, query, id))
	if fault.KindOf(err) == fault.Missing {
		return e, fault.NotFound("There is no such escalation.")
	}
	return e, err
}

// Decision is what a manager does with an escalation (M43).
type Decision struct {
	Action   string // accept, reassign, raise, decline, finish
	Reason   string // internal
	Answer   string // for the customer
	Assignee string
	Priority lifecycle.Priority
}

// next gives the state that a decision leads to, or what is wrong with it.
func (in *Decision) next(from string) (string, error) {
	if from != "open" && from != "accepted" {
		return "", fault.Conflict("decided", "This escalation has been decided already.")
	}
	in.Reason, in.Answer = strings.TrimSpace(in.Reason), strings.TrimSpace(in.Answer)
	switch {
	case len(in.Reason) > 10_000:
		return "", fault.WrongField("reason", "Up to 10,000 bytes.")
	case len(in.Answer) > 10_000:
		return "", fault.WrongField("answer", "Up to 10,000 bytes.")
	}
	switch in.Action {
	case "accept":
		return "accepted", nil
	case "reassign":
		if in.Assignee == "" {
			return "", fault.WrongField("assignee", "Say to whom.")
		}
		return "accepted", nil
	case "raise":
		if !in.Priority.Valid() {
			return "", fault.WrongField("priority", "urgent, high, normal or low.")
		}
		return "accepted", nil
	case "decline":
		if in.Reason == "" {
			return "", fault.WrongField("reason", "A refusal needs a reason.")
		}
		return "declined", nil
	case "finish":
		return "done", nil
	}
	return "", fault.WrongField("action", "accept, reassign, raise, decline or finish.")
}

// Decide carries out a manager's decision. The customer gets the answer by mail; the reason stays here.
func (d *Desk) Decide(ctx context.Context, me *accounts.Person, id string, in Decision) (e Escalation, err error) {
	defer fault.Wrap(&err, "decide escalation")
	err = postgres.InTx(ctx, d.db, func(tx *sqlx.Tx) error {
		first, err := oneEscalation(ctx, tx, false, id)
		if err != nil {
			return err
		}
		t, err := get(ctx, tx, true, `t.number = $1`, first.Ticket) // the ticket's row first, as everywhere
		if err != nil {
			return err
		}
		if e, err = oneEscalation(ctx, tx, true, id); err != nil {
			return err
		}
		state, err := in.next(e.State)
		if err != nil {
			return err
		}
		if err := d.decided(ctx, tx, me, &t, state, in); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE escalations SET state = $2, manager_id = $3, changed_at = $4, answer = COALESCE(NULLIF($5, ''), answer),
			why = COALESCE(NULLIF($6, ''), why) WHERE id = $1`, e.ID, state, me.ID, d.now(), in.Answer, in.Reason); err != nil {
			return fmt.Errorf("keep decision: %w", err)
		}
		if in.Answer != "" {
			key := fmt.Sprintf("escalation:%s:%s:%d", e.ID, in.Action, t.Version)
			if err := d.mail(ctx, tx, &t, "answered", key, map[string]any{"answer": in.Answer}); err != nil {
				return err
			}
		}
		e, err = oneEscalation(ctx, tx, false, id)
		return err
	})
	if err == nil {
		d.Published(ctx, e.Ticket)
	}
	return e, err
}

// decided does to the ticket what the decision says. What is closed meanwhile stays as it is.
func (d *Desk) decided(ctx context.Context, tx *sqlx.Tx, me *accounts.Person, t *Ticket, state string, in Decision) error {
	var events []lifecycle.Event
	switch in.Action {
	case "reassign":
		p, err := d.people.Staff(ctx, tx, in.Assignee)
		if err != nil {
			return fault.WrongField("assignee", "There is no such champion.")
		}
		events = append(events, lifecycle.Assigned{To: p.ID, Name: p.Name, Why: in.Reason})
	case "raise":
		events = append(events, lifecycle.PrioritySet{To: in.Priority, Why: in.Reason})
	}
	if state == "declined" || state == "done" {
		events = append(events, lifecycle.EscalationOver{Outcome: state})
	}
	if len(events) == 0 {
		return insertHistory(ctx, tx, t.Number, actor(me), lifecycle.History{Event: "escalation", To: state, Why: in.Reason}, d.now())
	}
	snap, err := d.settings.InTx(ctx, tx)
	if err != nil {
		return err
	}
	err = d.change(ctx, tx, t, Change{Events: events}, actor(me), snap)
	if errors.Is(err, lifecycle.ErrClosed) && in.Action != "reassign" && in.Action != "raise" {
		return nil
	}
	return explain(err)
}

// endEscalation ends what a manager was asked for when the ticket closes without his word: nobody waits any more, and
// a reply opens a follow-up, which can be escalated again.
func (d *Desk) endEscalation(ctx context.Context, tx *sqlx.Tx, number int64, now time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE escalations SET state = 'done', changed_at = $2, why = CASE WHEN why = '' THEN $3 ELSE why || ' ' || $3 END
		WHERE ticket = $1 AND state IN ('open', 'accepted')`, number, now, lifecycle.EscalationClosed)
	if err != nil {
		return fmt.Errorf("end escalation: %w", err)
	}
	return nil
}
