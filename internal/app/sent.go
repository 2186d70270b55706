package app

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"chatnow/tickets"
	"chatnow/tickets/lifecycle"
)

// sent is what the confirmation of a ticket shows. It goes by a cookie of the sender's own browser, so
// that reload and the back button send nothing again, and nobody reads it by guessing a number.
type sent struct {
	Number   int64
	Due      time.Time
	Name     string
	Email    string
	Priority lifecycle.Priority
	Receipt  bool // a mail goes to the address
}

const sentCookie = "chatnow_sent"

// confirm answers a form with the way to its confirmation.
func (p *pages) confirm(c echo.Context, t *tickets.Ticket) error {
	receipt, err := p.tickets.Receipt(c.Request().Context(), t.Number)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(sent{t.Number, t.UpdateDueAt, t.RequesterName, t.RequesterEmail, t.Priority, receipt})
	if err != nil {
		return err
	}
	c.SetCookie(&http.Cookie{Name: sentCookie, Value: base64.RawURLEncoding.EncodeToString(raw), Path: "/tickets", MaxAge: 3600,
		HttpOnly: true, Secure: p.secure, SameSite: http.SameSiteLaxMode})
	return c.Redirect(http.StatusSeeOther, "/tickets/sent")
}

// confirmation shows what has just been sent; without it, the list of one's tickets.
func (p *pages) confirmation(c echo.Context) error {
	var what sent
	ck, err := c.Cookie(sentCookie)
	if err == nil {
		var raw []byte
		if raw, err = base64.RawURLEncoding.DecodeString(ck.Value); err == nil {
			err = json.Unmarshal(raw, &what)
		}
	}
	if err != nil || what.Number == 0 {
		return c.Redirect(http.StatusSeeOther, "/tickets")
	}
	data, s := p.frame("new", "Ticket sent")
	data["Number"], data["Due"], data["Email"], data["Given"], data["Receipt"] = what.Number, at(what.Due, s), what.Email, what.Name, what.Receipt
	data["PriorityName"], _ = priorityWords(s, what.Priority)
	return p.Render(c, http.StatusOK, "ticket_sent", data)
}
