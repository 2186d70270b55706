package postgres

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// makeFolders makes the folders, ours alone; as root they belong to PostgreSQL's account, which must
// also be able to walk down to them.
func (p *Private) makeFolders(top string) error {
	if err := os.MkdirAll(top, 0o755); err != nil {
		return fmt.Errorf("cannot make the data folder %s: %w; choose another with CHATNOW_DATA", top, err)
	}
	p.socket = filepath.Join(p.dir, "socket")
	if len(p.socket)+len("/.s.PGSQL.5432") > socketLimit { // a long path: the socket moves, the data stays
		p.socket = filepath.Join(os.TempDir(), fmt.Sprintf("chatnow-%d-%x", os.Geteuid(), hash(p.dir)))
	}
	for _, dir := range []string{p.dir, p.socket} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("cannot make %s: %w; choose another data folder with CHATNOW_DATA", dir, err)
		}
		if p.as != nil {
			if err := os.Chown(dir, int(p.as.uid), int(p.as.gid)); err != nil {
				return fmt.Errorf("give %s to the account %s: %w", dir, p.as.name, err)
			}
		}
		if err := os.Chmod(dir, 0o700); err != nil {
			return fmt.Errorf("close %s to others: %w", dir, err)
		}
	}
	return p.canWalk()
}

// canWalk checks that PostgreSQL's account reaches its folder: below a home of mode 0700 it does not.
func (p *Private) canWalk() error {
	if p.as == nil {
		return nil
	}
	for dir := filepath.Dir(p.dir); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return fmt.Errorf("look at %s: %w", dir, err)
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		if ok && info.Mode().Perm()&0o001 == 0 && st.Uid != p.as.uid && (st.Gid != p.as.gid || info.Mode().Perm()&0o010 == 0) {
			return fmt.Errorf("PostgreSQL runs as %s, which may not enter %s: choose another data folder with CHATNOW_DATA, or start chatnow as another user than root", p.as.name, dir)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

func hash(s string) uint32 {
	h := uint32(2166136261)
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h
}

// lockFolder holds the folder as long as we live, even if we are killed.
func lockFolder(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock of %s: %w", dir, err)
	}
	// Whoever was killed a moment ago may still be on its way out.
	for end := time.Now().Add(2 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(end) {
			_ = f.Close()
			return nil, fmt.Errorf("another chatnow already runs on the data in %s: stop it, or give this one its own CHATNOW_DATA", filepath.Dir(dir))
		}
	}
}
