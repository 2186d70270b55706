package app

import (
	"context"
	"errors"
	"fmt"
	"os"

	"chatnow/internal/demo"
	"chatnow/internal/postgres"
)

// Demo serves with sample data on a throw-away database.
func Demo(ctx context.Context, cfg Config) (err error) {
	dir, err := os.MkdirTemp("", "chatnow-demo-")
	if err != nil {
		return fmt.Errorf("make a throw-away folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o755); err != nil { // PostgreSQL's own account must be able to enter
		return err
	}
	cfg.Data, cfg.DatabaseURL, cfg.SMTPURL = dir, "", "" // its customers are invented: they get no mail
	db, dsn, closeDB, err := Database(context.WithoutCancel(ctx), cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeDB()) }()
	if err := postgres.Migrate(ctx, db.DB); err != nil {
		return err
	}
	if err := demo.Fill(ctx, db, cfg.Now(), cfg.Log); err != nil {
		return err
	}
	cfg.DatabaseURL = dsn
	fmt.Fprintf(cfg.Out, "Sign in as %s with %s\n", demo.Email, demo.Password)
	return Run(ctx, cfg)
}
