package tickets

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/labstack/echo/v4"

	"chatnow/internal/accounts"
	"chatnow/internal/fault"
	"chatnow/internal/postgres"
	"chatnow/internal/web"
	"chatnow/tickets/lifecycle"
)

// Routes registers what programs and browsers call.
func (d *Desk) Routes(srv *web.Server) {
	person := func(c echo.Context) string {
		if p := accounts.Who(c); p != nil {
			return p.ID
		}
		return ""
	}
	once := srv.Idempotent(person)
	srv.API(http.MethodPost, "/tickets", web.Anyone, d.postTicket, srv.Limit("tickets", 1.0/10, 20), once)
	srv.API(http.MethodGet, "/tickets", accounts.SignedIn, d.getTickets)
	srv.API(http.MethodGet, "/tickets/counts", accounts.Staff, d.getCounts)
	srv.API(http.MethodGet, "/tickets/:number", accounts.SignedIn, d.getTicket)
	srv.API(http.MethodPatch, "/tickets/:number", accounts.Staff, d.patchTicket, once)
	srv.API(http.MethodPost, "/tickets/:number/comments", accounts.SignedIn, d.postComment, once)
}

// actor is who calls, as the engine knows people.
func actor(p *accounts.Person) lifecycle.Actor {
	kind := "customer"
	if p.Staff() {
		kind = "champion"
	}
	return lifecycle.Actor{Kind: kind, ID: p.ID, Name: p.Name}
}

// mayRead is the condition under which somebody may see a ticket: staff all, customers their own.
func mayRead(p *accounts.Person, number string) (string, []any, error) {
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 1 {
		return "", nil, fault.NotFound("There is no such ticket.")
	}
	if p.Staff() {
		return `t.number = $1`, []any{n}, nil
	}
	return `t.number = $1 AND t.requester_id = $2`, []any{n, p.ID}, nil
}

// View gives a ticket with what was said on it.
func (d *Desk) View(ctx context.Context, t Ticket, staff bool) (map[string]any, error) {
	comments, err := commentsOf(ctx, d.db, t.Number, staff)
	if err != nil {
		return nil, err
	}
	var history []Entry
	if staff {
		if history, err = historyOf(ctx, d.db, t.Number); err != nil {
			return nil, err
		}
	}
	return t.View(comments, history, staff), nil
}

func (d *Desk) answer(c echo.Context, status int, t Ticket) error {
	v, err := d.View(c.Request().Context(), t, accounts.Who(c).Staff())
	if err != nil {
		return err
	}
	return c.JSON(status, map[string]any{"ticket": v})
}

func (d *Desk) postTicket(c echo.Context) error {
	var in struct {
		Email       string             `json:"email"`
		Name        string             `json:"name"`
		Subject     string             `json:"subject"`
		Description string             `json:"description"`
		Priority    lifecycle.Priority `json:"priority"`
		Diagnostics Diagnostics        `json:"diagnostics"`
	}
	if err := web.Bind(c, &in); err != nil {
		return err
	}
	n := New{Subject: in.Subject, RequesterName: in.Name, RequesterEmail: in.Email, Priority: in.Priority, Origin: "web", Diagnostics: in.Diagnostics, Key: web.IdempotencyKey(c)}
	if accounts.Bearer(c.Request()) != "" {
		n.Origin = "api"
	}
	if in.Description == "" {
		in.Description = in.Diagnostics.Description
	}
	if p := accounts.Who(c); p != nil && !p.Staff() { // a signed-in customer's ticket is his
		n.RequesterID, n.RequesterEmail, n.RequesterName = p.ID, p.Email, p.Name
	}
	n.By = lifecycle.Actor{Kind: "customer", ID: n.RequesterID, Name: n.RequesterName}
	n.Said = []Said{{By: n.By, Body: in.Description, Public: true}}
	t, err := d.Open(c.Request().Context(), n)
	if err != nil {
		return err
	}
	return d.answer(c, http.StatusCreated, t)
}

// Open makes a ticket in a transaction of its own.
func (d *Desk) Open(ctx context.Context, n New) (t Ticket, err error) {
	err = postgres.InTx(ctx, d.db, func(tx *sqlx.Tx) error {
		t, _, err = d.Create(ctx, tx, n)
		return err
	})
	if err == nil {
		d.Published(ctx, t.Number)
	}
	return t, err
}

func (d *Desk) getTicket(c echo.Context) error {
	where, args, err := mayRead(accounts.Who(c), c.Param("number"))
	if err != nil {
		return err
	}
	t, err := get(c.Request().Context(), d.db, false, where, args...)
	if err != nil {
		if fault.KindOf(err) == fault.Missing {
			return fault.NotFound("There is no such ticket.")
		}
		return err
	}
	return d.answer(c, http.StatusOK, t)
}

func (d *Desk) patchTicket(c echo.Context) error {
	var in struct {
		Priority    *lifecycle.Priority `json:"priority"`
		Assignee    *string             `json:"assignee"`
		Status      *lifecycle.Status   `json:"status"`
		Diagnostics *Diagnostics        `json:"diagnostics"`
		Version     int                 `json:"version"`
		Why         string              `json:"why"`
	}
	if err := web.Bind(c, &in); err != nil {
		return err
	}
	me, ctx := accounts.Who(c), c.Request().Context()
	where, args, err := mayRead(me, c.Param("number"))
	if err != nil {
		return err
	}
	if in.Version < 1 {
		return fault.WrongField("version", "Say which version you have read.")
	}
	ch := Change{Version: in.Version}
	if in.Priority != nil {
		ch.Events = append(ch.Events, lifecycle.PrioritySet{To: *in.Priority, Why: in.Why})
	}
	if in.Assignee != nil {
		ev := lifecycle.Assigned{To: *in.Assignee, Why: in.Why}
		if ev.To != "" {
			p, err := d.people.Staff(ctx, d.db, ev.To)
			if err != nil {
				return fault.WrongField("assignee", "There is no such champion.")
			}
			ev.Name = p.Name
		}
		ch.Events = append(ch.Events, ev)
	}
	if in.Status != nil {
		if !in.Status.Valid() {
			return fault.WrongField("status", "open, pending, solved or closed.")
		}
		ch.Events = append(ch.Events, lifecycle.StatusSet{To: *in.Status, Why: in.Why})
	}
	if in.Diagnostics != nil {
		if wrong := in.Diagnostics.check(&d.settings.Current().Doc); len(wrong) > 0 {
			return fault.Wrong(wrong...)
		}
		ch.Events = append(ch.Events, lifecycle.DetailsChanged{What: "diagnostics"})
		ch.Edit = func(t *Ticket) error { t.Diagnostics = *in.Diagnostics; return nil }
	}
	t, err := d.Do(ctx, actor(me), ch, where, args...)
	if err != nil {
		return err
	}
	return d.answer(c, http.StatusOK, t)
}

func (d *Desk) postComment(c echo.Context) error {
	var in struct {
		Body        string           `json:"body"`
		Public      *bool            `json:"public"`
		Status      lifecycle.Status `json:"status"`
		Attachments []string         `json:"attachments"`
	}
	if err := web.Bind(c, &in); err != nil {
		return err
	}
	me := accounts.Who(c)
	switch {
	case strings.TrimSpace(in.Body) == "" || len(in.Body) > maxText:
		return fault.WrongField("body", "Say something, up to 50,000 bytes.")
	case len(in.Attachments) > 0:
		return fault.WrongField("attachments[0]", "There is no such upload.")
	case !me.Staff() && (in.Public != nil || in.Status != ""):
		return fault.WrongField("public", "This is for champions.")
	case in.Status != "" && in.Status != lifecycle.Open && in.Status != lifecycle.Pending && in.Status != lifecycle.Solved:
		return fault.WrongField("status", "open, pending or solved.")
	case in.Status != "" && in.Public != nil && !*in.Public:
		return fault.WrongField("public", "A reply that changes the status is for the customer.")
	}
	where, args, err := mayRead(me, c.Param("number"))
	if err != nil {
		return err
	}
	by := actor(me)
	public := !me.Staff() || in.Status != "" || (in.Public != nil && *in.Public)
	ch := Change{Comment: &Said{By: by, Body: in.Body, Public: public}, Key: web.IdempotencyKey(c)}
	switch {
	case !me.Staff():
		ch.Events = []lifecycle.Event{lifecycle.CustomerReplied{}}
	case public:
		ch.Events = []lifecycle.Event{lifecycle.ChampionReplied{Status: in.Status}}
	default:
		ch.Events = []lifecycle.Event{lifecycle.NoteAdded{}}
	}
	t, err := d.Do(c.Request().Context(), by, ch, where, args...)
	if err != nil {
		return err
	}
	return d.answer(c, http.StatusCreated, t)
}

// views are the saved views of the console.
var views = map[string]string{
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
	limit, err := strconv.Atoi(q("limit"))
	if err != nil || limit < 1 || limit > 100 {
		limit = 50
	}
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
		AND ($4 = '' OR t.search @@ plainto_tsquery('simple', $4) OR t.number::text = $4 OR t.subject ILIKE '%' || $4 || '%' OR t.requester_email ILIKE '%' || $4 || '%')
		AND $5::timestamptz IS NOT NULL AND $6::text IS NOT NULL AND ($7 OR t.requester_id::text = $6) AND `+condition+order+` LIMIT $8 OFFSET $9`,
		q("status"), q("priority"), assignee, strings.ReplaceAll(q("q"), "\x00", ""), d.now(), me.ID, me.Staff(), limit+1, offset)
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
		out = append(out, v)
	}
	return out, nil
}

func (d *Desk) getCounts(c echo.Context) error {
	var n struct {
		Mine       int `db:"mine" json:"mine"`
		Unassigned int `db:"unassigned" json:"unassigned"`
		DueToday   int `db:"due_today" json:"due_today"`
		Pending    int `db:"pending" json:"pending"`
		Escalated  int `db:"escalated" json:"escalated"`
	}
	err := d.db.GetContext(c.Request().Context(), &n, `SELECT count(*) FILTER (WHERE assignee_id = $1) AS mine, count(*) FILTER (WHERE assignee_id IS NULL) AS unassigned,
		count(*) FILTER (WHERE status = 'open' AND update_due_at < $2) AS due_today, count(*) FILTER (WHERE status = 'pending') AS pending,
		count(*) FILTER (WHERE escalated) AS escalated FROM tickets WHERE status <> 'closed'`, accounts.Who(c).ID, d.now().Add(24*time.Hour))
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

// Own lists the newest tickets of a customer.
func (d *Desk) Own(ctx context.Context, person string) ([]map[string]any, error) {
	var rows []row
	if err := d.db.SelectContext(ctx, &rows, `SELECT `+columns+` FROM tickets t WHERE t.requester_id::text = $1 ORDER BY t.number DESC LIMIT 100`, person); err != nil {
		return nil, postgres.Kind(ctx, err)
	}
	return viewAll(rows, false)
}
