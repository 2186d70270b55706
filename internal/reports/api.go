package reports

import (
	"encoding/csv"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"chatnow/internal/accounts"
	"chatnow/internal/fault"
	"chatnow/internal/postgres"
	"chatnow/internal/web"
)

// Routes registers the reports for managers.
func (r *Reports) Routes(srv *web.Server) {
	srv.API(http.MethodGet, "/reports", accounts.Managers, r.get)
	srv.API(http.MethodGet, "/reports/rows", accounts.Managers, r.getRows)
	srv.API(http.MethodGet, "/reports/rows.csv", accounts.Managers, r.getCSV)
}

func (r *Reports) period(c echo.Context) (Period, error) {
	return ReadPeriod(c.QueryParams(), r.company(), r.now())
}

func (r *Reports) get(c echo.Context) error {
	p, err := r.period(c)
	if err != nil {
		return err
	}
	out, err := r.Of(c.Request().Context(), p)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]any{"report": out})
}

const page = 100

func (r *Reports) getRows(c echo.Context) error {
	p, err := r.period(c)
	if err != nil {
		return err
	}
	offset := 0
	if cursor := c.QueryParam("cursor"); cursor != "" {
		if offset, err = strconv.Atoi(cursor); err != nil || offset < 0 {
			return fault.WrongField("cursor", "This is no cursor of this list.")
		}
	}
	rows, err := r.Rows(c.Request().Context(), p, c.QueryParam("of"), page+1, offset)
	if err != nil {
		return err
	}
	out := map[string]any{"rows": rows}
	if len(rows) > page {
		out["rows"], out["next_cursor"] = rows[:page], strconv.Itoa(offset+page)
	}
	return c.JSON(http.StatusOK, out)
}

// getCSV writes all rows as they come from the database.
func (r *Reports) getCSV(c echo.Context) error {
	p, err := r.period(c)
	if err != nil {
		return err
	}
	of := c.QueryParam("of")
	query, args, err := what(of, p)
	if err != nil {
		return err
	}
	rows, err := r.db.QueryContext(c.Request().Context(), query+` ORDER BY at DESC, chat, ticket`, args...)
	if err != nil {
		return postgres.Kind(c.Request().Context(), err)
	}
	defer rows.Close()
	h := c.Response().Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="chatnow-`+strings.ReplaceAll(of, ":", "-")+`.csv"`)
	w := csv.NewWriter(c.Response())
	if err := w.Write([]string{"at (" + p.Zone.String() + ")", "ticket", "chat", "name", "email", "text", "state", "champion", "took (seconds)"}); err != nil {
		return err
	}
	for rows.Next() {
		var row Row
		if err := rows.Scan(&row.Chat, &row.Ticket, &row.Name, &row.Email, &row.Text, &row.State, &row.Champion, &row.At, &row.Took, &row.Ended); err != nil {
			return postgres.Kind(c.Request().Context(), err)
		}
		took, ticket := "", ""
		if row.Took != nil {
			took = strconv.FormatFloat(*row.Took, 'f', 0, 64)
		}
		if row.Ticket != 0 {
			ticket = strconv.FormatInt(row.Ticket, 10)
		}
		if err := w.Write([]string{row.At.In(p.Zone).Format(time.DateTime), ticket, row.Chat, neutral(row.Name), neutral(row.Email), neutral(row.Text), row.State, neutral(row.Champion), took}); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return postgres.Kind(c.Request().Context(), err)
	}
	w.Flush()
	return w.Error()
}

// neutral makes a cell of what a customer wrote that no spreadsheet takes for a formula (OWASP, CSV injection).
func neutral(s string) string {
	if strings.TrimLeft(s, " ") != "" && strings.ContainsAny(strings.TrimLeft(s, " ")[:1], "=+-@\t\r\n") {
		return "'" + s
	}
	return s
}
