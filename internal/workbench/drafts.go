package workbench

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"chatnow/internal/fault"
	"chatnow/internal/postgres"
)

// Draft is what somebody has written and not sent.
type Draft struct {
	Place string    `json:"place" db:"place"`
	Body  string    `json:"body" db:"body"`
	At    time.Time `json:"at" db:"at"`
}

// place is where a draft belongs: the reply or the note of a chat or of a ticket.
var place = regexp.MustCompile(`^(chat|chat-note):[0-9a-f-]{36}$|^(ticket|ticket-note):[1-9][0-9]{0,17}$`)

// maxDraft is the most of a draft, in bytes; maxDrafts the most of one person.
const (
	maxDraft  = 100_000
	maxDrafts = 1_000
)

// Drafts gives somebody's own.
func (b *Bench) Drafts(ctx context.Context, person string) ([]Draft, error) {
	out := []Draft{}
	err := b.db.SelectContext(ctx, &out, `SELECT place, body, at FROM drafts WHERE person_id = $1 ORDER BY at DESC LIMIT $2`, person, maxDrafts)
	return out, postgres.Kind(ctx, err)
}

// KeepDraft keeps what somebody has written so far; nothing written is no draft. The last one kept counts.
func (b *Bench) KeepDraft(ctx context.Context, person, at, body string) error {
	if !place.MatchString(at) {
		return fault.WrongField("place", "A draft belongs to chat:<id>, chat-note:<id>, ticket:<number> or ticket-note:<number>.")
	}
	if len(body) > maxDraft {
		return fault.WrongField("body", fmt.Sprintf("A draft has up to %d bytes.", maxDraft))
	}
	if body == "" {
		_, err := b.db.ExecContext(ctx, `DELETE FROM drafts WHERE person_id = $1 AND place = $2`, person, at)
		return postgres.Kind(ctx, err)
	}
	_, err := b.db.ExecContext(ctx, `INSERT INTO drafts (person_id, place, body, at)
		SELECT $1, $2, $3, $4 WHERE (SELECT count(*) FROM drafts WHERE person_id = $1 AND place <> $2) < $5
		ON CONFLICT (person_id, place) DO UPDATE SET body = excluded.body, at = excluded.at`, person, at, body, b.now(), maxDrafts)
	return postgres.Kind(ctx, err)
}
