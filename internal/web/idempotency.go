package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"chatnow/internal/fault"
	"chatnow/internal/postgres"
)

// takeOver is how long a first try may be under way before it counts as crashed.
const takeOver = 30 * time.Second

// Idempotent answers a repeated write with its first answer (contract.md section 5). person says whose
// key it is; an empty answer stands for an anonymous caller, who counts by the e-mail address he gives.
func (s *Server) Idempotent(person func(echo.Context) string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			key := c.Request().Header.Get("Idempotency-Key")
			if key == "" {
				return next(c)
			}
			if len(key) > 200 || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
				return fault.WrongField("Idempotency-Key", "1 to 200 visible characters.")
			}
			raw, err := readBody(c)
			if err != nil {
				return err
			}
			c.Request().Body = io.NopCloser(bytes.NewReader(raw))
			id := keyOf(who(c, person, raw), c.Request().Method, c.Request().URL.Path, key)
			c.Set("idempotency", hex.EncodeToString(id))
			return s.remember(c, next, id, hashOf(raw))
		}
	}
}

// IdempotencyKey is a stable name for the write under way, for a unique column of what it makes; empty
// without the header.
func IdempotencyKey(c echo.Context) string {
	key, _ := c.Get("idempotency").(string)
	return key
}

func who(c echo.Context, person func(echo.Context) string, raw []byte) string {
	if p := person(c); p != "" {
		return p
	}
	var in struct {
		Email string `json:"email"`
	}
	if json.Unmarshal(raw, &in) == nil && in.Email != "" {
		return "email:" + strings.ToLower(strings.TrimSpace(in.Email))
	}
	return "ip:" + c.RealIP()
}

func keyOf(parts ...string) []byte { return hashOf([]byte(strings.Join(parts, "\x00"))) }

func hashOf(b []byte) []byte {
	h := sha256.Sum256(b)
	return h[:]
}

func (s *Server) remember(c echo.Context, next echo.HandlerFunc, id, content []byte) error {
	ctx, now := c.Request().Context(), s.cfg.Now()
	// The first one owns the row; one that crashed on the way is taken over.
	res, err := s.db.ExecContext(ctx, `INSERT INTO idempotency AS i (key, request, created_at) VALUES ($1, $2, $3)
		ON CONFLICT (key) DO UPDATE SET created_at = $3, request = $2
		WHERE (i.status IS NULL AND i.request = $2 AND i.created_at < $4) OR i.created_at < $5`,
		id, content, now, now.Add(-takeOver), now.Add(-24*time.Hour))
	if err != nil {
		return postgres.Kind(ctx, fmt.Errorf("keep idempotency key: %w", err))
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return s.replay(c, id, content)
	}
	rec := &recorder{ResponseWriter: c.Response().Writer}
	c.Response().Writer = rec
	err = next(c)
	c.Response().Writer = rec.ResponseWriter
	if err != nil {
		status := Status(err)
		if status != http.StatusUnprocessableEntity && status != http.StatusNotFound {
			s.forget(c, id) // the world may answer differently in a moment: open, staffed, less busy
			return err
		}
		body, jsonErr := json.Marshal(Problem(err))
		if jsonErr == nil {
			s.store(c, id, status, body)
		}
		return err
	}
	s.store(c, id, c.Response().Status, rec.body.Bytes())
	return nil
}

// The answer is out or about to be; that it could not be kept costs a repeat, which finds the same
// thing by its unique key. It is kept also when the caller has hung up: he is the one who will ask again.
func (s *Server) store(c echo.Context, id []byte, status int, body []byte) {
	if _, err := s.db.ExecContext(context.WithoutCancel(c.Request().Context()), `UPDATE idempotency SET status = $2, body = $3 WHERE key = $1`, id, status, body); err != nil {
		s.log.Warn("keep idempotent answer", "err", err)
	}
}

func (s *Server) forget(c echo.Context, id []byte) {
	if _, err := s.db.ExecContext(context.WithoutCancel(c.Request().Context()), `DELETE FROM idempotency WHERE key = $1`, id); err != nil {
		s.log.Warn("forget idempotency key", "err", err)
	}
}

func (s *Server) replay(c echo.Context, id, content []byte) error {
	var row struct {
		Request []byte `db:"request"`
		Status  *int   `db:"status"`
		Body    []byte `db:"body"`
	}
	if err := s.db.GetContext(c.Request().Context(), &row, `SELECT request, status, body FROM idempotency WHERE key = $1`, id); err != nil {
		return postgres.Kind(c.Request().Context(), err)
	}
	switch {
	case !bytes.Equal(row.Request, content):
		return &fault.Error{Kind: fault.Invalid, Code: "key_reused", Detail: "This Idempotency-Key was used for something else."}
	case row.Status == nil:
		return fault.Conflict("in_progress", "The first request with this key is still under way.")
	}
	kind := echo.MIMEApplicationJSON
	if *row.Status >= 400 {
		kind = "application/problem+json"
	}
	c.Response().Header().Set("Idempotency-Replayed", "true")
	return c.Blob(*row.Status, kind, row.Body)
}

// recorder keeps a copy of what is answered.
type recorder struct {
	http.ResponseWriter
	body bytes.Buffer
}

func (r *recorder) Write(b []byte) (int, error) {
	r.body.Write(b)
	return r.ResponseWriter.Write(b)
}
