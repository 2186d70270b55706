package tickets

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"chatnow/internal/postgres"
	"chatnow/tickets/lifecycle"
)

// row is a ticket's row; nullable columns end here.
type row struct {
	Number         int64               `db:"number"`
	Status         lifecycle.Status    `db:"status"`
	Priority       lifecycle.Priority  `db:"priority"`
	Subject        string              `db:"subject"`
	RequesterID    sql.NullString      `db:"requester_id"`
	RequesterName  string              `db:"requester_name"`
	RequesterEmail string              `db:"requester_email"`
	AssigneeID     sql.NullString      `db:"assignee_id"`
	AssigneeName   sql.NullString      `db:"assignee_name"`
	Origin         string              `db:"origin"`
	Diagnostics    []byte              `db:"diagnostics"`
	Version        int                 `db:"version"`
	CreatedAt      time.Time           `db:"created_at"`
	UpdatedAt      time.Time           `db:"updated_at"`
	UpdateDueAt    sql.Null[time.Time] `db:"update_due_at"`
	SolvesAt       sql.Null[time.Time] `db:"solves_at"`
	ClosesAt       sql.Null[time.Time] `db:"closes_at"`
	RemindAt       sql.Null[time.Time] `db:"remind_at"`
	Reminded       int                 `db:"reminded"`
	PendingSince   sql.Null[time.Time] `db:"pending_since"`
	LastPublicAt   sql.Null[time.Time] `db:"last_public_at"`
	SolvedCause    string              `db:"solved_cause"`
	ClosedCause    string              `db:"closed_cause"`
	SurveyAt       sql.Null[time.Time] `db:"survey_at"`
	MergedInto     sql.NullInt64       `db:"merged_into"`
	Escalated      bool                `db:"escalated"`
	FollowUpOf     sql.NullInt64       `db:"follow_up_of"`
	ChatID         sql.NullString      `db:"chat_id"`
	RequesterZone  string              `db:"requester_zone"`
}

const columns = `t.number, t.status, t.priority, t.subject, t.requester_id, t.requester_name, t.requester_email, t.assignee_id,
	(SELECT name FROM people WHERE id = t.assignee_id) AS assignee_name, t.origin, t.diagnostics, t.version, t.created_at, t.updated_at,
	t.update_due_at, t.solves_at, t.closes_at, t.remind_at, t.reminded, t.pending_since, t.last_public_at, t.solved_cause, t.closed_cause,
	t.survey_at, t.merged_into, t.escalated, t.follow_up_of, t.chat_id, t.requester_zone`

func (r *row) ticket() (Ticket, error) {
	t := Ticket{
		Ticket: lifecycle.Ticket{
			Number: r.Number, Status: r.Status, Priority: r.Priority, Assignee: r.AssigneeID.String, Version: r.Version, CreatedAt: r.CreatedAt,
			UpdateDueAt: r.UpdateDueAt.V, SolvesAt: r.SolvesAt.V, ClosesAt: r.ClosesAt.V, RemindAt: r.RemindAt.V, Reminded: r.Reminded,
			PendingSince: r.PendingSince.V, LastPublicAt: r.LastPublicAt.V, SolvedCause: r.SolvedCause, ClosedCause: r.ClosedCause,
			SurveyAt: r.SurveyAt.V, MergedInto: r.MergedInto.Int64, Escalated: r.Escalated,
		},
		Subject: r.Subject, RequesterID: r.RequesterID.String, RequesterName: r.RequesterName, RequesterEmail: r.RequesterEmail,
		AssigneeName: r.AssigneeName.String, Origin: r.Origin, UpdatedAt: r.UpdatedAt, FollowUpOf: r.FollowUpOf.Int64, Chat: r.ChatID.String, RequesterZone: r.RequesterZone,
	}
	if err := json.Unmarshal(r.Diagnostics, &t.Diagnostics); err != nil {
		return t, fmt.Errorf("read diagnostics of ticket %d: %w", r.Number, err)
	}
	return t, nil
}

// get reads one ticket by a condition on t; lock holds its row to the end of the transaction.
func get(ctx context.Context, q sqlx.QueryerContext, lock bool, where string, args ...any) (Ticket, error) {
	var r row
	query := `SELECT ` + columns + ` FROM tickets t WHERE ` + where
	if lock {
		query += ` FOR UPDATE OF t`
	}
	if err := sqlx.GetContext(ctx, q, &r, query, args...); err != nil {
		return Ticket{}, postgres.Kind(ctx, err)
	}
	return r.ticket()
}

const insertTicket = `INSERT INTO tickets (status, priority, level, subject, requester_id, requester_name, requester_email, assignee_id, origin,
		diagnostics, version, created_at, updated_at, update_due_at, wake_at, follow_up_of, chat_id, idem_key, search, requester_zone)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13, $14, $15, $16, $17, to_tsvector('simple', $18), $19)
	ON CONFLICT DO NOTHING RETURNING number`

// insert makes the row; number is 0 where a repeat has found its first ticket.
func insert(ctx context.Context, tx *sqlx.Tx, t *Ticket, key, first string) (number int64, err error) {
	diag, err := json.Marshal(t.Diagnostics)
	if err != nil {
		return 0, err
	}
	err = tx.GetContext(ctx, &number, insertTicket, t.Status, t.Priority, t.Priority.Level(), t.Subject, postgres.NullText(t.RequesterID), t.RequesterName,
		t.RequesterEmail, postgres.NullText(t.Assignee), t.Origin, string(diag), t.Version, t.CreatedAt, postgres.Null(t.UpdateDueAt), postgres.Null(t.Wake()),
		postgres.NullInt(t.FollowUpOf), postgres.NullText(t.Chat), postgres.NullText(key), t.words(first), t.RequesterZone)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("insert ticket: %w", err)
	}
	return number, nil
}

// words is what search finds a ticket by; PostgreSQL takes a megabyte, so what is said is cut.
func (t *Ticket) words(said string) string {
	if len(said) > 20_000 {
		said = said[:20_000]
	}
	return clean(t.Subject + " " + t.RequesterName + " " + t.RequesterEmail + " " + t.Diagnostics.words() + " " + said)
}

func clean(s string) string { return string([]rune(s)) } // a cut may have split a character

const updateTicket = `UPDATE tickets SET status = $2, priority = $3, level = $4, assignee_id = $5, version = $6, updated_at = $7, update_due_at = $8,
	solves_at = $9, closes_at = $10, remind_at = $11, reminded = $12, pending_since = $13, last_public_at = $14, solved_cause = $15,
	closed_cause = $16, survey_at = $17, merged_into = $18, escalated = $19, wake_at = $20, diagnostics = $21, subject = $22 WHERE number = $1`

func update(ctx context.Context, tx *sqlx.Tx, t *Ticket) error {
	diag, err := json.Marshal(t.Diagnostics)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, updateTicket, t.Number, t.Status, t.Priority, t.Priority.Level(), postgres.NullText(t.Assignee), t.Version, t.UpdatedAt,
		postgres.Null(t.UpdateDueAt), postgres.Null(t.SolvesAt), postgres.Null(t.ClosesAt), postgres.Null(t.RemindAt), t.Reminded, postgres.Null(t.PendingSince), postgres.Null(t.LastPublicAt),
		t.SolvedCause, t.ClosedCause, postgres.Null(t.SurveyAt), postgres.NullInt(t.MergedInto), t.Escalated, postgres.Null(t.Wake()), string(diag), t.Subject)
	if err != nil {
		return fmt.Errorf("update ticket %d: %w", t.Number, err)
	}
	return nil
}

// insertComment writes a comment; the id is empty where a repeat has found its first.
func insertComment(ctx context.Context, tx *sqlx.Tx, number int64, c Said, key string) (id string, err error) {
	err = tx.GetContext(ctx, &id, `INSERT INTO comments (ticket, author_kind, author_id, author_name, body, public, at, idem_key)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (idem_key) DO NOTHING RETURNING id`,
		number, c.By.Kind, postgres.NullText(c.By.ID), c.By.Name, c.Body, c.Public, c.At, postgres.NullText(key))
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err == nil {
		_, err = tx.ExecContext(ctx, `UPDATE tickets SET search = search || to_tsvector('simple', left($2, 20000)), updated_at = $3 WHERE number = $1`, number, c.Body, c.At)
	}
	if err != nil {
		return "", fmt.Errorf("insert comment on ticket %d: %w", number, err)
	}
	return id, nil
}

func insertHistory(ctx context.Context, tx *sqlx.Tx, number int64, by lifecycle.Actor, h lifecycle.History, at time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO ticket_history (ticket, at, actor_kind, actor_id, actor_name, event, from_value, to_value, why)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, number, at, by.Kind, postgres.NullText(by.ID), by.Name, h.Event, h.From, h.To, h.Why)
	if err != nil {
		return fmt.Errorf("insert history of ticket %d: %w", number, err)
	}
	return nil
}

// commentsOf reads what was said on a ticket and on those that went into it, in order of time. A
// customer sees only what was said on his own.
func commentsOf(ctx context.Context, q sqlx.QueryerContext, t *Ticket, staff bool) ([]Comment, error) {
	out := []Comment{}
	err := sqlx.SelectContext(ctx, q, &out, `SELECT id, author_kind, author_name, body, public, at, ticket FROM comments
		WHERE (ticket = $1 OR ticket IN (SELECT number FROM tickets WHERE merged_into = $1 AND ($2 OR requester_email = $3)))
		AND (public OR $2) ORDER BY at, id`, t.Number, staff, t.RequesterEmail)
	return out, postgres.Kind(ctx, err)
}

func historyOf(ctx context.Context, q sqlx.QueryerContext, number int64) ([]Entry, error) {
	out := []Entry{}
	err := sqlx.SelectContext(ctx, q, &out, `SELECT at, actor_kind, actor_name, event, from_value, to_value, why FROM ticket_history
		WHERE ticket = $1 ORDER BY id`, number)
	return out, postgres.Kind(ctx, err)
}

// Adopt gives the tickets of an address to its owner, once he has proved it (M8).
func (d *Desk) Adopt(ctx context.Context, tx *sqlx.Tx, person, email string) error {
	if _, err := tx.ExecContext(ctx, `UPDATE tickets SET requester_id = $1 WHERE requester_email = $2 AND requester_id IS NULL`, person, email); err != nil {
		return fmt.Errorf("adopt tickets: %w", err)
	}
	return nil
}

// NameOf tells how an address called itself on its newest ticket.
func (d *Desk) NameOf(ctx context.Context, q sqlx.QueryerContext, email string) (name string, sent bool, err error) {
	err = sqlx.GetContext(ctx, q, &name, `SELECT requester_name FROM tickets WHERE requester_email = $1 ORDER BY number DESC LIMIT 1`, email)
	if errors.Is(err, sql.ErrNoRows) {
		return "", false, nil
	}
	return name, err == nil, postgres.Kind(ctx, err)
}
