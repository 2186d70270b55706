package mail

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"chatnow/internal/fault"
	"chatnow/internal/postgres"
	"chatnow/internal/web"
)

// Routes lets administrators read the outbox, where mails stay when no mail server is set, and have
// a mail tried again.
func (s *Sender) Routes(srv *web.Server, admin web.Permission) {
	srv.API(http.MethodGet, "/outbox", admin, s.getOutbox)
	srv.API(http.MethodGet, "/outbox/:id", admin, s.getMail)
	srv.API(http.MethodGet, "/outbox/:id/html", admin, s.getHTML)
	srv.API(http.MethodPost, "/outbox/:id/retry", admin, s.postRetry)
}

// entry is a mail as the list shows it.
type entry struct {
	ID      string     `json:"id" db:"id"`
	Kind    string     `json:"kind" db:"kind"`
	To      string     `json:"to" db:"to_email"`
	Ticket  *int64     `json:"ticket" db:"ticket"`
	State   string     `json:"state" db:"state"`
	Tries   int        `json:"tries" db:"tries"`
	Problem string     `json:"problem,omitempty" db:"problem"`
	At      time.Time  `json:"created_at" db:"queued_at"`
	NextAt  *time.Time `json:"next_at,omitempty" db:"next_at"`
	SentAt  *time.Time `json:"sent_at,omitempty" db:"sent_at"`
}

const entryColumns = `o.id, o.kind, o.to_email, o.ticket, o.state, o.tries, o.problem, o.queued_at,
	CASE WHEN o.state = 'waiting' THEN o.next_at END AS next_at, o.sent_at`

func (s *Sender) getOutbox(c echo.Context) error {
	ctx := c.Request().Context()
	limit, err := strconv.Atoi(c.QueryParam("limit"))
	if err != nil || limit < 1 || limit > 100 {
		limit = 100
	}
	var at sql.Null[time.Time]
	id := uuid.Nil.String()
	if cursor := c.QueryParam("cursor"); cursor != "" {
		at.Valid = true
		if at.V, id, err = readCursor(cursor); err != nil {
			return fault.WrongField("cursor", "This is no cursor of this list.")
		}
	}
	list := []entry{}
	err = s.db.SelectContext(ctx, &list, `SELECT `+entryColumns+` FROM outbox o
		WHERE ($1 = '' OR o.state = $1) AND ($2::timestamptz IS NULL OR o.queued_at < $2 OR (o.queued_at = $2 AND o.id > $3::uuid))
		ORDER BY o.queued_at DESC, o.id LIMIT $4`, c.QueryParam("state"), at, id, limit+1)
	if err != nil {
		return postgres.Kind(ctx, fmt.Errorf("read outbox: %w", err))
	}
	out := map[string]any{"sending": s.relay != nil}
	if len(list) > limit {
		list = list[:limit]
		last := list[limit-1]
		out["next_cursor"] = fmt.Sprintf("%d_%s", last.At.UnixMicro(), last.ID)
	}
	out["mails"] = list
	return c.JSON(http.StatusOK, out)
}

func readCursor(cursor string) (time.Time, string, error) {
	micros, id, _ := strings.Cut(cursor, "_")
	n, err := strconv.ParseInt(micros, 10, 64)
	if err != nil {
		return time.Time{}, "", err
	}
	u, err := uuid.Parse(id)
	return time.UnixMicro(n), u.String(), err
}

// mailID reads the id; what is none is a mail that is not there.
func mailID(c echo.Context) (string, error) {
	id, err := uuid.Parse(c.Param("id"))
	if err != nil {
		return "", fault.NotFound("There is no such mail.")
	}
	return id.String(), nil
}

// readMail reads a mail with its words.
func (s *Sender) readMail(c echo.Context) (entry, row, content, error) {
	ctx := c.Request().Context()
	id, err := mailID(c)
	if err != nil {
		return entry{}, row{}, content{}, err
	}
	var m struct {
		entry
		ToName string          `db:"to_name"`
		Data   json.RawMessage `db:"data"`
		Proved bool            `db:"proved"`
	}
	err = s.db.GetContext(ctx, &m, `SELECT `+entryColumns+`, o.to_name, o.data,
		EXISTS (SELECT FROM addresses a WHERE a.email = o.to_email AND a.verified_at IS NOT NULL) AS proved FROM outbox o WHERE o.id = $1`, id)
	if err != nil {
		return entry{}, row{}, content{}, postgres.Kind(ctx, fmt.Errorf("read mail: %w", err))
	}
	full := row{ID: m.ID, Kind: m.Kind, To: m.To, ToName: m.ToName, Data: m.Data, QueuedAt: m.At, Proved: m.Proved}
	if m.Ticket != nil {
		full.Ticket = *m.Ticket
	}
	words, err := render(full, s.rules(), s.cfg.BaseURL)
	return m.entry, full, words, err
}

func (s *Sender) getMail(c echo.Context) error {
	e, full, words, err := s.readMail(c)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]any{"mail": struct {
		entry
		From      string `json:"from"`
		MessageID string `json:"message_id"`
		Subject   string `json:"subject"`
		Text      string `json:"text"`
		HTML      string `json:"html"`
	}{e, s.from.Address, "<" + s.messageID(full) + ">", words.Subject, words.Text, words.HTML}})
}

// getHTML gives a mail as its reader sees it, for a frame of the console: with its own styles, and
// without anything that runs.
func (s *Sender) getHTML(c echo.Context) error {
	_, _, words, err := s.readMail(c)
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'")
	h.Set("X-Frame-Options", "SAMEORIGIN")
	return c.HTML(http.StatusOK, words.HTML)
}

// postRetry makes a mail that failed or waits due now, unless it is just being sent. What a limit held
// back stays held.
func (s *Sender) postRetry(c echo.Context) error {
	ctx := c.Request().Context()
	id, err := mailID(c)
	if err != nil {
		return err
	}
	res, err := s.db.ExecContext(ctx, `UPDATE outbox SET state = 'waiting', next_at = clock_timestamp(),
		queued_at = CASE WHEN state = 'failed' THEN clock_timestamp() ELSE queued_at END
		WHERE id = $1 AND state IN ('failed', 'waiting') AND NOT claimed`, id)
	if err != nil {
		return postgres.Kind(ctx, fmt.Errorf("try mail again: %w", err))
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return fault.NotFound("There is no such mail that could be tried again.")
	}
	return s.getMail(c)
}
