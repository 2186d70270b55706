package tickets

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lib/pq"

	"chatnow/internal/fault"
	"chatnow/internal/postgres"
	"chatnow/tickets/lifecycle"
)

// Timers look this often for what has fallen due; the policy's clock is in days, and what falls due
// happens within ten seconds.
const lookEvery = 2 * time.Second

// RunTimers fires due timers until ctx ends, on any node, each once. When it returns, no transaction
// of its is open.
func (d *Desk) RunTimers(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if err := d.FireDue(ctx); err != nil && ctx.Err() == nil {
			d.log.ErrorContext(ctx, "fire timers", "err", err) // the next look tries again
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// FireDue fires everything that is due now, in the order in which it fell due. Each ticket goes through
// the one door, where its row is locked and the engine looks again: a ticket that another node has just
// done, or that was answered meanwhile, is left alone. One that cannot be done is told and left for the
// next look, and holds up no other; only a database that is away ends the look.
func (d *Desk) FireDue(ctx context.Context) error {
	failed := []int64{}
	var all error
	for {
		var due []int64
		now := d.now()
		if err := d.db.SelectContext(ctx, &due, `SELECT number FROM tickets WHERE wake_at <= $1 AND number <> ALL ($2) ORDER BY wake_at LIMIT 100`, now, pq.Int64Array(failed)); err != nil {
			return errors.Join(all, err)
		}
		if len(due) == 0 {
			return all
		}
		for _, number := range due {
			_, err := d.Do(ctx, lifecycle.System, Change{Events: []lifecycle.Event{lifecycle.Alarm{}}}, `t.number = $1 AND t.wake_at <= $2`, number, now)
			if err == nil || gone(err) {
				continue
			}
			all = errors.Join(all, fmt.Errorf("ticket %d: %w", number, err))
			if failed = append(failed, number); postgres.Down(ctx, err) || fault.KindOf(err) == fault.Down || len(failed) > 1000 {
				return all
			}
		}
	}
}
