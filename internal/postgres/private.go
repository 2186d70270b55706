package postgres

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Private is a PostgreSQL that belongs to this program: in its data folder, on a socket only, with
// full durability, started, watched and stopped by us.
type Private struct {
	dir    string // CHATNOW_DATA/postgres
	data   string // dir/data
	socket string // folder of the socket
	progs  programs
	as     *account // another account when we are root, which PostgreSQL refuses to be
	log    *slog.Logger
	lock   *os.File

	mu      sync.Mutex
	pid     int
	stopped bool
	ended   chan struct{} // closed when the watcher has returned
}

// account is whom PostgreSQL runs as.
type account struct {
	uid, gid uint32
	name     string
}

const (
	privateName = "chatnow"
	superuser   = "chatnow"
	socketLimit = 107 // bytes of a socket's address on Linux; fewer elsewhere
	startWithin = 60 * time.Second
)

// StartPrivate makes the database below folder if there is none, starts it and waits until it
// answers. Errors are one sentence that says what to do.
func StartPrivate(ctx context.Context, folder string, log *slog.Logger) (*Private, error) {
	return startPrivate(ctx, folder, usualPlaces(), log)
}

func startPrivate(ctx context.Context, folder string, places []string, log *slog.Logger) (_ *Private, err error) {
	abs, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	p := &Private{dir: filepath.Join(abs, "postgres"), log: log, ended: make(chan struct{})}
	p.data = filepath.Join(p.dir, "data")
	if p.progs, err = choose(installed(places), p.data); err != nil {
		return nil, err
	}
	if p.as, err = serverAccount(); err != nil {
		return nil, err
	}
	if err := p.makeFolders(abs); err != nil {
		return nil, err
	}
	// The lock comes before anything is touched: a second start must not stop the first one's server.
	if p.lock, err = lockFolder(p.dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = p.lock.Close()
		}
	}()
	if err := p.makeData(ctx); err != nil {
		return nil, err
	}
	first := make(chan error, 1)
	go p.watch(ctx, first)
	if err := <-first; err != nil {
		return nil, err
	}
	if err := p.makeDatabase(ctx); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	if err := os.WriteFile(filepath.Join(abs, "database.url"), []byte(p.URL()+"\n"), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("write database.url: %w", err), p.Stop())
	}
	return p, nil
}

// URL is what to give to Open, or to psql.
func (p *Private) URL() string { return p.url(privateName) }

func (p *Private) url(db string) string {
	q := url.Values{"host": {p.socket}, "sslmode": {"disable"}}
	return "postgres://" + superuser + "@/" + db + "?" + q.Encode()
}

// knownAccount says what to do when a process runs as a number that has no account, as containers do.
func knownAccount(uid string) error {
	if _, err := user.LookupId(uid); err != nil {
		return fmt.Errorf("PostgreSQL looks its own account up, and user %s has none in /etc/passwd: start chatnow as a user who has, or set DATABASE_URL: %w", uid, err)
	}
	return nil
}

// serverAccount is nil unless we are root. initdb looks its account up, so it must exist.
func serverAccount() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, knownAccount(strconv.Itoa(os.Geteuid()))
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errU := strconv.ParseUint(u.Uid, 10, 32)
		gid, errG := strconv.ParseUint(u.Gid, 10, 32)
		if errU == nil && errG == nil {
			return &account{uint32(uid), uint32(gid), name}, nil
		}
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is no account postgres or nobody to run it as: start chatnow as another user")
}

// makeData runs initdb beside the real place and renames: a kill in the middle leaves no half of a database.
func (p *Private) makeData(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(p.data, "PG_VERSION")); err == nil {
		return nil
	}
	fresh := p.data + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("clear what an interrupted start left: %w", err)
	}
	out, err := p.program(ctx, "initdb", "-D", fresh, "-U", superuser, "--no-locale", "-E", "UTF8", "--auth=trust", "--data-checksums")
	if err != nil {
		if strings.Contains(out, "No space left") {
			return fmt.Errorf("the disk is full: make room in %s and start again", p.dir)
		}
		return fmt.Errorf("make the database in %s: %w: %s", p.dir, err, lastLine(out))
	}
	if err := os.Rename(fresh, p.data); err != nil {
		return fmt.Errorf("put the new database in place: %w", err)
	}
	return nil
}

// program runs one of PostgreSQL's programs to its end. The thread is held, since the parent-death
// signal goes by thread.
func (p *Private) program(ctx context.Context, name string, args ...string) (string, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := command(filepath.Join(p.progs.dir, name), p.as, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env, cmd.Dir = &out, &out, p.env(), p.dir
	if err := cmd.Start(); err != nil {
		return "", err
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer stop()
	err := cmd.Wait()
	return out.String(), err
}

func (p *Private) env() []string {
	return []string{"LC_ALL=C", "TZ=UTC", "PATH=" + os.Getenv("PATH"), "HOME=" + p.dir}
}

// arguments are the server's: a socket and no network, every commit on disk, sized for a small machine.
func (p *Private) arguments() []string {
	args := []string{"-D", p.data, "-k", p.socket}
	for _, s := range []string{
		"listen_addresses=", "unix_socket_permissions=0700", "max_connections=100",
		"fsync=on", "synchronous_commit=on", "full_page_writes=on",
		"shared_buffers=128MB", "max_wal_size=1GB", "checkpoint_completion_target=0.9", "wal_compression=on",
		"jit=off", "timezone=UTC", "log_timezone=UTC", "log_min_messages=warning", "log_checkpoints=off",
	} {
		args = append(args, "-c", s)
	}
	return args
}

// watch keeps a server running until Stop, on one thread.
func (p *Private) watch(ctx context.Context, first chan<- error) {
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine, after its child
	defer close(p.ended)
	report := func(err error) {
		if first != nil {
			first <- err
			first = nil
		}
	}
	for deadline := time.Now().Add(startWithin); ; {
		if p.isStopped() {
			report(errors.New("stopped while starting"))
			return
		}
		said, ready, err := p.runOnce(func() { report(nil) })
		switch {
		case p.isStopped():
			report(errors.New("stopped while starting"))
			return
		case ready:
			p.log.Warn("the private PostgreSQL ended and is started again", "err", err, "said", lastLine(said))
			deadline = time.Now().Add(startWithin)
		case occupied(said) && time.Now().Before(deadline):
			p.stopOrphan() // an earlier one that outlived its parent, or is not reaped yet
		case first != nil:
			report(p.startError(said, err))
			return
		default: // it ran before; keep trying: the disk may have been full
			p.log.Error("the private PostgreSQL does not start", "err", p.startError(said, err))
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			if !p.isStopped() && first != nil {
				report(ctx.Err())
				return
			}
			time.Sleep(100 * time.Millisecond) // ending, but Stop says when
		}
	}
}

// runOnce starts a server and returns when it has ended, with what it said.
func (p *Private) runOnce(onReady func()) (said string, ready bool, err error) {
	cmd := command(filepath.Join(p.progs.dir, "postgres"), p.as, p.arguments()...)
	var out tail
	cmd.Stdout, cmd.Stderr, cmd.Env, cmd.Dir = &out, &out, p.env(), p.dir
	if err := cmd.Start(); err != nil {
		return "", false, err
	}
	p.mu.Lock()
	p.pid = cmd.Process.Pid
	if p.stopped { // Stop came between; it did not see this process
		_ = cmd.Process.Signal(syscall.SIGINT)
	}
	p.mu.Unlock()
	gone := make(chan struct{})
	answered := make(chan bool, 1)
	go func() { answered <- p.awaitReady(gone, onReady) }()
	err = cmd.Wait()
	close(gone)
	p.mu.Lock()
	p.pid = 0
	p.mu.Unlock()
	return out.String(), <-answered, err
}

// awaitReady pings until the server answers or is gone.
func (p *Private) awaitReady(gone <-chan struct{}, onReady func()) bool {
	db, err := sql.Open("postgres", p.url("postgres"))
	if err != nil {
		return false
	}
	defer db.Close()
	for {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		err := db.PingContext(ctx)
		cancel()
		if err == nil {
			onReady()
			return true
		}
		select {
		case <-gone:
			return false
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// stopOrphan ends a server that holds our data and is not our child.
func (p *Private) stopOrphan() {
	raw, err := os.ReadFile(filepath.Join(p.data, "postmaster.pid"))
	if err != nil {
		return
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	if pid, err := strconv.Atoi(strings.TrimSpace(line)); err == nil && pid > 1 && isPostgres(pid) {
		_ = syscall.Kill(pid, syscall.SIGINT) // fast shutdown; gone already is as good
	}
}

func (p *Private) startError(said string, err error) error {
	switch {
	case strings.Contains(said, "No space left"):
		return fmt.Errorf("the disk is full: make room in %s and start again", p.dir)
	case strings.Contains(said, "Permission denied"):
		return fmt.Errorf("PostgreSQL may not use %s: %s", p.dir, lastLine(said))
	}
	return fmt.Errorf("PostgreSQL did not start on %s: %w: %s", p.data, err, lastLine(said))
}

func (p *Private) makeDatabase(ctx context.Context) error {
	db, err := sql.Open("postgres", p.url("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	var there bool
	if err := db.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, privateName).Scan(&there); err != nil {
		return fmt.Errorf("look for the database: %w", err)
	}
	if there {
		return nil
	}
	if _, err := db.ExecContext(ctx, `CREATE DATABASE `+privateName); err != nil {
		return fmt.Errorf("make the database: %w", err)
	}
	return nil
}

func (p *Private) isStopped() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stopped
}

// Stop ends the server in order (fast shutdown with a checkpoint) and returns when it is gone. It may
// be called more than once.
func (p *Private) Stop() error {
	p.mu.Lock()
	first := !p.stopped
	p.stopped = true
	if first && p.pid != 0 {
		_ = syscall.Kill(p.pid, syscall.SIGINT)
	}
	p.mu.Unlock()
	<-p.ended
	if first {
		return p.lock.Close()
	}
	return nil
}

// Programs is the folder of the PostgreSQL in use, for psql and pg_dump.
func (p *Private) Programs() string { return p.progs.dir }
