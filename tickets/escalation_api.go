package tickets

import (
	"net/http"
	"strings"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"chatnow/internal/accounts"
	"chatnow/internal/fault"
	"chatnow/internal/postgres"
	"chatnow/internal/web"
	"chatnow/tickets/lifecycle"
)

func (d *Desk) postEscalation(c echo.Context) error {
	var in struct {
		Reason   string             `json:"reason"`
		Priority lifecycle.Priority `json:"priority"`
		Contact  string             `json:"contact"`
	}
	if err := web.Bind(c, &in); err != nil {
		return err
	}
	me := accounts.Who(c)
	where, args, err := mayRead(me, c.Param("number"))
	if err != nil {
		return err
	}
	e, made, err := d.Escalate(c.Request().Context(), actor(me), Asked{in.Reason, in.Priority, in.Contact, web.IdempotencyKey(c)}, where, args...)
	if err != nil {
		return unknownTicket(err)
	}
	status := http.StatusOK
	if made {
		status = http.StatusCreated
	}
	return c.JSON(status, map[string]any{"escalation": e.View(me.Staff())})
}

// unknownTicket answers for foreign and unknown tickets alike.
func unknownTicket(err error) error {
	if fault.KindOf(err) == fault.Missing {
		return fault.NotFound("There is no such ticket.").Because(err)
	}
	return err
}

func (d *Desk) getEscalations(c echo.Context) error {
	ctx, state := c.Request().Context(), c.QueryParam("state")
	if state != "" && !strings.Contains(" open accepted declined done ", " "+state+" ") {
		return fault.WrongField("state", "open, accepted, declined or done.")
	}
	limit := limitOf(c)
	after := c.QueryParam("cursor") // the id of the last one read
	if _, err := uuid.Parse(after); after != "" && err != nil {
		return fault.WrongField("cursor", "This is no cursor of this list.")
	}
	rows := []Escalation{}
	err := d.db.SelectContext(ctx, &rows, `SELECT `+escalationColumns+` FROM escalations e WHERE ($1 = '' OR e.state = $1)
		AND ($2 = '' OR (e.created_at, e.id) < (SELECT created_at, id FROM escalations WHERE id::text = $2)) ORDER BY e.created_at DESC, e.id DESC LIMIT $3`, state, after, limit+1)
	if err != nil {
		return postgres.Kind(ctx, err)
	}
	out := map[string]any{}
	if len(rows) > limit {
		rows = rows[:limit]
		out["next_cursor"] = rows[limit-1].ID
	}
	list := []map[string]any{}
	for i := range rows {
		list = append(list, rows[i].View(true))
	}
	out["escalations"] = list
	return c.JSON(http.StatusOK, out)
}

func (d *Desk) patchEscalation(c echo.Context) error {
	var in struct {
		Action   string             `json:"action"`
		Reason   string             `json:"reason"`
		Assignee string             `json:"assignee"`
		Priority lifecycle.Priority `json:"priority"`
		Answer   string             `json:"answer"`
	}
	if err := web.Bind(c, &in); err != nil {
		return err
	}
	e, err := d.Decide(c.Request().Context(), accounts.Who(c), c.Param("id"), Decision{in.Action, in.Reason, in.Answer, in.Assignee, in.Priority})
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]any{"escalation": e.View(true)})
}
