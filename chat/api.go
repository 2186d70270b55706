package chat

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/labstack/echo/v4"

	"chatnow/chat/protocol"
	"chatnow/internal/accounts"
	"chatnow/internal/cluster"
	"chatnow/internal/fault"
	"chatnow/internal/postgres"
	"chatnow/internal/settings"
	"chatnow/internal/text"
	"chatnow/internal/web"
)

// Routes registers what programs and browsers call.
func (d *Desk) Routes(srv *web.Server) {
	anonymous := func(c echo.Context) string {
		if p := accounts.Who(c); p != nil {
			return p.ID
		}
		if b := accounts.Bearer(c.Request()); b != "" {
			return string(accounts.HashToken(b))
		}
		return ""
	}
	srv.API(http.MethodGet, "/availability", web.Anyone, d.getAvailability)
	srv.API(http.MethodPost, "/chats", web.Anyone, d.postChat, srv.Limit("chats", 1.0/10, 20), srv.Idempotent(anonymous))
	srv.API(http.MethodGet, "/chats", accounts.Staff, d.getChats)
	srv.API(http.MethodGet, "/chats/:id", holder, d.getChat)
	srv.API(http.MethodGet, "/chats/:id/messages", holder, d.getMessages)
	srv.API(http.MethodGet, "/chats/:id/context", accounts.Staff, d.getContext)
	srv.API(http.MethodPost, "/chats/:id/ticket", holder, d.postTicket, srv.Idempotent(anonymous))
	srv.API(http.MethodPost, "/chats/:id/files", holder, d.postFiles)
	srv.API(http.MethodGet, "/staff", accounts.Staff, func(c echo.Context) error {
		members, err := staff(c.Request().Context(), d.db, d.now())
		if err != nil {
			return err
		}
		return c.JSON(http.StatusOK, map[string]any{"staff": members})
	})
	srv.Socket("/ws/chat", web.Anyone, func(c echo.Context) error { return d.serve(c, true, d.customer) })
	srv.Socket("/ws/console", accounts.Staff, func(c echo.Context) error {
		if err := srv.SameOrigin(c); err != nil {
			return err
		}
		me := accounts.Who(c)
		return d.serve(c, false, func(k *conn) { d.console(k, me) })
	})
}

// holder is staff, or whoever holds a token; that it is this chat's is checked in the query.
var holder = web.Permission{Name: "staff or chat token", Allow: func(c echo.Context) error {
	if accounts.Who(c).Staff() || accounts.Bearer(c.Request()) != "" {
		return nil
	}
	return fault.NoEntry("Sign in, or send the chat's token.")
}}

// chatOf reads the chat of a route for staff or for the holder of its token; anything else is unknown.
func (d *Desk) chatOf(c echo.Context) (*Chat, Audience, error) {
	id := c.Param("id")
	unknown := fault.NotFound("There is no such chat.")
	if !protocol.IsID(id) {
		return nil, 0, unknown
	}
	if accounts.Who(c).Staff() {
		chat, err := get(c.Request().Context(), d.db, false, `c.id = $1`, id)
		return chat, ForStaff, err
	}
	chat, err := get(c.Request().Context(), d.db, false, `c.id = $1 AND c.token_hash = $2`, id, accounts.HashToken(accounts.Bearer(c.Request())))
	if fault.KindOf(err) == fault.Missing && err != nil {
		return nil, 0, unknown
	}
	return chat, ForCustomer, err
}

// gate is the conjunction that decides whether a chat may begin (M60).
type gate struct {
	snap     *settings.Snapshot
	schedule bool
	duty     []Member
	queue    int
}

func (d *Desk) gate(ctx context.Context, q sqlx.QueryerContext, snap *settings.Snapshot, now time.Time) (g gate, err error) {
	g = gate{snap: snap, schedule: snap.Calendar.Open(now)}
	members, err := staff(ctx, q, now)
	if err != nil {
		return g, err
	}
	g.duty = onDuty(members)
	err = sqlx.GetContext(ctx, q, &g.queue, `SELECT count(*) FROM chats WHERE state = 'queued'`)
	return g, postgres.Kind(ctx, err)
}

func (g *gate) hands() (all, free int) {
	for _, m := range g.duty {
		all += m.Capacity
		free += max(m.Capacity-m.Active, 0)
	}
	return all, free
}

func (g *gate) word() string {
	_, free := g.hands()
	switch {
	case !g.schedule:
		return "closed"
	case len(g.duty) == 0:
		return "unstaffed"
	case free <= g.queue || g.queue >= g.snap.Policy.QueueLimit:
		return "busy"
	}
	return "available"
}

const ticketURL = "/tickets/new"

func (g *gate) next(now time.Time) (opens, closes any) {
	if at, ok := g.snap.Calendar.NextOpen(now); ok && !g.schedule {
		opens = stamp(at)
	}
	if at, ok := g.snap.Calendar.NextClose(now); ok {
		closes = stamp(at)
	}
	return opens, closes
}

// Availability is what the pages and GET /availability say; the gate of POST /chats is made of the same.
func (d *Desk) Availability(ctx context.Context) (map[string]any, error) {
	now := d.now()
	g, err := d.gate(ctx, d.db, d.settings.Current(), now)
	if err != nil {
		return nil, err
	}
	opens, closes := g.next(now)
	all, free := g.hands()
	wait := 0
	if free <= g.queue {
		wait = int(expected(g.queue+1, all).Seconds())
	}
	names := []string{}
	for _, m := range g.duty {
		first, _, _ := strings.Cut(m.Name, " ")
		names = append(names, first)
	}
	return map[string]any{
		"chat": g.word(), "open": g.schedule, "opens_at": opens, "closes_at": closes, "timezone": g.snap.Timezone,
		"queue": g.queue, "wait_seconds": wait, "now": stamp(now), "champions": names, "ticket_url": ticketURL,
		"reasons": map[string]bool{"schedule": g.schedule, "staffed": len(g.duty) > 0, "capacity": free > g.queue, "queue": g.queue < g.snap.Policy.QueueLimit},
	}, nil
}

func (d *Desk) getAvailability(c echo.Context) error {
	v, err := d.Availability(c.Request().Context())
	if err != nil {
		return err
	}
	c.Response().Header().Set("Access-Control-Allow-Origin", "*") // public, and without cookies
	return c.JSON(http.StatusOK, v)
}

func (d *Desk) postChat(c echo.Context) error {
	var in struct {
		Name     string `json:"name"`
		Email    string `json:"email"`
		Question string `json:"question"`
		Product  string `json:"product"`
		PageURL  string `json:"page_url"`
		Timezone string `json:"timezone"`
	}
	if err := web.Bind(c, &in); err != nil {
		return err
	}
	var wrong []fault.Field
	add := func(err error) {
		var f *fault.Error
		if errors.As(err, &f) {
			wrong = append(wrong, f.Fields...)
		}
	}
	name, err := accounts.Name("name", in.Name)
	add(err)
	email, err := accounts.Email("email", in.Email)
	add(err)
	if q := strings.TrimSpace(in.Question); q == "" || len(in.Question) > 20_000 {
		wrong = append(wrong, fault.Field{Field: "question", Detail: "Say in a few words what it is about, up to 20,000 bytes."})
	}
	if len(in.Product) > 200 {
		wrong = append(wrong, fault.Field{Field: "product", Detail: "There is no such product."})
	}
	if len(wrong) > 0 {
		return fault.Wrong(wrong...)
	}
	token, hash := accounts.NewToken()
	chat := &Chat{ID: uuid.NewString(), CustomerName: name, CustomerEmail: email, Question: in.Question, PageURL: text.Cut(in.PageURL, 1000),
		UserAgent: text.Cut(strings.ToValidUTF8(c.Request().UserAgent(), ""), 300)}
	if z, err := time.LoadLocation(in.Timezone); err == nil && z != time.Local && len(in.Timezone) <= 60 {
		chat.Timezone = in.Timezone // a browser's word; without it the company's zone is used
	}
	if p := accounts.Who(c); p != nil {
		chat.CustomerID = p.ID
	}
	ctx := c.Request().Context()
	if chat, err = d.begin(ctx, chat, in.Product, hash, web.IdempotencyKey(c)); err != nil {
		return err
	}
	var position int
	if err := d.db.GetContext(ctx, &position, `SELECT count(*) FROM chats WHERE state = 'queued' AND (waiting_since, id) <= ($1, $2)`, chat.WaitingSince, chat.ID); err != nil {
		return postgres.Kind(ctx, err)
	}
	d.floor.wake()
	d.bus.Publish(ctx, cluster.Hint{Topic: "floor"})
	return c.JSON(http.StatusCreated, map[string]any{"chat": chat.View(ForCustomer, Place{Position: position, Wait: expected(position, 1)}), "token": token})
}

// begin decides at the gate and makes the chat in one transaction (M3, M60).
func (d *Desk) begin(ctx context.Context, chat *Chat, product string, hash []byte, key string) (*Chat, error) {
	err := postgres.InTx(ctx, d.db, func(tx *sqlx.Tx) error {
		snap, err := d.settings.InTx(ctx, tx)
		if err != nil {
			return err
		}
		now := d.now().UTC().Truncate(time.Millisecond)
		g, err := d.gate(ctx, tx, snap, now)
		if err != nil {
			return err
		}
		if err := g.refuse(product, now); err != nil {
			return err
		}
		if p, ok := snap.Product(product); ok {
			chat.Product = p.Name
		}
		chat.State, chat.WaitingSince, chat.CreatedAt = Queued, now, now
		res, err := tx.ExecContext(ctx, `INSERT INTO chats (id, token_hash, state, customer_name, customer_email, customer_id, product, page_url, user_agent,
				question, created_at, waiting_since, last_customer_at, preview, idem_key, customer_gone_at, timezone)
			VALUES ($1, $2, 'queued', $3, $4, $5, $6, $7, $8, $9, $10, $10, $10, left($9, 140), $11, $10, $12) ON CONFLICT (idem_key) DO NOTHING`,
			chat.ID, hash, chat.CustomerName, chat.CustomerEmail, postgres.NullText(chat.CustomerID), chat.Product, chat.PageURL, chat.UserAgent, chat.Question, now, postgres.NullText(key), chat.Timezone)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 { // its first answer never left: the same chat, with a new token
			if chat, err = get(ctx, tx, true, `c.idem_key = $1`, key); err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, `UPDATE chats SET token_hash = $2 WHERE id = $1`, chat.ID, hash)
			return err
		}
		_, err = insertMessage(ctx, tx, chat, FromCustomer, "", chat.CustomerName, chat.Question, now)
		return err
	})
	return chat, err
}

// refuse says why no chat may begin now, and where to go instead: never a dead end.
func (g *gate) refuse(product string, now time.Time) error {
	opens, _ := g.next(now)
	no := func(code, detail string) error {
		return fault.Conflict(code, detail).With("opens_at", opens).With("ticket_url", ticketURL)
	}
	p, known := g.snap.Product(product)
	switch {
	case !known:
		return fault.WrongField("product", "There is no such product.")
	case !p.Served:
		return fault.Conflict("diverted", "Support for "+p.Name+" is elsewhere.").With("url", p.URL).With("explanation", p.Explanation).With("ticket_url", ticketURL)
	case !g.schedule:
		return no("outside_hours", "Chat is closed at the moment. Tickets are open day and night.")
	case len(g.duty) == 0:
		return no("unstaffed", "No Customer Champion is here at the moment. Tickets are open day and night.")
	case g.queue >= g.snap.Policy.QueueLimit:
		return no("queue_full", "Too many people wait at the moment. Tickets are open day and night.")
	}
	return nil
}

func (d *Desk) getChat(c echo.Context) error {
	chat, to, err := d.chatOf(c)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]any{"chat": chat.View(to, d.floor.place(chat.ID))})
}

func (d *Desk) getMessages(c echo.Context) error {
	chat, _, err := d.chatOf(c)
	if err != nil {
		return err
	}
	after, errAfter := number(c.QueryParam("after"), 0)
	limit, errLimit := number(c.QueryParam("limit"), 100)
	if errAfter != nil || errLimit != nil || after < 0 || limit < 1 {
		return fault.WrongField("after", "after and limit are whole numbers.")
	}
	ms, err := readMessages(c.Request().Context(), d.db, chat.ID, after, int(min(limit, 100)))
	if err != nil {
		return err
	}
	out := []map[string]any{}
	for _, m := range ms {
		out = append(out, map[string]any{"seq": m.Seq, "id": m.ID, "from": m.From, "body": m.Body, "at": stamp(m.At)})
	}
	v := map[string]any{"messages": out}
	if n := len(ms); n > 0 && ms[n-1].Seq < chat.Seq {
		v["next_cursor"] = strconv.FormatInt(ms[n-1].Seq, 10)
	}
	return c.JSON(http.StatusOK, v)
}

func number(s string, def int64) (int64, error) {
	if s == "" {
		return def, nil
	}
	return strconv.ParseInt(s, 10, 64)
}

// getChats lists chats for the console: ended ones, newest first, or those that wait or go on, oldest first.
func (d *Desk) getChats(c echo.Context) error {
	switch state := c.QueryParam("state"); state {
	case "", "ended":
	case "queued", "active":
		return d.getLive(c, State(state))
	default:
		return fault.WrongField("state", "queued, active or ended.")
	}
	mine := ""
	if c.QueryParam("mine") != "" {
		mine = accounts.Who(c).ID
	}
	before := d.now().Add(time.Hour)
	if cursor := c.QueryParam("cursor"); cursor != "" {
		at, err := time.Parse(time.RFC3339Nano, cursor)
		if err != nil {
			return fault.WrongField("cursor", "This is no cursor.")
		}
		before = at
	}
	const size = 50
	chats, err := list(c.Request().Context(), d.db, `WHERE c.state IN ('ended', 'missed') AND c.ended_at < $1 AND ($2 = '' OR c.champion_id::text = $2)
		ORDER BY c.ended_at DESC LIMIT $3`, before, mine, size)
	if err != nil {
		return err
	}
	out := []any{}
	for _, chat := range chats {
		out = append(out, chat.View(ForStaff, Place{}))
	}
	v := map[string]any{"chats": out}
	if len(chats) == size {
		v["next_cursor"] = chats[size-1].EndedAt.UTC().Format(time.RFC3339Nano)
	}
	return c.JSON(http.StatusOK, v)
}

// getLive lists all chats that wait or go on: there are never more than people can hold.
func (d *Desk) getLive(c echo.Context, state State) error {
	chats, err := list(c.Request().Context(), d.db, `WHERE c.state = $1 ORDER BY c.waiting_since, c.id LIMIT 1000`, state)
	if err != nil {
		return err
	}
	out := []any{}
	for _, chat := range chats {
		out = append(out, chat.View(ForStaff, d.floor.place(chat.ID)))
	}
	return c.JSON(http.StatusOK, map[string]any{"chats": out})
}

// getContext is who the customer is: former chats and tickets of the address.
func (d *Desk) getContext(c echo.Context) error {
	chat, _, err := d.chatOf(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	former, err := list(ctx, d.db, `WHERE c.customer_email = $1 AND c.id <> $2 ORDER BY c.created_at DESC LIMIT 10`, chat.CustomerEmail, chat.ID)
	if err != nil {
		return err
	}
	chats := []any{}
	for _, f := range former {
		chats = append(chats, f.View(ForStaff, Place{}))
	}
	tks, err := d.tickets.OfEmail(ctx, chat.CustomerEmail, 10)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]any{"chats": chats, "tickets": tks, "customer": map[string]any{
		"name": chat.CustomerName, "email": chat.CustomerEmail, "verified": chat.CustomerID != "", "user_agent": chat.UserAgent, "page_url": chat.PageURL, "timezone": chat.Timezone}})
}
