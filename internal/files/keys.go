package files

import (
	"context"

	"github.com/jmoiron/sqlx"

	"chatnow/internal/postgres"
)

// Keys lists what the store holds for the uploads that the database knows: the bytes of each, and its preview.
func Keys(ctx context.Context, q sqlx.QueryerContext) ([]string, error) {
	var rows []struct {
		ID      string `db:"id"`
		Preview bool   `db:"preview"`
	}
	if err := sqlx.SelectContext(ctx, q, &rows, `SELECT id, preview FROM uploads WHERE state = 'here' ORDER BY id`); err != nil {
		return nil, postgres.Kind(ctx, err)
	}
	var keys []string
	for _, r := range rows {
		keys = append(keys, r.ID)
		if r.Preview {
			keys = append(keys, previewKey(r.ID))
		}
	}
	return keys, nil
}
