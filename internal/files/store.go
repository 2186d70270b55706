// Package files keeps logs and screenshots: bytes in a store, and who may see them in the database.
//
// Nothing that was uploaded is trusted: its name is only shown, its type is found from its content,
// and it is served so that no browser runs it (robustness 1.17).
package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"chatnow/internal/fault"
)

// Store keeps bytes under keys that this package makes. A key is written once and whole, or not at all.
type Store interface {
	Put(ctx context.Context, key string, r io.Reader, size int64) error
	// Get opens what is kept; fault.Missing when there is nothing.
	Get(ctx context.Context, key string) (io.ReadSeekCloser, error)
	// Delete forgets a key; one that is not there is forgotten already.
	Delete(ctx context.Context, key string) error
}

// Folder is a store below a directory. Several nodes need one that they share.
type Folder struct{ dir string }

// arriving is the folder below it where files are until they are whole; Service.Sweep clears it of what
// crashes leave.
const arriving = "arriving"

// NewFolder makes the directory where it is missing.
func NewFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(filepath.Join(dir, arriving), 0o700); err != nil {
		return nil, fmt.Errorf("make folder for uploads: %w", err)
	}
	return &Folder{dir}, nil
}

// path spreads keys over folders by their first letters.
func (f *Folder) path(key string) (string, error) {
	if len(key) < 3 || strings.ContainsAny(key, `/\`) || strings.HasPrefix(key, ".") {
		return "", fmt.Errorf("%q is no key of the store", key)
	}
	return filepath.Join(f.dir, key[:2], key), nil
}

// Put writes a file of its own, syncs, and renames: after a crash there is all of it or nothing.
func (f *Folder) Put(_ context.Context, key string, r io.Reader, size int64) (err error) {
	path, err := f.path(key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return full(err)
	}
	tmp, err := os.CreateTemp(filepath.Join(f.dir, arriving), "put-*")
	if err != nil {
		return full(err)
	}
	kept := false
	defer func() {
		if !kept {
			_ = tmp.Close() // it may be closed already
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	n, err := io.Copy(tmp, r)
	if err != nil {
		return full(err)
	}
	if n != size {
		return fmt.Errorf("keep %s: %d bytes instead of %d", key, n, size)
	}
	if err := errors.Join(tmp.Sync(), tmp.Chmod(0o600), tmp.Close()); err != nil {
		return full(err)
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return full(err)
	}
	kept = true
	if err := errors.Join(syncFolder(filepath.Dir(path)), syncFolder(f.dir)); err != nil {
		return full(err)
	}
	return nil
}

// syncFolder makes a name last; the file's own sync does so for its bytes only.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// full says in plain words when the disk has no room.
func full(err error) error {
	return fault.Unavailable("The file could not be kept. Try again in a moment.").Because(err)
}

// Get opens a file.
func (f *Folder) Get(_ context.Context, key string) (io.ReadSeekCloser, error) {
	path, err := f.path(key)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.NotFound("There is no such file.").Because(err)
	}
	return file, err
}

// Delete removes a file.
func (f *Folder) Delete(_ context.Context, key string) error {
	path, err := f.path(key)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
