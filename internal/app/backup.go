package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"chatnow/internal/backup"
	"chatnow/internal/postgres"
)

// Backup writes everything into one file, whether or not a server runs on the same data.
func Backup(ctx context.Context, cfg Config, path string) (err error) {
	cfg.DatabaseURL = Running(ctx, cfg)
	src, end, err := source(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	m, err := backup.Write(ctx, src, path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	fmt.Fprintf(cfg.Out, "%s: %d bytes, %s. %s\n", path, info.Size(), told(m), map[bool]string{true: "Uploads are in a bucket and not in the file.", false: ""}[m.Bucket])
	return nil
}

// Restore makes a new server of a backup. It refuses a database that holds anything, and so one that serves.
func Restore(ctx context.Context, cfg Config, path string) (err error) {
	if _, err := backup.Check(path); err != nil { // before a database is made
		return err
	}
	if cfg.DatabaseURL == "" && Running(ctx, cfg) != "" {
		return errors.New("a server runs on this data: restore into a new data folder (CHATNOW_DATA)")
	}
	src, end, err := source(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	m, err := backup.Restore(ctx, src, path, cfg.Data)
	if err != nil {
		return err
	}
	if err := postgres.Migrate(ctx, src.DB.DB); err != nil {
		return err
	}
	fmt.Fprintf(cfg.Out, "Restored as of %s: %s.\n", m.At.Format("2006-01-02 15:04:05 MST"), told(m))
	return nil
}

// source opens the database and the store of a configuration.
func source(ctx context.Context, cfg Config) (backup.Source, func() error, error) {
	if err := os.MkdirAll(cfg.Data, 0o755); err != nil {
		return backup.Source{}, nil, fmt.Errorf("make the data folder: %w", err)
	}
	db, dsn, end, err := Database(ctx, cfg)
	if err != nil {
		return backup.Source{}, nil, err
	}
	src := backup.Source{DB: db, DSN: dsn, Version: cmp.Or(cfg.Version, "dev"), Now: cfg.Now}
	if cfg.S3URL == "" {
		if src.Store, err = openFolder(cfg); err != nil {
			return backup.Source{}, nil, errors.Join(err, end())
		}
	}
	return src, end, nil
}

func told(m backup.Manifest) string {
	return fmt.Sprintf("%d tickets, %d chats with %d messages, %d uploads, %d accounts", m.Counts["tickets"], m.Counts["chats"], m.Counts["messages"], m.Counts["uploads"], m.Counts["people"])
}

func uploadsDir(cfg Config) string { return filepath.Join(cfg.Data, "uploads") }
