package tickets

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"chatnow/internal/postgres"
	"chatnow/internal/web"
)

// previewMost is how many running tickets a preview counts again, the next due first.
const previewMost = 10_000

// move is a wait that would end at another time.
type move struct {
	Number  int64  `json:"number"`
	Subject string `json:"subject"`
	What    string `json:"what"` // update_due_at, solves_at or closes_at
	From    any    `json:"from"`
	To      any    `json:"to"`
}

// postPreview shows what a draft of the settings would do: two weeks of its calendar, and the running
// waits that would end at another time had they begun under it (requirements 1.B).
func (d *Desk) postPreview(c echo.Context) error {
	var document json.RawMessage
	if err := web.Bind(c, &document); err != nil {
		return err
	}
	draft, err := d.settings.Draft(document)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	var rows []struct {
		row
		Since time.Time `db:"since"`
	}
	if err := d.db.SelectContext(ctx, &rows, `SELECT `+columns+`, COALESCE((SELECT max(at) FROM ticket_history h WHERE h.ticket = t.number
		AND h.event IN ('status', 'created')), t.created_at) AS since FROM tickets t WHERE t.status <> 'closed'
		ORDER BY COALESCE(t.update_due_at, t.solves_at, t.closes_at), t.number LIMIT $1`, previewMost); err != nil {
		return postgres.Kind(ctx, err)
	}
	now, then, moves, count := rules(d.settings.Current()), rules(draft), []move{}, 0
	for i := range rows {
		t, err := rows[i].ticket()
		if err != nil {
			return err
		}
		same, next := now.Recount(t.Ticket, rows[i].Since), then.Recount(t.Ticket, rows[i].Since)
		for _, one := range []struct {
			what          string
			from, old, to time.Time
		}{{"update_due_at", t.UpdateDueAt, same.UpdateDueAt, next.UpdateDueAt}, {"solves_at", t.SolvesAt, same.SolvesAt, next.SolvesAt},
			{"closes_at", t.ClosesAt, same.ClosesAt, next.ClosesAt}} {
			if one.old.Equal(one.to) || one.from.Equal(one.to) {
				continue // it is not the draft that makes the difference
			}
			if count++; len(moves) < 20 {
				moves = append(moves, move{t.Number, t.Subject, one.what, stamp(one.from), stamp(one.to)})
			}
		}
	}
	return c.JSON(http.StatusOK, map[string]any{"days": draft.Days(d.now(), 14), "timezone": draft.Timezone, "moves": moves, "moves_count": count})
}
