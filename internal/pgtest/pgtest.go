// Package pgtest gives every test a PostgreSQL database of its own, migrated, in
// about 50 ms: a clone of a template that is made once for each state of the
// migrations.
package pgtest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"chatnow/internal/postgres"
	"chatnow/migrations"
)

// Each test process has one server, which ends with it: the parent-death signal sees to that even
// when the process is killed. CHATNOW_TEST_DATABASE_URL names another server to use instead.
var (
	once   sync.Once
	server string
	failed error
	number atomic.Int64
)

// URL gives the address of a fresh, migrated database, dropped when the test ends.
func URL(t testing.TB) string {
	t.Helper()
	once.Do(func() { server, failed = start() })
	if failed != nil {
		t.Fatalf("no PostgreSQL for tests: %v", failed)
	}
	name := fmt.Sprintf("t_%d_%d", os.Getpid(), number.Add(1))
	admin(t, `CREATE DATABASE `+name+` TEMPLATE `+templateName())
	t.Cleanup(func() { admin(t, `DROP DATABASE IF EXISTS `+name+` WITH (FORCE)`) })
	return at(server, name)
}

// New gives a pool on a fresh, migrated database; both end with the test.
func New(t testing.TB) *sqlx.DB {
	t.Helper()
	db, err := postgres.Open(context.Background(), URL(t), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func at(server, name string) string {
	u, err := url.Parse(server)
	if err != nil {
		panic(err) // it was parsed before
	}
	u.Path = "/" + name
	return u.String()
}

func admin(t testing.TB, statement string) {
	t.Helper()
	db, err := sql.Open("postgres", at(server, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Errorf("%s: %v", statement, err)
	}
}

// templateName changes with every change of the migrations.
func templateName() string {
	h := sha256.New()
	files, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		panic(err)
	}
	for _, f := range files {
		raw, err := migrations.FS.ReadFile(f)
		if err != nil {
			panic(err)
		}
		fmt.Fprintln(h, f, len(raw))
		h.Write(raw)
	}
	return "template_" + hex.EncodeToString(h.Sum(nil)[:6])
}

func start() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if given := os.Getenv("CHATNOW_TEST_DATABASE_URL"); given != "" {
		return given, template(ctx, given)
	}
	dir, err := slot()
	if err != nil {
		return "", err
	}
	// The process's end ends the server.
	p, err := postgres.StartPrivate(ctx, dir, slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	return p.URL(), template(ctx, p.URL())
}

// slot takes a data folder that no other test process uses at the moment, so that initdb and the
// template are made only as often as packages are tested side by side.
func slot() (string, error) {
	for n := range 64 {
		dir := filepath.Join(os.TempDir(), fmt.Sprintf("chatnow-test-%d-%d", os.Geteuid(), n))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
		// A bare descriptor, which nobody closes: it is open, and so locked, until the process ends.
		fd, err := syscall.Open(filepath.Join(dir, "in-use"), syscall.O_CREAT|syscall.O_RDWR|syscall.O_CLOEXEC, 0o600)
		if err != nil {
			return "", err
		}
		if syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			return dir, nil
		}
		_ = syscall.Close(fd) // another process has it
	}
	return "", fmt.Errorf("64 test processes run already")
}

// template makes the migrated template, and clears what killed tests left.
func template(ctx context.Context, server string) error {
	db, err := sql.Open("postgres", at(server, "postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	// One at a time, over all processes on this server.
	if _, err := db.ExecContext(ctx, `SELECT pg_advisory_lock(7319001)`); err != nil {
		return err
	}
	if os.Getenv("CHATNOW_TEST_DATABASE_URL") == "" {
		if err := dropOld(ctx, db); err != nil {
			return err
		}
	}
	var there bool
	if err := db.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, templateName()).Scan(&there); err != nil || there {
		return err
	}
	building := "building_" + strings.TrimPrefix(templateName(), "template_")
	for _, s := range []string{`DROP DATABASE IF EXISTS ` + building, `CREATE DATABASE ` + building} {
		if _, err := db.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	fresh, err := sql.Open("postgres", at(server, building))
	if err != nil {
		return err
	}
	err = postgres.Migrate(ctx, fresh)
	if closeErr := fresh.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `ALTER DATABASE `+building+` RENAME TO `+templateName())
	return err
}

func dropOld(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, `SELECT datname FROM pg_database WHERE datname LIKE 't\_%' OR (datname LIKE 'template\_%' AND datname <> $1)`, templateName())
	if err != nil {
		return err
	}
	defer rows.Close()
	var old []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		old = append(old, name)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, name := range old {
		if _, err := db.ExecContext(ctx, `DROP DATABASE IF EXISTS `+name+` WITH (FORCE)`); err != nil {
			return err
		}
	}
	return nil
}
