// Package postgres opens a database, runs the private one, and runs transactions.
// It knows nothing of the domain.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"chatnow/internal/fault"
)

// Options of a pool.
type Options struct {
	MaxConns         int           // default 20
	StatementTimeout time.Duration // default 10 s
}

// Open connects to the database at dsn, a postgres:// URL. It waits while the server is starting up,
// until ctx ends.
func Open(ctx context.Context, dsn string, o Options) (*sqlx.DB, error) {
	full, err := withDefaults(dsn, o)
	if err != nil {
		return nil, err
	}
	db, err := sqlx.Open("postgres", full)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if o.MaxConns == 0 {
		o.MaxConns = 20
	}
	db.SetMaxOpenConns(o.MaxConns)
	db.SetMaxIdleConns(o.MaxConns / 2)
	db.SetConnMaxIdleTime(5 * time.Minute)
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return db, nil
		}
		if !starting(err) || ctx.Err() != nil {
			return nil, errors.Join(fmt.Errorf("reach database %s: %w", hidden(dsn), err), db.Close())
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// withDefaults adds what every connection of ours has. An explicit parameter of the URL wins.
func withDefaults(dsn string, o Options) (string, error) {
	u, err := url.Parse(dsn)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return "", fmt.Errorf("DATABASE_URL should look like postgres://user:password@host:5432/chatnow")
	}
	q := u.Query()
	def := func(k, v string) {
		if !q.Has(k) {
			q.Set(k, v)
		}
	}
	host := u.Hostname()
	if h := q.Get("host"); h != "" {
		host = h
	}
	if strings.HasPrefix(host, "/") || host == "" || host == "localhost" || host == "127.0.0.1" || host == "::1" {
		def("sslmode", "disable")
	} else {
		def("sslmode", "prefer")
	}
	if o.StatementTimeout == 0 {
		o.StatementTimeout = 10 * time.Second
	}
	def("application_name", "chatnow")
	def("timezone", "UTC")
	def("connect_timeout", "5")
	def("statement_timeout", strconv.FormatInt(o.StatementTimeout.Milliseconds(), 10))
	def("idle_in_transaction_session_timeout", "15000")
	u.RawQuery = q.Encode()
	return u.String(), nil
}

func hidden(dsn string) string {
	if u, err := url.Parse(dsn); err == nil {
		return u.Redacted()
	}
	return "(unreadable URL)"
}

// starting reports whether the server only needs a moment (57P03), which database/sql does not know.
func starting(err error) bool {
	var e *pq.Error
	return errors.As(err, &e) && e.Code == "57P03"
}

// InTx runs fn in a transaction: commits when it returns nil, rolls back otherwise, and tries again
// when PostgreSQL says that two transactions could not both go on. fn may run more than once.
func InTx(ctx context.Context, db *sqlx.DB, fn func(tx *sqlx.Tx) error) error {
	var err error
	for range 3 {
		if err = once(ctx, db, fn); err == nil || !collided(err) {
			break
		}
	}
	return Kind(ctx, err)
}

func once(ctx context.Context, db *sqlx.DB, fn func(tx *sqlx.Tx) error) error {
	tx, err := db.BeginTxx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

func collided(err error) bool {
	var e *pq.Error
	return errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01")
}

// Kind translates what the driver says into the product's kinds of error. An error that has a kind
// already, and one that is a defect of ours, stay as they are.
func Kind(ctx context.Context, err error) error {
	if err == nil || fault.KindOf(err) != fault.Internal {
		return err
	}
	if errors.Is(err, sql.ErrNoRows) {
		return fault.NotFound("There is no such thing.").Because(err)
	}
	if Down(ctx, err) {
		return fault.Unavailable("The database does not answer at the moment. Nothing was changed; try again.").Because(err)
	}
	return err
}

// Down reports whether err means that the database cannot serve just now. lib/pq reports a cancelled
// query as 57014 and not as the context's error, so the context is asked.
func Down(ctx context.Context, err error) bool {
	var e *pq.Error
	if errors.As(err, &e) {
		switch e.Code.Class() {
		case "08", "53", "57", "58", "55", "25":
			return true
		}
		return false
	}
	if ctx != nil && ctx.Err() != nil {
		return true
	}
	var netErr interface{ Timeout() bool }
	return errors.Is(err, sql.ErrConnDone) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		errors.As(err, &netErr) || strings.Contains(err.Error(), "bad connection") || strings.Contains(err.Error(), "EOF")
}

// Taken reports whether err is a unique key that exists already, and which.
func Taken(err error) (constraint string, ok bool) {
	var e *pq.Error
	if errors.As(err, &e) && e.Code == "23505" {
		return e.Constraint, true
	}
	return "", false
}

// Address is dsn with what every connection of ours has, for one that is made outside of a pool.
func Address(dsn string) (string, error) { return withDefaults(dsn, Options{}) }
