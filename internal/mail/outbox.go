// Package mail is the outbox: mails leave as rows, written in the transaction of
// their cause.
package mail

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/labstack/echo/v4"

	"chatnow/internal/postgres"
	"chatnow/internal/web"
)

// Message is a mail to be sent.
type Message struct {
	Key    string // unique for its cause: written twice, it is sent once
	Kind   string // received, answered, pending, reminder, solved, follow_up, survey, escalated, transcript
	To     string
	ToName string
	Ticket int64
	Data   map[string]any
}

// Outbox keeps mails.
type Outbox struct {
	db  *sqlx.DB
	now func() time.Time
}

// New makes an outbox.
func New(db *sqlx.DB, now func() time.Time) *Outbox { return &Outbox{db: db, now: now} }

// Queue writes a mail with its cause.
func (o *Outbox) Queue(ctx context.Context, tx *sqlx.Tx, m Message) error {
	data, err := json.Marshal(m.Data)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO outbox (key, kind, to_email, to_name, ticket, data, created_at, next_at)
		VALUES ($1, $2, $3, $4, NULLIF($5, 0), $6, $7, $7) ON CONFLICT (key) DO NOTHING`,
		m.Key, m.Kind, m.To, m.ToName, m.Ticket, string(data), o.now())
	if err != nil {
		return fmt.Errorf("queue mail %s: %w", m.Kind, err)
	}
	return nil
}

// Routes lets administrators read what is in the outbox.
func (o *Outbox) Routes(srv *web.Server, admin web.Permission) {
	srv.API(http.MethodGet, "/outbox", admin, func(c echo.Context) error {
		type row struct {
			ID      string          `json:"id" db:"id"`
			Kind    string          `json:"kind" db:"kind"`
			To      string          `json:"to" db:"to_email"`
			Ticket  *int64          `json:"ticket" db:"ticket"`
			Data    json.RawMessage `json:"data" db:"data"`
			State   string          `json:"state" db:"state"`
			At      time.Time       `json:"created_at" db:"created_at"`
			Problem string          `json:"problem,omitempty" db:"problem"`
		}
		out := []row{}
		if err := o.db.SelectContext(c.Request().Context(), &out,
			`SELECT id, kind, to_email, ticket, data, state, created_at, problem FROM outbox ORDER BY created_at DESC LIMIT 100`); err != nil {
			return postgres.Kind(c.Request().Context(), err)
		}
		return c.JSON(http.StatusOK, map[string]any{"mails": out})
	})
}
