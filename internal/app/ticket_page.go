package app

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"chatnow/internal/accounts"
	"chatnow/internal/fault"
	"chatnow/internal/files"
	"chatnow/internal/settings"
	"chatnow/internal/text"
	"chatnow/internal/web"
	"chatnow/tickets"
	"chatnow/tickets/lifecycle"
)

// moment is an instant as a page shows it: in the company's zone, until a script shows the reader's.
type moment struct{ ISO, Text string }

func at(t time.Time, s *settings.Snapshot) moment {
	if t.IsZero() {
		return moment{}
	}
	return moment{t.UTC().Format(time.RFC3339), when(t, s)}
}

// standing says in plain words where a ticket stands; Before and After stand around the instant at
// which something happens next (M7).
type standing struct {
	State, Before, After string
	At                   moment
}

func stands(t *tickets.Ticket, s *settings.Snapshot, now time.Time) standing {
	switch t.Status {
	case lifecycle.Pending:
		return standing{"We are waiting for you", "Without an answer it becomes Solved on ", ".", at(t.SolvesAt, s)}
	case lifecycle.Solved:
		return standing{"We believe that it is solved", "It closes on ", " unless you answer.", at(t.ClosesAt, s)}
	case lifecycle.Closed:
		if t.MergedInto != 0 {
			return standing{State: "We deal with this together with another ticket", Before: "What you write here reaches us."}
		}
		return standing{State: "This ticket is closed", Before: "An answer opens a follow-up ticket with everything in it."}
	}
	if t.UpdateDueAt.IsZero() {
		return standing{State: "It is our turn"}
	}
	if t.UpdateDueAt.Before(now) {
		return standing{"It is our turn, and we are late", "You should have heard from us by ", ". It is first in line.", at(t.UpdateDueAt, s)}
	}
	return standing{"It is our turn", "You hear from us by ", ".", at(t.UpdateDueAt, s)}
}

// remark is one thing said, as the page shows it.
type remark struct {
	Who, Kind, Body string
	At              moment
	Files           []map[string]any
}

func (p *pages) ticket(c echo.Context) error {
	me, ctx := accounts.Who(c), c.Request().Context()
	if me.Staff() {
		return c.Redirect(http.StatusSeeOther, "/console?ticket="+c.Param("number"))
	}
	t, err := p.tickets.Read(ctx, me, c.Param("number"))
	if err != nil {
		return err
	}
	shown, err := p.tickets.Shown(ctx, me, t)
	if err != nil {
		return err
	}
	if shown.Number != t.Number { // merged into another one of his, which goes on
		return c.Redirect(http.StatusSeeOther, "/tickets/"+itoa(shown.Number))
	}
	return p.showTicket(c, http.StatusOK, nil)
}

func (p *pages) showTicket(c echo.Context, status int, more map[string]any) error {
	ctx, me := c.Request().Context(), accounts.Who(c)
	t, err := p.tickets.Read(ctx, me, c.Param("number"))
	if err != nil {
		return err
	}
	view, err := p.tickets.View(ctx, t, false)
	if err != nil {
		return err
	}
	data, s := p.frame("tickets", "Ticket "+c.Param("number"))
	data["T"], data["Stands"], data["Key"], data["Body"] = t, stands(&t, s, p.now()), uuid.NewString(), ""
	data["Answer"] = c.QueryParam("answer") // the button of a mail; it is pressed here, not there
	data["Created"] = at(t.CreatedAt, s)
	data["PriorityName"], data["Definition"] = priorityWords(s, t.Priority)
	var said []remark
	comments, _ := view["comments"].([]map[string]any)
	for _, one := range comments {
		author, _ := one["author"].(map[string]string)
		body, _ := one["body"].(string)
		when, _ := one["at"].(string)
		instant, err := time.Parse(time.RFC3339Nano, when)
		if err != nil {
			return err
		}
		files, _ := one["attachments"].([]map[string]any)
		said = append(said, remark{Who: author["name"], Kind: author["kind"], Body: body, At: at(instant, s), Files: files})
	}
	data["Said"] = said
	data["Files"], data["Escalations"] = view["files"], view["escalations"]
	list, _ := view["escalations"].([]map[string]any)
	for _, e := range list {
		if e["state"] == "open" || e["state"] == "accepted" {
			data["Escalated"] = true
		}
	}
	for k, v := range more {
		data[k] = v
	}
	return p.Render(c, status, "ticket", data)
}

func priorityWords(s *settings.Snapshot, level lifecycle.Priority) (name, definition string) {
	for _, one := range s.Priorities {
		if one.ID == string(level) {
			return one.Name, one.Definition
		}
	}
	return string(level), ""
}

// act does what a button of the ticket's page says. The hidden key makes a double click one answer.
func (p *pages) act(c echo.Context) error {
	me, ctx, number := accounts.Who(c), c.Request().Context(), c.Param("number")
	if me.Staff() {
		return fault.Denied("Champions answer in the console.")
	}
	uploads, err := p.arrived(c, "attachments")
	if err != nil {
		return err
	}
	key := c.FormValue("key")
	if _, err := uuid.Parse(key); err != nil {
		key = uuid.NewString()
	}
	key = "page:" + me.ID + ":" + key
	var t tickets.Ticket
	switch c.FormValue("do") {
	case "solved":
		t, err = p.tickets.CustomerSolved(ctx, me, number)
	case "escalate":
		if t, err = p.tickets.Read(ctx, me, number); err == nil {
			in := tickets.Asked{Reason: c.FormValue("reason"), Priority: lifecycle.Priority(c.FormValue("priority")), Contact: c.FormValue("contact"), Key: key}
			var e tickets.Escalation
			e, _, err = p.tickets.Escalate(ctx, lifecycle.Actor{Kind: "customer", ID: me.ID, Name: me.Name}, in, `t.number = $1`, t.Number)
			t.Number = e.Ticket
		}
	default:
		body := c.FormValue("body")
		if strings.TrimSpace(body) == "" {
			switch {
			case c.FormValue("do") == "help":
				body = "I still need help."
			case len(uploads) > 0:
				body = "See the files." // a file without words is an answer, too (M36)
			}
		}
		t, err = p.tickets.CustomerReply(ctx, me, number, body, uploads, key)
	}
	if err != nil {
		if k := fault.KindOf(err); k == fault.Internal || k == fault.Missing {
			return err
		}
		return p.showTicket(c, web.Status(err), map[string]any{"Problem": web.Problem(err), "Body": c.FormValue("body"), "Reason": c.FormValue("reason"), "Contact": c.FormValue("contact")})
	}
	return c.Redirect(http.StatusSeeOther, "/tickets/"+itoa(t.Number)+"#end")
}

// survey shows the one question; only POST stores (M38).
func (p *pages) survey(c echo.Context) error { return p.showSurvey(c, http.StatusOK, nil) }

func (p *pages) showSurvey(c echo.Context, status int, more map[string]any) error {
	one, err := p.tickets.Survey(c.Request().Context(), c.Param("token"))
	if err != nil {
		return err
	}
	data, s := p.frame("survey", "How did we do?")
	rating := 0
	if one.Rating != nil {
		rating = *one.Rating
	}
	data["S"], data["Rating"], data["Until"], data["Over"] = one, rating, at(one.Until, s), !p.now().Before(one.Until)
	data["Marks"] = []struct {
		N    int
		Word string
	}{{5, "Very good"}, {4, "Good"}, {3, "So-so"}, {2, "Bad"}, {1, "Very bad"}}
	for k, v := range more {
		data[k] = v
	}
	return p.Render(c, status, "survey", data)
}

func (p *pages) rate(c echo.Context) error {
	rating := 0
	if r := c.FormValue("rating"); len(r) == 1 && r[0] >= '1' && r[0] <= '5' {
		rating = int(r[0] - '0')
	}
	_, err := p.tickets.AnswerSurvey(c.Request().Context(), c.Param("token"), rating, c.FormValue("comment"))
	if err != nil {
		if k := fault.KindOf(err); k == fault.Internal || k == fault.Missing {
			return err
		}
		return p.showSurvey(c, web.Status(err), map[string]any{"Problem": web.Problem(err)})
	}
	return p.showSurvey(c, http.StatusOK, map[string]any{"Done": true})
}

// arrived gives the ids of a form's files: those that a script has sent ahead, and those that a browser
// without script sends along.
func (p *pages) arrived(c echo.Context, field string) ([]string, error) {
	form, err := c.MultipartForm()
	if errors.Is(err, http.ErrNotMultipart) {
		f, err := c.FormParams()
		if err != nil {
			return nil, fault.Bad("The form could not be read.").Because(err)
		}
		return f[field], storable(f)
	}
	if err != nil {
		return nil, fault.Bad("The form could not be read.").Because(err)
	}
	if err := storable(form.Value); err != nil {
		return nil, err
	}
	ids := form.Value[field]
	person := ""
	if me := accounts.Who(c); me != nil {
		person = me.ID
	}
	for _, header := range form.File["files"] {
		if header.Filename == "" || len(ids) >= files.MaxNamed {
			continue
		}
		f, err := header.Open()
		if err != nil {
			return nil, err
		}
		u, err := p.uploads.Keep(c.Request().Context(), header.Filename, f, person)
		_ = f.Close() // it was only read
		if err != nil {
			return nil, err
		}
		ids = append(ids, u.ID)
	}
	return ids, nil
}

// storable refuses a form with what no column holds; no browser sends it.
func storable(f map[string][]string) error {
	for name, values := range f {
		for _, v := range values {
			if !text.Storable(v) {
				return fault.WrongField(name, "This is not valid UTF-8, or holds the character U+0000.")
			}
		}
	}
	return nil
}
