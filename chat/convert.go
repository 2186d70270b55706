package chat

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/labstack/echo/v4"

	"chatnow/internal/accounts"
	"chatnow/internal/postgres"
	"chatnow/internal/text"
	"chatnow/internal/web"
	"chatnow/tickets"
	"chatnow/tickets/lifecycle"
)

// postTicket makes a ticket of a chat, during it or after (M56): transcript, notes, priority and
// diagnostics in one transaction. Done twice, it gives the same ticket.
func (d *Desk) postTicket(c echo.Context) error {
	var in struct {
		Subject     string              `json:"subject"`
		Priority    lifecycle.Priority  `json:"priority"`
		Diagnostics tickets.Diagnostics `json:"diagnostics"`
	}
	if err := web.Bind(c, &in); err != nil {
		return err
	}
	chat, to, err := d.chatOf(c)
	if err != nil {
		return err
	}
	by := lifecycle.Actor{Kind: "customer", ID: chat.CustomerID, Name: chat.CustomerName}
	assignee := ""
	if to == ForStaff {
		me := accounts.Who(c)
		by, assignee = lifecycle.Actor{Kind: "champion", ID: me.ID, Name: me.Name}, me.ID
	}
	var t tickets.Ticket
	var made bool
	var said []Stored
	ctx := c.Request().Context()
	err = postgres.InTx(ctx, d.db, func(tx *sqlx.Tx) error {
		said = nil
		if chat, err = get(ctx, tx, true, `c.id = $1`, chat.ID); err != nil { // locked: two who convert take turns
			return err
		}
		transcript, notes, err := d.transcript(c, tx, chat)
		if err != nil {
			return err
		}
		if in.Subject == "" {
			in.Subject = subject(chat.Question)
		}
		if in.Diagnostics.Product == "" {
			in.Diagnostics.Product = chat.Product
		}
		comments := append([]tickets.Said{{By: lifecycle.System, Body: transcript, Public: true}}, notes...)
		if t, made, err = d.tickets.Create(ctx, tx, tickets.New{
			Subject: in.Subject, RequesterID: chat.CustomerID, RequesterName: chat.CustomerName, RequesterEmail: chat.CustomerEmail, RequesterZone: chat.Timezone,
			Priority: in.Priority, Origin: "chat", Diagnostics: in.Diagnostics, Assignee: assignee, Chat: chat.ID, Said: comments, By: by,
		}); err != nil || !made {
			return err
		}
		chat.Ticket = t.Number
		said, err = save(ctx, tx, chat, []string{"This chat is now ticket " + strconv.FormatInt(t.Number, 10) + "."}, d.now())
		return err
	})
	if err != nil {
		return err
	}
	if made {
		d.changed(ctx, chat, said)
		d.tickets.Published(ctx, t.Number)
	}
	view, err := d.tickets.View(ctx, t, to == ForStaff)
	if err != nil {
		return err
	}
	status := http.StatusCreated
	if !made {
		status = http.StatusOK
	}
	return c.JSON(status, map[string]any{"ticket": view})
}

// transcript is the whole log as text, and the notes as internal comments.
func (d *Desk) transcript(c echo.Context, tx *sqlx.Tx, chat *Chat) (string, []tickets.Said, error) {
	ctx := c.Request().Context()
	zone := d.settings.Current().Calendar.Location()
	var b strings.Builder
	for after := int64(0); ; {
		ms, err := readMessages(ctx, tx, chat.ID, after, page)
		if err != nil {
			return "", nil, err
		}
		for _, m := range ms {
			who := m.From.Name
			if who == "" {
				who = "Chatnow"
			}
			b.WriteString("[" + m.At.In(zone).Format("15:04") + "] " + who + ": " + m.Body + "\n")
			after = m.Seq
		}
		if len(ms) < page {
			break
		}
	}
	notes, err := readNotes(ctx, tx, chat.ID)
	if err != nil {
		return "", nil, err
	}
	var out []tickets.Said
	for _, n := range notes {
		out = append(out, tickets.Said{By: lifecycle.Actor{Kind: "champion", Name: n.Author}, Body: n.Body, At: n.At.Truncate(time.Microsecond)})
	}
	return b.String(), out, nil
}

// subject makes a line of the first words of a question.
func subject(question string) string {
	line := text.Line(question)
	if short := text.Cut(line, 80); short != line {
		if i := strings.LastIndexByte(short, ' '); i > 20 {
			short = short[:i]
		}
		return short + "…"
	}
	return line
}
