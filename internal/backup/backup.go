// Package backup writes everything into one file while the server runs, and makes a server of such a file.
//
// The file is a tar: database.dump (what pg_dump writes), files/<key> for each upload, and manifest.json at the end, with
// the checksum of each. The database is read in one snapshot, so what it says belongs together; a file is written once
// and never changed, so it may be read later.
package backup

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/jmoiron/sqlx"

	"chatnow/internal/fault"
	"chatnow/internal/files"
	"chatnow/internal/postgres"
)

// Format is the version of the file's layout.
const Format = 1

const (
	dumpName     = "database.dump"
	filesPrefix  = "files/"
	manifestName = "manifest.json"
)

// A Source is what is backed up, or restored into.
type Source struct {
	DB      *sqlx.DB
	DSN     string
	Store   files.Store // nil: uploads are in a bucket, which has backups of its own
	Version string      // of the program
	Now     func() time.Time
}

// Manifest says what a backup holds.
type Manifest struct {
	Format  int               `json:"format"`
	Version string            `json:"version"` // of the program that wrote it
	Schema  int64             `json:"schema"`
	At      time.Time         `json:"at"`     // of the snapshot
	Bucket  bool              `json:"bucket"` // uploads are elsewhere
	Counts  map[string]int64  `json:"counts"`
	Sums    map[string]string `json:"sha256"` // by name
}

// counted are the tables that a manifest counts, so that a restore can say what came back.
var counted = []string{"people", "chats", "messages", "notes", "tickets", "comments", "uploads", "outbox"}

// Write writes a backup to path. Until it is whole it has another name; a file that is there is not overwritten.
func Write(ctx context.Context, src Source, path string) (m Manifest, err error) {
	if _, err := os.Stat(path); err == nil {
		return m, fmt.Errorf("%s is there already: choose another name", path)
	}
	part, err := os.OpenFile(path+".part", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return m, fmt.Errorf("make the backup: %w", err)
	}
	whole := false
	defer func() {
		if !whole {
			_ = part.Close() // it may be closed already
			err = errors.Join(err, os.Remove(part.Name()))
		}
	}()
	out := &packer{tw: tar.NewWriter(part), m: Manifest{Format: Format, Version: src.Version, Bucket: src.Store == nil, Counts: map[string]int64{}, Sums: map[string]string{}}}
	if err := out.pack(ctx, src, filepath.Dir(path)); err != nil {
		return m, err
	}
	if err := errors.Join(out.tw.Close(), part.Sync(), part.Close()); err != nil {
		return m, fmt.Errorf("write the backup: %w", err)
	}
	whole = true
	return out.m, os.Rename(part.Name(), path)
}

type packer struct {
	tw *tar.Writer
	m  Manifest
}

func (p *packer) pack(ctx context.Context, src Source, dir string) error {
	tx, err := src.DB.BeginTxx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin the backup: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // it only reads
	var snapshot string
	for _, set := range []string{`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY`, `SET LOCAL statement_timeout = 0`, `SET LOCAL idle_in_transaction_session_timeout = 0`} {
		if _, err := tx.ExecContext(ctx, set); err != nil {
			return fmt.Errorf("begin the backup: %w", err)
		}
	}
	if err := tx.GetContext(ctx, &snapshot, `SELECT pg_export_snapshot()`); err != nil {
		return fmt.Errorf("take a snapshot: %w", err)
	}
	p.m.At = src.Now().UTC()
	if err := tx.GetContext(ctx, &p.m.Schema, `SELECT max(version_id) FROM chatnow_migrations WHERE is_applied`); err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	for _, table := range counted {
		var n int64
		if err := tx.GetContext(ctx, &n, `SELECT count(*) FROM `+table); err != nil {
			return fmt.Errorf("count %s: %w", table, err)
		}
		p.m.Counts[table] = n
	}
	keys, err := files.Keys(ctx, tx)
	if err != nil {
		return fmt.Errorf("list the uploads: %w", err)
	}
	if err := p.dump(ctx, src, dir, snapshot); err != nil {
		return err
	}
	if err := tx.Rollback(); err != nil {
		return fmt.Errorf("end the snapshot: %w", err)
	}
	if src.Store != nil {
		for _, key := range keys {
			if err := p.upload(ctx, src, key); err != nil {
				return fmt.Errorf("upload %s: %w", key, err)
			}
		}
	}
	raw, err := json.MarshalIndent(p.m, "", "  ")
	if err != nil {
		return err
	}
	return p.entry(manifestName, int64(len(raw)), func(w io.Writer) error { _, err := w.Write(raw); return err })
}

// dump lets pg_dump write beside the backup first: a tar must know the size of what comes.
func (p *packer) dump(ctx context.Context, src Source, dir, snapshot string) (err error) {
	tmp, err := os.CreateTemp(dir, "dump-*")
	if err != nil {
		return fmt.Errorf("make room for the dump: %w", err)
	}
	defer func() { err = errors.Join(err, tmp.Close(), os.Remove(tmp.Name())) }()
	cmd, err := postgres.Tool(ctx, src.DB, src.DSN, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--snapshot="+snapshot)
	if err != nil {
		return err
	}
	if err := postgres.RunTool(cmd, tmp); err != nil {
		return err
	}
	size, err := tmp.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if _, err := tmp.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return p.entry(dumpName, size, func(w io.Writer) error { _, err := io.Copy(w, tmp); return err })
}

// upload packs one file. One that has been deleted since the snapshot is left out: then its row is gone as well.
func (p *packer) upload(ctx context.Context, src Source, key string) error {
	f, err := src.Store.Get(ctx, key)
	if fault.KindOf(err) == fault.Missing && err != nil {
		var still bool
		if err := src.DB.GetContext(ctx, &still, `SELECT EXISTS (SELECT FROM uploads WHERE id::text = left($1, 36))`, key); err != nil {
			return err
		}
		if still {
			return errors.New("the database knows it, and the store does not have it")
		}
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return p.entry(filesPrefix+key, size, func(w io.Writer) error { _, err := io.Copy(w, f); return err })
}

// entry writes one member of the tar and notes its checksum.
func (p *packer) entry(name string, size int64, write func(io.Writer) error) error {
	if err := p.tw.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: size, ModTime: p.m.At, Format: tar.FormatPAX}); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	sum := sha256.New()
	if err := write(io.MultiWriter(p.tw, sum)); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	p.m.Sums[name] = hex.EncodeToString(sum.Sum(nil))
	return nil
}
