package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"chatnow/internal/fault"
	"chatnow/internal/postgres"
)

// A large file on a weak line comes in parts: each is kept by its number, so that after a cut only what
// is missing is sent again. The id, which nobody can guess, is the right to go on.

// partSize is the size of every part but the last, in bytes.
const partSize = 1 << 20

func partKey(id string, n int) string { return fmt.Sprintf("%s.part.%d", id, n) }

func partsOf(size int64) int { return int(max(1, (size+partSize-1)/partSize)) }

// Begin makes an upload that comes in parts.
func (s *Service) Begin(ctx context.Context, name string, size int64, person string) (id string, err error) {
	if size > s.maxEach {
		return "", tooLarge()
	}
	if size < 0 {
		return "", fault.WrongField("size", "The number of bytes.")
	}
	return s.begin(ctx, name, size, person)
}

func (s *Service) coming(ctx context.Context, id string) (row, error) {
	var r row
	if !isID(id) {
		return r, errUpload()
	}
	err := postgres.Kind(ctx, s.db.GetContext(ctx, &r, `SELECT `+columns+` FROM uploads WHERE id = $1 AND ticket IS NULL AND chat IS NULL AND created_at > $2`, id, s.cutoff()))
	if fault.KindOf(err) == fault.Missing {
		return r, errUpload()
	}
	return r, err
}

// Part keeps one part; the same again replaces it.
func (s *Service) Part(ctx context.Context, id string, n int, r io.Reader) error {
	up, err := s.coming(ctx, id)
	if err != nil {
		return err
	}
	if up.State == "here" {
		return nil
	}
	if n < 0 || n >= partsOf(up.Size) {
		return errUpload()
	}
	want := min(partSize, up.Size-int64(n)*partSize)
	tmp, err := os.CreateTemp(s.tmp, "part-*") // whole or not at all
	if err != nil {
		return full(err)
	}
	defer s.discard(tmp)
	got, err := io.Copy(tmp, io.LimitReader(r, want+1))
	if err != nil {
		return torn(err)
	}
	if got != want {
		return fault.WrongField("part", fmt.Sprintf("This part has %d bytes.", want))
	}
	if _, err := tmp.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := s.room(ctx, want); err != nil {
		return err
	}
	if err := s.store.Put(ctx, partKey(id, n), tmp, want); err != nil {
		return err
	}
	// The same part again takes no more room.
	res, err := s.db.ExecContext(ctx, `UPDATE uploads SET arrived = LEAST(arrived + $2, size) WHERE id = $1 AND state = 'coming' AND created_at > $3`, id, want, s.cutoff())
	if err != nil {
		return postgres.Kind(ctx, err)
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return err
	}
	// Joined or swept away meanwhile: nobody would ever look for this part.
	if err := s.store.Delete(ctx, partKey(id, n)); err != nil {
		return err
	}
	_, err = s.coming(ctx, id)
	return err
}

// Missing tells which parts are still to come.
func (s *Service) Missing(ctx context.Context, id string) ([]int, error) {
	up, err := s.coming(ctx, id)
	if err != nil {
		return nil, err
	}
	out := []int{}
	for n := 0; up.State != "here" && n < partsOf(up.Size); n++ {
		f, err := s.store.Get(ctx, partKey(id, n))
		switch {
		case fault.KindOf(err) == fault.Missing:
			out = append(out, n)
		case err != nil:
			return nil, err
		default:
			_ = f.Close() // it was only looked for
		}
	}
	return out, nil
}

// Done joins the parts. Asked again, it gives the same upload.
func (s *Service) Done(ctx context.Context, id string) (Upload, error) {
	up, err := s.coming(ctx, id)
	if err != nil {
		return Upload{}, err
	}
	if up.State == "here" {
		return up.upload()
	}
	tmp, err := os.CreateTemp(s.tmp, "whole-*")
	if err != nil {
		return Upload{}, full(err)
	}
	defer s.discard(tmp)
	for n := range partsOf(up.Size) {
		f, err := s.store.Get(ctx, partKey(id, n))
		if fault.KindOf(err) == fault.Missing {
			if up, err = s.coming(ctx, id); err == nil && up.State == "here" { // another request has joined them
				return up.upload()
			}
			return Upload{}, errors.Join(fault.Conflict("incomplete", "Not all parts have come yet.").With("missing", n), err)
		}
		if err != nil {
			return Upload{}, err
		}
		_, err = io.Copy(tmp, f)
		_ = f.Close() // it was only read
		if err != nil {
			return Upload{}, full(err)
		}
	}
	out, err := s.finish(ctx, id, tmp, up.Size)
	if err != nil {
		return Upload{}, err
	}
	return out, s.dropParts(ctx, id)
}

func (s *Service) dropParts(ctx context.Context, id string) error {
	var size int64
	if err := postgres.Kind(ctx, s.db.GetContext(ctx, &size, `SELECT size FROM uploads WHERE id = $1`, id)); err != nil {
		if fault.KindOf(err) == fault.Missing {
			return nil // another node has swept it away
		}
		return err
	}
	for n := range partsOf(size) {
		if err := s.store.Delete(ctx, partKey(id, n)); err != nil {
			return fmt.Errorf("drop parts of upload: %w", err)
		}
	}
	return nil
}
