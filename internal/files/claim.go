package files

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"chatnow/internal/fault"
	"chatnow/internal/postgres"
)

// To is what files are named by; one of the two numbers is set.
type To struct {
	Ticket   int64
	Comment  string // of the ticket; empty: its diagnostics
	Chat     string
	Internal bool // named by a note
}

// Claim gives files to a ticket or a chat, in the transaction of what names them. From then on they
// belong to it alone. Naming them again for the same thing is no change: what a customer has shown stays
// to be seen when a note names it, and what came with a note stays inside. field is where they are named.
func (s *Service) Claim(ctx context.Context, tx *sqlx.Tx, field string, ids []string, to To, person string) error {
	if len(ids) > MaxNamed {
		return fault.WrongField(field, fmt.Sprintf("Up to %d files.", MaxNamed))
	}
	for i, id := range ids {
		wrong := fault.WrongField(fmt.Sprintf("%s[%d]", field, i), "There is no such upload.")
		if !isID(id) {
			return wrong
		}
		res, err := tx.ExecContext(ctx, `UPDATE uploads SET ticket = COALESCE(ticket, NULLIF($2::bigint, 0)), comment = COALESCE(comment, $3), chat = COALESCE(chat, $4),
			internal = CASE WHEN ticket IS NULL AND chat IS NULL THEN $5 ELSE internal END WHERE id = $1 AND state = 'here' AND (
				(ticket IS NULL AND chat IS NULL AND created_at > $7 AND (uploader IS NULL OR uploader::text = $6))
				OR ($2::bigint <> 0 AND ticket = $2) OR ($4::uuid IS NOT NULL AND chat = $4))`,
			id, to.Ticket, postgres.NullText(to.Comment), postgres.NullText(to.Chat), to.Internal, person, s.cutoff())
		if err != nil {
			return fmt.Errorf("name uploads: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return wrong
		}
	}
	return nil
}

// Move gives the files of a chat to the ticket that it becomes, too.
func Move(ctx context.Context, tx *sqlx.Tx, chat string, ticket int64) error {
	if _, err := tx.ExecContext(ctx, `UPDATE uploads SET ticket = $2 WHERE chat = $1 AND ticket IS NULL`, chat, ticket); err != nil {
		return fmt.Errorf("move uploads: %w", err)
	}
	return nil
}
