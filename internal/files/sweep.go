package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// cutoff is the age at which a file that nothing has named is gone.
func (s *Service) cutoff() time.Time { return s.now().Add(-keepFree) }

// Sweep forgets what nothing has named within a day. Any node may do it, also several at once.
func (s *Service) Sweep(ctx context.Context) error {
	var wrong []error
	for last := ""; ; {
		var ids []string
		err := s.db.SelectContext(ctx, &ids, `SELECT id FROM uploads WHERE ticket IS NULL AND chat IS NULL AND created_at <= $1 AND id::text > $2
			ORDER BY id::text LIMIT 500`, s.cutoff(), last)
		if err != nil {
			return errors.Join(append(wrong, fmt.Errorf("look for uploads that nothing names: %w", err))...)
		}
		for _, id := range ids {
			last = id
			if err := s.forget(ctx, id); err != nil { // the others do not wait for this one
				wrong = append(wrong, fmt.Errorf("sweep upload %s: %w", id, err))
			}
		}
		if len(ids) == 0 || ctx.Err() != nil {
			return errors.Join(append(wrong, s.sweepArriving())...)
		}
	}
}

// forget takes the file out of everybody's hands first, then its bytes away, then its row: a crash
// between leaves a row that the next sweep finds again.
func (s *Service) forget(ctx context.Context, id string) error {
	const free = ` WHERE id = $1 AND ticket IS NULL AND chat IS NULL AND created_at <= $2`
	res, err := s.db.ExecContext(ctx, `UPDATE uploads SET state = 'coming'`+free, id, s.cutoff())
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err // another node was faster
	}
	if err := s.dropBytes(ctx, id); err != nil {
		return err
	}
	if err := s.dropParts(ctx, id); err != nil {
		return err
	}
	_, err = s.db.ExecContext(ctx, `DELETE FROM uploads`+free, id, s.cutoff())
	return err
}

func (s *Service) dropBytes(ctx context.Context, id string) error {
	return errors.Join(s.store.Delete(ctx, id), s.store.Delete(ctx, previewKey(id)))
}

// sweepArriving removes what a crash has left in the folder of files on their way. A file that another
// node was faster with is gone, too.
func (s *Service) sweepArriving() error {
	list, err := os.ReadDir(s.tmp)
	if err != nil {
		return err
	}
	var wrong []error
	for _, one := range list {
		if info, err := one.Info(); err == nil && s.now().Sub(info.ModTime()) > keepFree {
			if err := os.Remove(filepath.Join(s.tmp, one.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				wrong = append(wrong, err)
			}
		}
	}
	return errors.Join(wrong...)
}
