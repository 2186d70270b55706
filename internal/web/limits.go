package web

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/labstack/echo/v4"

	"chatnow/internal/fault"
)

// UseDatabase gives the server the table in which limits and idempotent answers are kept, so that
// they hold on all nodes.
func (s *Server) UseDatabase(db *sqlx.DB) { s.db = db }

// Limit bounds what one address may ask of a route: burst at once, then rate a second. An IPv6 client
// counts by its /64.
func (s *Server) Limit(name string, rate, burst float64) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if err := s.Take(c.Request().Context(), name+":"+network(c.RealIP()), rate, burst); err != nil {
				return err
			}
			return next(c)
		}
	}
}

func network(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil || addr.Is4() || addr.Is4In6() {
		return ip
	}
	if p, err := addr.Prefix(64); err == nil {
		return p.String()
	}
	return ip
}

// Take takes one token from a bucket that holds at most burst and gains rate a second. An empty one is
// fault.TooMany with the time until there is one again. It fails closed.
func (s *Server) Take(ctx context.Context, bucket string, rate, burst float64) error {
	if !s.cfg.Limits {
		return nil
	}
	var left float64
	err := s.db.GetContext(ctx, &left, `
		INSERT INTO rate_limits AS r (bucket, tokens, updated_at) VALUES ($1, $3 - 1, $4)
		ON CONFLICT (bucket) DO UPDATE SET
			tokens = GREATEST(LEAST($3, r.tokens + GREATEST(extract(epoch FROM $4 - r.updated_at), 0) * $2) - 1, -1),
			updated_at = $4
		RETURNING tokens`, bucket, rate, burst, s.cfg.Now())
	if err != nil {
		return fault.Unavailable("The server is too busy for this just now.").Because(fmt.Errorf("rate limit: %w", err))
	}
	if left < 0 {
		wait := time.Duration(math.Ceil(-left/rate)) * time.Second
		return fault.Slow(max(wait, time.Second), "Too many tries. Wait a moment.")
	}
	return nil
}

// Meter bounds how many bytes one sender gives to routes that take files, in MiB: burst at once, then as
// much again in an hour. who names a sender that is known; others count by their address. A body of a
// length that is not told counts as the largest. Small bodies are free.
func (s *Server) Meter(name string, burst, largest float64, who func(echo.Context) string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			size := float64(c.Request().ContentLength) / (1 << 20)
			if size < 0 || size > largest {
				size = largest
			}
			if size > 1.0/16 {
				sender := who(c)
				if sender == "" {
					sender = network(c.RealIP())
				}
				if err := s.takeAll(c.Request().Context(), name+":"+sender, size, burst/3600, burst); err != nil {
					return err
				}
			}
			return next(c)
		}
	}
}

// takeAll takes n tokens, or none.
func (s *Server) takeAll(ctx context.Context, bucket string, n, rate, burst float64) error {
	if !s.cfg.Limits {
		return nil
	}
	const gained = `LEAST($4::float8, r.tokens + GREATEST(extract(epoch FROM $5::timestamptz - r.updated_at), 0) * $3::float8)`
	var had float64
	err := s.db.GetContext(ctx, &had, `
		WITH taken AS (INSERT INTO rate_limits AS r (bucket, tokens, updated_at) VALUES ($1, $4::float8 - $2::float8, $5)
			ON CONFLICT (bucket) DO UPDATE SET tokens = `+gained+` - $2, updated_at = $5 WHERE `+gained+` >= $2
			RETURNING $2::float8 AS had)
		SELECT had FROM taken UNION ALL SELECT `+gained+` FROM rate_limits r WHERE bucket = $1 AND NOT EXISTS (SELECT FROM taken)`,
		bucket, n, rate, burst, s.cfg.Now())
	if err != nil && !errors.Is(err, sql.ErrNoRows) { // none: somebody else has just made the row, and emptied it
		return fault.Unavailable("The server is too busy for this just now.").Because(fmt.Errorf("rate limit: %w", err))
	}
	if had < n {
		return fault.Slow(time.Duration(math.Ceil((n-had)/rate))*time.Second, "That is a lot at once. Wait a moment.")
	}
	return nil
}

// CleanUp forgets limits and answers that nobody can ask for any more.
func (s *Server) CleanUp(ctx context.Context) error {
	now := s.cfg.Now()
	if _, err := s.db.ExecContext(ctx, `DELETE FROM rate_limits WHERE updated_at < $1`, now.Add(-time.Hour)); err != nil {
		return fmt.Errorf("clean up limits: %w", err)
	}
	if _, err := s.db.ExecContext(ctx, `DELETE FROM idempotency WHERE created_at < $1`, now.Add(-24*time.Hour)); err != nil {
		return fmt.Errorf("clean up idempotent answers: %w", err)
	}
	return nil
}
