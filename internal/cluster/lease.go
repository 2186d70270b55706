package cluster

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Leases are counted by the database's clock, so that nodes with wrong clocks agree. A node renews
// well before its lease ends.
const (
	leaseFor   = 8 * time.Second
	renewEvery = 2 * time.Second
)

// renewLease extends this node's lease, clears the long dead and counts the living. lapsed is true
// when the lease had ended before: the others had stopped counting this node, and may not have told
// it things.
func renewLease(ctx context.Context, q querier, node string) (others int32, lapsed bool, err error) {
	var valid sql.NullBool
	err = q.QueryRowContext(ctx, `
		WITH old AS (SELECT expires_at > now() AS valid FROM nodes WHERE id = $1),
		mine AS (
			INSERT INTO nodes (id, expires_at) VALUES ($1, now() + make_interval(secs => $2))
			ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at
		), dead AS (DELETE FROM nodes WHERE id <> $1 AND expires_at < now() - interval '1 hour')
		SELECT (SELECT valid FROM old), (SELECT count(*) FROM nodes WHERE id <> $1 AND expires_at > now())`,
		node, leaseFor.Seconds()).Scan(&valid, &others)
	if err != nil {
		return 0, false, fmt.Errorf("renew lease: %w", err)
	}
	return others, !valid.Bool, nil
}

// endLease lets the others know at their next look that this node is gone.
func endLease(ctx context.Context, q querier, node string) error {
	if _, err := q.ExecContext(ctx, `DELETE FROM nodes WHERE id = $1`, node); err != nil {
		return fmt.Errorf("end lease: %w", err)
	}
	return nil
}

// querier is a pool or one connection of it.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}
