package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"chatnow/internal/postgres"
)

const (
	readyWithin = 30 * time.Second // of a server's start
	stopWithin  = 10 * time.Second // of SIGTERM
)

// A world is a whole installation: PostgreSQL, NATS, servers, and the lines between them.
type world struct {
	dir, chatnow, self string
	pg                 *postgres.Private
	db                 *sqlx.DB // past all relays
	nats               *process
	natsPort, port     int // port: where to look for the next free one
	nodes              []*node
}

// A node is one server, with its lines to PostgreSQL, to NATS and to its clients.
type node struct {
	w               *world
	n               int
	listen          string
	clients, db, hx *relay
	p               *process
}

func newWorld(ctx context.Context, dir, chatnow, self string, nodes int) (w *world, err error) {
	w = &world{dir: dir, chatnow: chatnow, self: self}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if w.pg, err = postgres.StartPrivate(ctx, filepath.Join(dir, "database"), slog.New(slog.DiscardHandler)); err != nil {
		return w, err
	}
	if w.db, err = postgres.Open(ctx, w.pg.URL(), postgres.Options{MaxConns: 4}); err != nil {
		return w, err
	}
	if w.natsPort, err = w.freePort(); err != nil {
		return w, err
	}
	if err := w.startNATS(); err != nil {
		return w, err
	}
	for n := range nodes {
		if err := w.addNode(n); err != nil {
			return w, err
		}
	}
	return w, nil
}

// freePort finds a port below those that outgoing connections get, so that it is free after a restart, too.
func (w *world) freePort() (int, error) {
	if w.port == 0 {
		w.port = 18000 + os.Getpid()%10000
	}
	for w.port < 32000 {
		w.port++
		if l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(w.port)); err == nil {
			return w.port, l.Close()
		}
	}
	return 0, errors.New("no port is free between 18000 and 32000")
}

func (w *world) socket() (string, error) {
	u, err := url.Parse(w.pg.URL())
	if err != nil {
		return "", err
	}
	return filepath.Join(u.Query().Get("host"), ".s.PGSQL.5432"), nil
}

func (w *world) startNATS() (err error) {
	w.nats, err = spawn(filepath.Join(w.dir, "nats.log"), w.self, "nats", strconv.Itoa(w.natsPort))
	return err
}

func (w *world) addNode(n int) error {
	port, err := w.freePort()
	if err != nil {
		return err
	}
	socket, err := w.socket()
	if err != nil {
		return err
	}
	d := &node{w: w, n: n, listen: "127.0.0.1:" + strconv.Itoa(port)}
	w.nodes = append(w.nodes, d)
	for line, dial := range map[**relay]func() (net.Conn, error){
		&d.db:      func() (net.Conn, error) { return net.Dial("unix", socket) },
		&d.hx:      func() (net.Conn, error) { return net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(w.natsPort)) },
		&d.clients: func() (net.Conn, error) { return net.Dial("tcp", d.listen) },
	} {
		if *line, err = newRelay(dial); err != nil {
			return err
		}
	}
	if err := d.start(); err != nil {
		return err
	}
	return d.ready()
}

func (d *node) start() (err error) {
	d.p, err = spawn(filepath.Join(d.w.dir, fmt.Sprintf("node%d.log", d.n)), d.w.chatnow, "serve", "--listen", d.listen,
		"--data", filepath.Join(d.w.dir, "files"), "--database-url", "postgres://chatnow@"+d.db.addr()+"/chatnow?sslmode=disable",
		"--nats-url", "nats://"+d.hx.addr(), "--rate-limits", "off")
	return err
}

// ready waits until the server says that it is.
func (d *node) ready() error {
	client := &http.Client{Timeout: 2 * time.Second}
	for end := time.Now().Add(readyWithin); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		res, err := client.Get("http://" + d.listen + "/readyz")
		if err != nil {
			continue
		}
		_ = res.Body.Close()
		if res.StatusCode == http.StatusOK {
			return nil
		}
	}
	return fmt.Errorf("server %d is not ready within %s: %s", d.n, readyWithin, d.said())
}

// said is the end of what the server wrote.
func (d *node) said() string {
	raw, err := os.ReadFile(filepath.Join(d.w.dir, fmt.Sprintf("node%d.log", d.n)))
	if err != nil {
		return err.Error()
	}
	return string(raw[max(0, len(raw)-2000):])
}

// champion makes a staff account as an operator does.
func (w *world) champion(ctx context.Context, email, name, role string) error {
	p, err := os.CreateTemp(w.dir, "password")
	if err != nil {
		return err
	}
	defer p.Close()
	if _, err := io.WriteString(p, password+"\n"); err != nil {
		return err
	}
	if _, err := p.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return runWith(ctx, p, w.chatnow, "champion", "add", "--database-url", w.pg.URL(), "--email", email, "--name", name, "--role", role, "--password-stdin")
}

// postmaster is the id of PostgreSQL's first process, 0 while there is none.
func (w *world) postmaster() int {
	raw, err := os.ReadFile(filepath.Join(w.dir, "database", "postgres", "data", "postmaster.pid"))
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || pid < 2 {
		return 0
	}
	return pid
}

// inflict lets one fault happen and heals it.
func (w *world) inflict(ctx context.Context, f Fault) error {
	d := w.nodes[f.Node]
	last := func() { wait(ctx, f.For) }
	switch f.Kind {
	case NodeKill:
		d.p.kill()
		last()
		return errors.Join(d.start(), d.ready())
	case NodeFreeze:
		d.p.signal(syscall.SIGSTOP)
		last()
		d.p.signal(syscall.SIGCONT)
	case NodeRestart:
		if err := d.p.stop(stopWithin); err != nil {
			return fmt.Errorf("server %d: %w: %s", d.n, err, d.said())
		}
		return errors.Join(d.start(), d.ready())
	case PostgresKill:
		tell(w.postmaster(), syscall.SIGKILL) // who keeps it starts it again
	case PostgresRestart:
		_ = syscall.Kill(w.postmaster(), syscall.SIGINT)
	case PostgresFreeze:
		frozen := w.postmaster()
		tell(frozen, syscall.SIGSTOP)
		last()
		tell(frozen, syscall.SIGCONT)
	case PostgresLock:
		return w.lock(ctx, f.For)
	case PostgresFull:
		return w.useUp(ctx, f.For)
	case PostgresEnd:
		_, err := w.db.ExecContext(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`)
		return err
	case NATSKill, NATSFreeze:
		return w.breakNATS(f, last)
	case PostgresCut, NATSCut, ClientCut:
		line := w.line(f)
		line.sever()
		last()
		line.heal()
	case ClientFreeze:
		d.clients.silence()
		last()
		d.clients.heal()
	case PostgresDelay, ClientDelay:
		w.line(f).slow(f.Delay)
		last()
		w.line(f).heal()
	}
	return nil
}

func (w *world) line(f Fault) *relay {
	d := w.nodes[f.Node]
	switch f.Kind {
	case PostgresCut, PostgresDelay:
		return d.db
	case NATSCut:
		return d.hx
	}
	return d.clients
}

func (w *world) breakNATS(f Fault, last func()) error {
	if f.Kind == NATSFreeze {
		w.nats.signal(syscall.SIGSTOP)
		last()
		w.nats.signal(syscall.SIGCONT)
		return nil
	}
	w.nats.kill()
	last()
	return w.startNATS()
}

// lock holds the message table, as a careless migration would.
func (w *world) lock(ctx context.Context, d time.Duration) error {
	tx, err := w.db.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // the end of the lock
	if _, err := tx.ExecContext(ctx, `LOCK TABLE messages IN ACCESS EXCLUSIVE MODE`); err != nil {
		return err
	}
	wait(ctx, d)
	return nil
}

// useUp takes every connection that PostgreSQL still gives, and ends the servers' own, so that they
// must ask for new ones and find none.
func (w *world) useUp(ctx context.Context, d time.Duration) error {
	db, err := sqlx.Open("postgres", w.pg.URL())
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, `SELECT 1`); err != nil {
		return err
	}
	for range 200 {
		c, err := db.Conn(ctx)
		if err != nil {
			var full *pq.Error
			if errors.As(err, &full) && full.Code == "53300" {
				break
			}
			return err
		}
		defer c.Close() // all of them at the end
	}
	// Ours come by the local socket, the servers' by a relay's, which looks local as well: the names differ.
	if _, err := w.db.ExecContext(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'chatnow' AND pid <> pg_backend_pid()`); err != nil {
		return err
	}
	for end := time.Now().Add(d); time.Now().Before(end) && wait(ctx, 50*time.Millisecond); {
		if c, err := db.Conn(ctx); err == nil {
			defer c.Close()
		}
	}
	return nil
}

// close ends everything, each by its id.
func (w *world) close() error {
	var errs []error
	for _, d := range w.nodes {
		if d.p != nil && d.p.running() {
			d.p.signal(syscall.SIGCONT)
			errs = append(errs, d.p.stop(stopWithin))
		}
		for _, r := range []*relay{d.clients, d.db, d.hx} {
			if r != nil {
				r.close()
			}
		}
	}
	if w.nats != nil && w.nats.running() {
		w.nats.kill()
	}
	if w.db != nil {
		errs = append(errs, w.db.Close())
	}
	if w.pg != nil {
		errs = append(errs, w.pg.Stop())
	}
	return errors.Join(errs...)
}
