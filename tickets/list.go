package tickets

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/labstack/echo/v4"

	"chatnow/internal/accounts"
	"chatnow/internal/postgres"
)

// limitOf is how many rows of a list somebody wants, at most 100.
func limitOf(c echo.Context) int {
	limit, err := strconv.Atoi(c.QueryParam("limit"))
	if err != nil || limit < 1 || limit > 100 {
		return 50
	}
	return limit
}

// views are the saved views of the console.
var views = map[string]string{
	"active":     `t.status <> 'closed'`,
	"mine":       `t.assignee_id::text = $6 AND t.status <> 'closed'`,
	"unassigned": `t.assignee_id IS NULL AND t.status <> 'closed'`,
	"due_today":  `t.status = 'open' AND t.update_due_at < $5::timestamptz + interval '24 hours'`,
	"pending":    `t.status = 'pending'`,
	"escalated":  `t.escalated AND t.status <> 'closed'`,
	"":           `true`,
}

// order is M22: broken promises, priority, escalated before its equals, next promise, age.
const order = ` ORDER BY (t.status = 'open' AND t.update_due_at <= $5) DESC, (t.status = 'closed'), t.level DESC, t.escalated DESC, t.update_due_at NULLS LAST, t.number`

func (d *Desk) getTickets(c echo.Context) error {
	me, q := accounts.Who(c), c.QueryParam
	condition, known := views[q("view")]
	if !known || !me.Staff() {
		condition = `true`
	}
	limit := limitOf(c)
	offset, err := strconv.Atoi(q("cursor"))
	if err != nil || offset < 0 {
		offset = 0
	}
	assignee := q("assignee")
	if assignee == "me" {
		assignee = me.ID
	}
	var rows []row
	err = d.db.SelectContext(c.Request().Context(), &rows, `SELECT `+columns+` FROM tickets t WHERE ($1 = '' OR t.status = $1) AND ($2 = '' OR t.priority = $2)
		AND ($3 = '' OR ($3 = 'none' AND t.assignee_id IS NULL) OR t.assignee_id::text = $3)
		AND ($4 = '' OR t.search @@ to_tsquery('simple', $10) OR t.number::text = $4 OR t.subject ILIKE '%' || $4 || '%' OR t.requester_email ILIKE '%' || $4 || '%')
		AND $5::timestamptz IS NOT NULL AND $6::text IS NOT NULL AND ($7 OR t.requester_id::text = $6) AND `+condition+order+` LIMIT $8 OFFSET $9`,
		q("status"), q("priority"), assignee, strings.ReplaceAll(q("q"), "\x00", ""), d.now(), me.ID, me.Staff(), limit+1, offset, prefixes(q("q")))
	if err != nil {
		return postgres.Kind(c.Request().Context(), err)
	}
	v := map[string]any{}
	if len(rows) > limit {
		rows = rows[:limit]
		v["next_cursor"] = strconv.Itoa(offset + limit)
	}
	if v["tickets"], err = viewAll(rows, me.Staff()); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, v)
}

// prefixes makes a text query of which every word may be the beginning of one: somebody types, and sees.
func prefixes(q string) string {
	words := strings.FieldsFunc(q, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(words) > 20 {
		words = words[:20]
	}
	for i, w := range words {
		words[i] = w + ":*"
	}
	return strings.Join(words, " & ")
}

func viewAll(rows []row, staff bool) ([]map[string]any, error) {
	out := []map[string]any{}
	for i := range rows {
		t, err := rows[i].ticket()
		if err != nil {
			return nil, err
		}
		v := t.View(nil, nil, staff)
		delete(v, "comments") // a list is read by its rows
		delete(v, "history")
		delete(v, "escalations")
		out = append(out, v)
	}
	return out, nil
}

func (d *Desk) getCounts(c echo.Context) error {
	var n struct {
		Active     int `db:"active" json:"active"`
		Mine       int `db:"mine" json:"mine"`
		Unassigned int `db:"unassigned" json:"unassigned"`
		Late       int `db:"late" json:"late"`
		DueToday   int `db:"due_today" json:"due_today"`
		Pending    int `db:"pending" json:"pending"`
		Escalated  int `db:"escalated" json:"escalated"`
	}
	err := d.db.GetContext(c.Request().Context(), &n, `SELECT count(*) AS active, count(*) FILTER (WHERE assignee_id = $1) AS mine, count(*) FILTER (WHERE assignee_id IS NULL) AS unassigned,
		count(*) FILTER (WHERE status = 'open' AND update_due_at < $3) AS late,
		count(*) FILTER (WHERE status = 'open' AND update_due_at < $2) AS due_today, count(*) FILTER (WHERE status = 'pending') AS pending,
		count(*) FILTER (WHERE escalated) AS escalated FROM tickets WHERE status <> 'closed'`, accounts.Who(c).ID, d.now().Add(24*time.Hour), d.now())
	if err != nil {
		return postgres.Kind(c.Request().Context(), err)
	}
	return c.JSON(http.StatusOK, n)
}

// OfEmail lists the newest tickets of an address, for staff.
func (d *Desk) OfEmail(ctx context.Context, email string, limit int) ([]map[string]any, error) {
	var rows []row
	if err := d.db.SelectContext(ctx, &rows, `SELECT `+columns+` FROM tickets t WHERE t.requester_email = $1 ORDER BY t.number DESC LIMIT $2`, email, limit); err != nil {
		return nil, postgres.Kind(ctx, err)
	}
	return viewAll(rows, true)
}

// Own lists the newest tickets of a customer: what waits for him first, then what is under way.
func (d *Desk) Own(ctx context.Context, person string) ([]Ticket, error) {
	var rows []row
	if err := d.db.SelectContext(ctx, &rows, `SELECT `+columns+` FROM tickets t WHERE t.requester_id::text = $1
		ORDER BY (t.status = 'pending') DESC, (t.status = 'closed'), t.number DESC LIMIT 200`, person); err != nil {
		return nil, postgres.Kind(ctx, err)
	}
	out := make([]Ticket, 0, len(rows))
	for i := range rows {
		t, err := rows[i].ticket()
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}
