package tickets

import (
	"context"
	"net/http"
	"strconv"
	"strings"

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
	srv.API(http.MethodPost, "/tickets/:number/solved", accounts.SignedIn, d.postSolved, once)
	srv.API(http.MethodPost, "/tickets/:number/escalations", accounts.SignedIn, d.postEscalation, srv.Limit("escalations", 1.0/60, 10), once)
	srv.API(http.MethodPost, "/tickets/:number/merge", accounts.Staff, d.postMerge, once)
	srv.API(http.MethodPost, "/tickets/:number/unmerge", accounts.Staff, d.postUnmerge, once)
	srv.API(http.MethodPost, "/settings/preview", accounts.Admins, d.postPreview)
	srv.API(http.MethodGet, "/escalations", accounts.Managers, d.getEscalations)
	srv.API(http.MethodPatch, "/escalations/:id", accounts.Managers, d.patchEscalation, once)
	srv.API(http.MethodPost, "/surveys/:token", web.Anyone, d.postSurvey, srv.Limit("surveys", 1.0/10, 20))
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
		Timezone    string             `json:"timezone"`
	}
	if err := web.Bind(c, &in); err != nil {
		return err
	}
	n := New{Subject: in.Subject, RequesterName: in.Name, RequesterEmail: in.Email, RequesterZone: in.Timezone, Priority: in.Priority, Origin: "web", Diagnostics: in.Diagnostics, Key: web.IdempotencyKey(c)}
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
	t, err := d.Read(c.Request().Context(), accounts.Who(c), c.Param("number"))
	if err == nil {
		t, err = d.Shown(c.Request().Context(), accounts.Who(c), t)
	}
	if err != nil {
		return err
	}
	return d.answer(c, http.StatusOK, t)
}

// Read gives a ticket to whoever may see it; foreign and unknown are alike.
func (d *Desk) Read(ctx context.Context, p *accounts.Person, number string) (Ticket, error) {
	where, args, err := mayRead(p, number)
	if err != nil {
		return Ticket{}, err
	}
	t, err := get(ctx, d.db, false, where, args...)
	return t, unknownTicket(err)
}

// postSolved is the customer's "solved, thank you".
func (d *Desk) postSolved(c echo.Context) error {
	t, err := d.CustomerSolved(c.Request().Context(), accounts.Who(c), c.Param("number"))
	if err != nil {
		return err
	}
	return d.answer(c, http.StatusOK, t)
}

// CustomerSolved ends a ticket in the customer's name; pressed twice it changes nothing.
func (d *Desk) CustomerSolved(ctx context.Context, p *accounts.Person, number string) (Ticket, error) {
	if p.Staff() {
		return Ticket{}, fault.Denied("Only the customer says this. Champions solve with their answer.")
	}
	where, args, err := mayRead(p, number)
	if err != nil {
		return Ticket{}, err
	}
	t, err := d.Do(ctx, actor(p), Change{Events: []lifecycle.Event{lifecycle.CustomerSolved{}}}, where, args...)
	return t, unknownTicket(err)
}

// CustomerReply adds what a customer says; to a closed ticket it gives the follow-up (M34).
func (d *Desk) CustomerReply(ctx context.Context, p *accounts.Person, number, body string, uploads []string, key string) (Ticket, error) {
	if strings.TrimSpace(body) == "" || len(body) > maxText {
		return Ticket{}, fault.WrongField("body", "Say something, up to 50,000 bytes.")
	}
	where, args, err := mayRead(p, number)
	if err != nil {
		return Ticket{}, err
	}
	by := actor(p)
	t, err := d.Do(ctx, by, Change{Comment: &Said{By: by, Body: body, Public: true, Files: uploads}, Events: []lifecycle.Event{lifecycle.CustomerReplied{}}, Key: key}, where, args...)
	return t, unknownTicket(err)
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
	ch := Change{Comment: &Said{By: by, Body: in.Body, Public: public, Files: in.Attachments}, Key: web.IdempotencyKey(c)}
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
