package app

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"chatnow/internal/accounts"
	"chatnow/internal/fault"
	"chatnow/internal/settings"
	"chatnow/internal/web"
	"chatnow/tickets"
	"chatnow/tickets/lifecycle"
)

// form shows the ticket form, with what was given and what is wrong with it.
func (p *pages) form(c echo.Context, status int, values url.Values, key string, problem map[string]any) error {
	data, s := p.frame("new", "Write a ticket")
	if values.Get("priority") == "" {
		values.Set("priority", "normal")
	}
	if len(values["logs"]) > 0 {
		list, err := p.uploads.Free(c.Request().Context(), values["logs"])
		if err != nil {
			return err
		}
		data["Uploads"] = list
	}
	data["V"], data["Key"], data["Problem"] = values, key, problem
	data["Looks"] = p.looks(s, p.now())
	data["Due"] = "the end of the next business day"
	if at, ok := s.Calendar.EndOfNextBusinessDay(p.now()); ok {
		data["Due"] = when(at, s)
	}
	return p.Render(c, status, "ticket_new", data)
}

// send takes the form without any script. The hidden key makes a double click one ticket.
func (p *pages) send(c echo.Context) error {
	logs, err := p.arrived(c, "logs")
	if err != nil {
		return err
	}
	f, err := c.FormParams()
	if err != nil {
		return fault.Bad("The form could not be read.").Because(err)
	}
	f["logs"] = logs // a form that comes back keeps its files
	lines := func(name string) []string {
		return strings.FieldsFunc(f.Get(name), func(r rune) bool { return r == '\n' || r == '\r' || r == ',' })
	}
	key := f.Get("key")
	if _, err := uuid.Parse(key); err != nil {
		key = uuid.NewString()
	}
	n := tickets.New{Subject: f.Get("subject"), RequesterName: f.Get("name"), RequesterEmail: f.Get("email"), Priority: lifecycle.Priority(f.Get("priority")),
		RequesterZone: f.Get("timezone"),
		Origin:        "web", Key: formKey(key, f), Diagnostics: tickets.Diagnostics{Product: f.Get("product"), OS: f.Get("os"), OSVersion: f.Get("os_version"),
			AppVersion: f.Get("app_version"), Devices: lines("devices"), Accounts: lines("accounts"), Destinations: f["destinations"], Logs: logs}}
	if who := accounts.Who(c); who != nil && !who.Staff() {
		n.RequesterID, n.RequesterName, n.RequesterEmail = who.ID, who.Name, who.Email
	}
	n.Priority = raised(p.st.Current(), n.Priority, f["true"])
	n.By = lifecycle.Actor{Kind: "customer", ID: n.RequesterID, Name: n.RequesterName}
	description := f.Get("description")
	if len(f["true"]) > 0 && strings.TrimSpace(description) != "" {
		description += "\n\nTrue for me: " + strings.Join(f["true"], "; ") + "."
	}
	n.Said = []tickets.Said{{By: n.By, Body: description, Public: true}}
	t, err := p.tickets.Open(c.Request().Context(), n)
	if err != nil {
		if k := fault.KindOf(err); k == fault.Invalid || k == fault.Down {
			return p.form(c, web.Status(err), f, key, web.Problem(err))
		}
		return err
	}
	return p.confirm(c, &t)
}

// formKey names one sending: a double click, the back button and a retry are the same one, but who goes
// back, changes the words and sends again means another ticket.
func formKey(key string, f url.Values) string {
	words := url.Values{}
	for name, values := range f {
		if name != "key" && name != "logs" {
			words[name] = values
		}
	}
	sum := sha256.Sum256([]byte(words.Encode()))
	return "form:" + key + ":" + hex.EncodeToString(sum[:16])
}

// raised gives the level that a scenario of the form stands for, where it is higher: any one suffices (M26).
func raised(s *settings.Snapshot, level lifecycle.Priority, scenarios []string) lifecycle.Priority {
	for _, p := range s.Priorities {
		for _, scenario := range p.Scenarios {
			if means := lifecycle.Priority(p.ID); slices.Contains(scenarios, scenario) && means.Level() > level.Level() {
				level = means
			}
		}
	}
	return level
}
