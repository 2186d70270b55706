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
	"strings"

	"chatnow/internal/postgres"
)

// Check reads a whole backup and holds it against its manifest.
func Check(path string) (m Manifest, err error) {
	sums := map[string]string{}
	found := false
	err = each(path, func(h *tar.Header, r io.Reader) error {
		if h.Name == manifestName {
			found = true
			return json.NewDecoder(r).Decode(&m)
		}
		sum := sha256.New()
		if _, err := io.Copy(sum, r); err != nil {
			return err
		}
		sums[h.Name] = hex.EncodeToString(sum.Sum(nil))
		return nil
	})
	switch {
	case err != nil:
		return m, fmt.Errorf("read %s: %w", path, err)
	case !found:
		return m, fmt.Errorf("%s is no whole backup: it ends before its manifest", path)
	case m.Format != Format:
		return m, fmt.Errorf("%s has format %d; this program reads %d", path, m.Format, Format)
	case m.Sums[dumpName] == "":
		return m, fmt.Errorf("%s holds no database", path)
	}
	for name, want := range m.Sums {
		if sums[name] != want {
			return m, fmt.Errorf("%s is damaged: %s is not what was written", path, name)
		}
	}
	for name := range sums {
		if m.Sums[name] == "" {
			return m, fmt.Errorf("%s holds %s, which its manifest does not know", path, name)
		}
	}
	return m, nil
}

// Restore makes an empty database and an empty store what they were at the time of the backup. Nothing is touched
// unless the whole file is sound and the database is empty.
func Restore(ctx context.Context, into Source, path, scratch string) (m Manifest, err error) {
	if m, err = Check(path); err != nil {
		return m, err
	}
	if m.Bucket != (into.Store == nil) {
		return m, errors.New("the backup and this server keep uploads in different places, a folder here and a bucket there: set or unset CHATNOW_S3_URL as it was")
	}
	var tables int
	if err := into.DB.GetContext(ctx, &tables, `SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')`); err != nil {
		return m, fmt.Errorf("look into the database: %w", err)
	}
	if tables > 0 {
		return m, errors.New("the database is not empty: restore into a new one, or into a new data folder (CHATNOW_DATA)")
	}
	dump, err := os.CreateTemp(scratch, "dump-*")
	if err != nil {
		return m, fmt.Errorf("make room for the dump: %w", err)
	}
	defer func() { err = errors.Join(err, dump.Close(), os.Remove(dump.Name())) }()
	// The files first: should it end here, the database is still empty, and the same command works again.
	err = each(path, func(h *tar.Header, r io.Reader) error {
		switch key, isFile := strings.CutPrefix(h.Name, filesPrefix); {
		case isFile:
			if err := into.Store.Put(ctx, key, r, h.Size); err != nil {
				return fmt.Errorf("keep %s: %w", h.Name, err)
			}
		case h.Name == dumpName:
			if _, err := io.Copy(dump, r); err != nil {
				return fmt.Errorf("unpack the dump: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		return m, err
	}
	cmd, err := postgres.Tool(ctx, into.DB, into.DSN, "pg_restore", "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error")
	if err != nil {
		return m, err
	}
	cmd.Args = append(cmd.Args, dump.Name())
	if err := postgres.RunTool(cmd, io.Discard); err != nil {
		return m, err
	}
	for _, table := range counted {
		var n int64
		if err := into.DB.GetContext(ctx, &n, `SELECT count(*) FROM `+table); err != nil {
			return m, fmt.Errorf("count %s: %w", table, err)
		}
		if n != m.Counts[table] {
			return m, fmt.Errorf("%d rows of %s came back, and %d were written", n, table, m.Counts[table])
		}
	}
	return m, nil
}

// each reads the members of a tar one after another.
func each(path string, f func(h *tar.Header, r io.Reader) error) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	for r := tar.NewReader(file); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg {
			return fmt.Errorf("%s is no plain file", h.Name)
		}
		if err := f(h, r); err != nil {
			return err
		}
	}
}
