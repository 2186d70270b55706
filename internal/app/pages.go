package app

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"chatnow/chat"
	"chatnow/internal/accounts"
	"chatnow/internal/files"
	"chatnow/internal/settings"
	"chatnow/internal/web"
	"chatnow/static"
	"chatnow/tickets"
)

// pages is what the pages for people are made of.
type pages struct {
	*framed
	st      *settings.Store
	chats   *chat.Desk
	tickets *tickets.Desk
	uploads *files.Service
	secure  bool // cookies go over HTTPS alone
	now     func() time.Time
}

func pageRoutes(srv *web.Server, b *static.Bundle, p *pages) {
	srv.Asset("/assets/*", b)
	srv.Asset("/widget.js", http.HandlerFunc(b.Widget))
	srv.ErrorPage(func(c echo.Context, status int, problem map[string]any) error {
		if status == http.StatusUnauthorized {
			return c.Redirect(http.StatusSeeOther, "/account/signin?next="+url.QueryEscape(c.Request().URL.Path))
		}
		return p.Render(c, status, "error", map[string]any{"Title": http.StatusText(status), "Problem": problem})
	})
	srv.Page(http.MethodGet, "/", web.Anyone, p.help)
	srv.Page(http.MethodGet, "/chat", web.Anyone, func(c echo.Context) error {
		web.AllowFraming(c)
		return p.Render(c, http.StatusOK, "chat", map[string]any{"Title": "Chat now"})
	})
	srv.Page(http.MethodGet, "/console", accounts.Staff, func(c echo.Context) error {
		return p.Render(c, http.StatusOK, "console", map[string]any{"Title": "Chatnow console"})
	})
	srv.Page(http.MethodGet, "/tickets/new", web.Anyone, func(c echo.Context) error {
		return p.form(c, http.StatusOK, c.QueryParams(), uuid.NewString(), nil)
	})
	srv.FilePage(http.MethodPost, "/tickets/new", files.MaxBody, web.Anyone, p.send, srv.Limit("tickets", 1.0/10, 20), files.Incoming(srv))
	srv.Page(http.MethodGet, "/tickets/sent", web.Anyone, p.confirmation)
	srv.Page(http.MethodGet, "/tickets", accounts.SignedIn, p.own)
	srv.Page(http.MethodGet, "/tickets/:number", accounts.SignedIn, p.ticket)
	srv.FilePage(http.MethodPost, "/tickets/:number", files.MaxBody, accounts.SignedIn, p.act, files.Incoming(srv))
	srv.Page(http.MethodGet, "/survey/:token", web.Anyone, p.survey)
	srv.Page(http.MethodPost, "/survey/:token", web.Anyone, p.rate, srv.Limit("surveys", 1.0/10, 20))
}

// frame is what every page of the customers' side has.
func (p *pages) frame(page, title string) (map[string]any, *settings.Snapshot) {
	s := p.st.Current()
	var others []settings.Product
	for _, product := range s.Products {
		if !product.Served {
			others = append(others, product)
		}
	}
	return map[string]any{"Page": page, "Title": title, "Others": others,
		"Priorities": s.Priorities, "Products": s.Products, "Destinations": s.Destinations}, s
}

// when writes an instant in the company's zone, weekday first.
func when(t time.Time, s *settings.Snapshot) string {
	return t.In(s.Calendar.Location()).Format("Monday 2 January, 3:04 PM MST")
}

// looks says when somebody will look at a ticket that is written now.
func (p *pages) looks(s *settings.Snapshot, now time.Time) string {
	if s.Calendar.Open(now) {
		return "Customer Champions are looking at tickets now."
	}
	if at, ok := s.Calendar.NextOpen(now); ok {
		return "Customer Champions look at tickets again on " + when(at, s) + "."
	}
	return ""
}

func (p *pages) help(c echo.Context) error {
	data, s := p.frame("help", p.st.Current().Name+" support")
	ctx, cancel := context.WithTimeout(c.Request().Context(), 3*time.Second)
	defer cancel()
	a, err := p.chats.Availability(ctx)
	if err != nil {
		return err
	}
	now := p.now()
	word, _ := a["chat"].(string)
	data["A"], data["CanChat"] = a, word == "available" || word == "busy"
	data["State"], data["Headline"], data["Detail"] = p.words(s, word, now)
	names, _ := a["champions"].([]string)
	if len(names) > 0 && s.Calendar.Open(now) {
		data["Who"] = strings.Join(names, ", ") + map[bool]string{true: " is here.", false: " are here."}[len(names) == 1]
	}
	data["Looks"] = p.looks(s, now)
	support := s.Support(now)
	for i := range support.Week {
		support.Week[i].Weekday = support.Week[i].Weekday[:3] + " " + support.Week[i].Date[8:]
	}
	data["Week"] = support.Week
	data["PendingDays"], data["SolvedDays"] = days(s.Policy.PendingSolvesAfter.D()), days(s.Policy.SolvedClosesAfter.D())
	c.Response().Header().Set("Cache-Control", "no-store") // the page changes at the instant of opening
	return p.Render(c, http.StatusOK, "help", data)
}

func (p *pages) words(s *settings.Snapshot, word string, now time.Time) (state, headline, detail string) {
	if word == "closed" {
		detail = "The ticket form is open day and night."
		if at, ok := s.Calendar.NextOpen(now); ok {
			return "Closed now", "Chat opens " + when(at, s), detail
		}
		return "Closed now", "Chat is closed", detail
	}
	headline = "Chat with a Customer Champion"
	if at, ok := s.Calendar.NextClose(now); ok {
		headline += " until " + at.In(s.Calendar.Location()).Format("3:04 PM MST")
	}
	switch word {
	case "unstaffed":
		return "Nobody is here at this moment", "No Customer Champion is here at this moment", "It is within chat hours; try again soon, or write a ticket: it is answered by the next business day."
	case "busy":
		return "Open now, and busy", headline, "All champions are in conversations; you will be next in line."
	}
	return "Open now", headline, "Somebody is with you in a moment."
}

func days(d time.Duration) string {
	if n := int(d / (24 * time.Hour)); d%(24*time.Hour) == 0 && n > 0 {
		if n == 1 {
			return "one day"
		}
		return fmt.Sprintf("%d days", n)
	}
	return d.String()
}

// own lists the tickets of whoever is signed in.
func (p *pages) own(c echo.Context) error {
	me := accounts.Who(c)
	if me.Staff() {
		return c.Redirect(http.StatusSeeOther, "/console")
	}
	data, s := p.frame("tickets", "My tickets")
	list, err := p.tickets.Own(c.Request().Context(), me.ID)
	if err != nil {
		return err
	}
	type line struct {
		T      tickets.Ticket
		Stands standing
	}
	var lines []line
	for _, t := range list {
		lines = append(lines, line{t, stands(&t, s, p.now())})
	}
	data["Tickets"] = lines
	return p.Render(c, http.StatusOK, "tickets", data)
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
