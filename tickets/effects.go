package tickets

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"chatnow/internal/mail"
	"chatnow/internal/settings"
	"chatnow/tickets/lifecycle"
)

// cause is what effects follow from.
type cause struct {
	by     lifecycle.Actor
	answer string // what a champion said to the customer with it, for the mail (M37)
	now    time.Time
	policy *settings.Policy
}

// carryOut keeps what the engine wants done, in the transaction of its cause.
func (d *Desk) carryOut(ctx context.Context, tx *sqlx.Tx, t *Ticket, effects []lifecycle.Effect, c cause) error {
	asked := true
	for _, e := range effects {
		switch e := e.(type) {
		case lifecycle.History:
			if e.Event == "survey" && !asked {
				e.Why = "Not sent: this customer was asked not long ago."
			}
			if err := insertHistory(ctx, tx, t.Number, c.by, e, c.now); err != nil {
				return err
			}
		case lifecycle.Mail:
			more := map[string]any{"answer": c.answer}
			if e.Kind == "survey" {
				token, first, err := d.askSurvey(ctx, tx, t, c.policy.SurveyCooldown.D(), c.now)
				if err != nil {
					return err
				}
				if asked = first; !asked {
					continue
				}
				more["token"] = token
			}
			// A version is one cause, so that a repeat is the same mail.
			if err := d.mail(ctx, tx, t, e.Kind, fmt.Sprintf("ticket:%d:%s:%d", t.Number, e.Kind, t.Version), more); err != nil {
				return err
			}
		}
	}
	return nil
}

// mail writes to the requester of a ticket. key names the cause.
func (d *Desk) mail(ctx context.Context, tx *sqlx.Tx, t *Ticket, kind, key string, more map[string]any) error {
	data := map[string]any{
		"subject": t.Subject, "former": orNull(t.FollowUpOf), "silent": t.SolvedCause == lifecycle.BySilence, "timezone": t.RequesterZone,
		"closes_at": stamp(t.ClosesAt), "solves_at": stamp(t.SolvesAt), "update_due_at": stamp(t.UpdateDueAt),
	}
	for k, v := range more {
		data[k] = v
	}
	return d.outbox.Queue(ctx, tx, mail.Message{Key: key, Kind: kind, To: t.RequesterEmail, ToName: t.RequesterName, Ticket: t.Number, Data: data})
}
