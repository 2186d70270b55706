// Package workbench is what champions have at hand: macros, which all of them share, and drafts, which are
// each one's own.
package workbench

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"chatnow/internal/postgres"
)

// Bench keeps macros and drafts.
type Bench struct {
	db  *sqlx.DB
	now func() time.Time
}

// New makes a bench.
func New(db *sqlx.DB, now func() time.Time) *Bench { return &Bench{db, now} }

// draftsFor is how long a draft that nobody touches is kept.
const draftsFor = 30 * 24 * time.Hour

// Sweep forgets drafts of a month ago.
func (b *Bench) Sweep(ctx context.Context) error {
	_, err := b.db.ExecContext(ctx, `DELETE FROM drafts WHERE at < $1`, b.now().Add(-draftsFor))
	return postgres.Kind(ctx, err)
}
