package tickets

import (
	"context"

	"github.com/jmoiron/sqlx"
)

// living is the open end of a closed ticket's story: its follow-up, or a follow-up of that, or the ticket
// into which one of them was merged. While there is one, a reply to any closed ticket of the story is
// heard there (M34).
func living(ctx context.Context, tx *sqlx.Tx, closed Ticket) (Ticket, error) {
	return get(ctx, tx, true, `t.status <> 'closed' AND t.number = (
		WITH RECURSIVE story AS (
			SELECT number, merged_into FROM tickets WHERE follow_up_of = $1
			UNION
			SELECT n.number, n.merged_into FROM story s JOIN tickets n ON n.follow_up_of = s.number OR n.number = s.merged_into
		)
		SELECT min(number) FROM story JOIN tickets e USING (number) WHERE e.status <> 'closed' AND e.requester_email = $2)`,
		closed.Number, closed.RequesterEmail)
}
