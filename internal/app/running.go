package app

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"chatnow/internal/postgres"
)

// Running gives the address of the database: the one that is named, else that of a private one which
// another process runs on the same data, else nothing.
func Running(ctx context.Context, cfg Config) string {
	if cfg.DatabaseURL != "" {
		return cfg.DatabaseURL
	}
	raw, err := os.ReadFile(filepath.Join(cfg.Data, "database.url"))
	if err != nil {
		return ""
	}
	dsn := strings.TrimSpace(string(raw))
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	db, err := postgres.Open(ctx, dsn, postgres.Options{MaxConns: 1})
	if err != nil {
		return "" // nobody serves: it is started for this command alone
	}
	_ = db.Close()
	return dsn
}
