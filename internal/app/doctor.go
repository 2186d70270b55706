package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/nats-io/nats.go"

	"chatnow/internal/cluster"
	"chatnow/internal/fault"
	"chatnow/internal/files"
	"chatnow/internal/mail"
	"chatnow/internal/postgres"
	"chatnow/internal/settings"
)

// A Finding is what the doctor says of one thing: ok, warn or fail, and for the latter two what to do.
type Finding struct {
	What  string `json:"what"`
	State string `json:"state"`
	Says  string `json:"says"`
}

// ErrUnwell is the doctor's error when something failed; the findings have been printed.
var ErrUnwell = errors.New("something has to be done before this server can be relied on")

// Doctor looks at everything that a server needs, whether or not one runs on the same data, and changes nothing.
func Doctor(ctx context.Context, cfg Config, asJSON bool) error {
	d := &doctor{cfg: cfg}
	d.machine()
	d.address()
	cfg.DatabaseURL = Running(ctx, cfg)
	if db, _, end, err := Database(ctx, cfg); err != nil {
		d.fail("database", "%v", err)
	} else {
		d.database(ctx, db)
		if err := end(); err != nil {
			d.warn("database", "it did not end in order: %v", err)
		}
	}
	d.mail(ctx)
	d.nats(ctx)
	return d.tell(asJSON)
}

type doctor struct {
	cfg      Config
	findings []Finding
}

func (d *doctor) add(state, what, format string, args ...any) {
	d.findings = append(d.findings, Finding{what, state, fmt.Sprintf(format, args...)})
}
func (d *doctor) ok(what, format string, args ...any)   { d.add("ok", what, format, args...) }
func (d *doctor) warn(what, format string, args ...any) { d.add("warn", what, format, args...) }
func (d *doctor) fail(what, format string, args ...any) { d.add("fail", what, format, args...) }

func (d *doctor) tell(asJSON bool) error {
	failed := false
	for _, f := range d.findings {
		failed = failed || f.State == "fail"
		if !asJSON {
			fmt.Fprintf(d.cfg.Out, "%-4s  %-12s %s\n", f.State, f.What, f.Says)
		}
	}
	if asJSON {
		e := json.NewEncoder(d.cfg.Out)
		e.SetIndent("", "  ")
		if err := e.Encode(map[string]any{"ok": !failed, "findings": d.findings}); err != nil {
			return err
		}
	}
	if failed {
		return ErrUnwell
	}
	return nil
}

// machine looks at the data folder, the room in it, and what the system allows.
func (d *doctor) machine() {
	dir := d.cfg.Data
	if err := os.MkdirAll(dir, 0o755); err != nil {
		d.fail("data folder", "%v: choose another with CHATNOW_DATA", err)
		return
	}
	tmp, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		d.fail("data folder", "%v: give this user the right to write there, or choose another with CHATNOW_DATA", err)
		return
	}
	_ = errors.Join(tmp.Close(), os.Remove(tmp.Name()))
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err == nil {
		switch free := int64(st.Bavail) * st.Bsize >> 20; {
		case free < 100:
			d.fail("disk", "%d MiB are free in %s: make room", free, dir)
		case free < 2048:
			d.warn("disk", "%d MiB are free in %s: plan for more", free, dir)
		default:
			d.ok("disk", "%d MiB are free in %s", free, dir)
		}
	}
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err == nil {
		if files.Max < 8192 {
			d.warn("open files", "%d at most; each customer needs one: raise it (LimitNOFILE= in a systemd unit)", files.Max)
		} else {
			d.ok("open files", "up to %d", files.Max)
		}
	}
}

// address looks at what links begin with.
func (d *doctor) address() {
	base := cmp.Or(d.cfg.BaseURL, "http://"+d.cfg.Listen)
	u, err := url.Parse(base)
	switch ip := net.ParseIP(hostOf(u)); {
	case err != nil || u.Host == "":
		d.fail("address", "CHATNOW_BASE_URL should look like https://support.example.com, not %q", base)
	case u.Hostname() == "localhost" || ip != nil && ip.IsLoopback():
		d.warn("address", "links begin with %s, which works on this machine only: set CHATNOW_BASE_URL", base)
	case u.Scheme != "https":
		d.warn("address", "links begin with %s: without https, sessions can be read on the way", base)
	default:
		d.ok("address", "links begin with %s", base)
	}
}

func hostOf(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.Hostname()
}

// database looks at the database itself, and then at what stands in it.
func (d *doctor) database(ctx context.Context, db *sqlx.DB) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var s struct {
		Version string `db:"version"`
		Major   int    `db:"major"`
		Risky   string `db:"risky"`
		Conns   int    `db:"conns"`
	}
	if err := db.GetContext(ctx, &s, `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int / 10000 AS major,
		concat_ws(', ', CASE WHEN current_setting('fsync') <> 'on' THEN 'fsync' END, CASE WHEN current_setting('full_page_writes') <> 'on' THEN 'full_page_writes' END,
			CASE WHEN current_setting('synchronous_commit') = 'off' THEN 'synchronous_commit' END) AS risky, current_setting('max_connections')::int AS conns`); err != nil {
		d.fail("database", "%v", err)
		return
	}
	switch {
	case s.Major < 14:
		d.fail("database", "PostgreSQL %s; 14 or newer is needed", s.Version)
	case s.Risky != "":
		d.fail("database", "%s is off: what has been acknowledged can be lost. Turn it on", s.Risky)
	case s.Conns < 30:
		d.warn("database", "PostgreSQL %s allows %d connections; a server uses up to 24", s.Version, s.Conns)
	default:
		d.ok("database", "PostgreSQL %s, durable", s.Version)
	}
	current, err := postgres.SchemaCurrent(ctx, db.DB)
	switch {
	case err != nil:
		d.fail("schema", "%v", err)
		return
	case !current:
		d.warn("schema", "older than this program: the next start, or chatnow migrate, brings it up to date")
		return // what follows asks the new schema
	}
	d.ok("schema", "up to date")
	d.content(ctx, db)
	d.hours(ctx, db)
	d.files(ctx, db)
}

// content looks for what waits although nothing should.
func (d *doctor) content(ctx context.Context, db *sqlx.DB) {
	var n struct {
		Admins  int `db:"admins"`
		Waiting int `db:"waiting"`
		Failed  int `db:"failed"`
		Overdue int `db:"overdue"`
	}
	if err := db.GetContext(ctx, &n, `SELECT (SELECT count(*) FROM people WHERE role = 'admin' AND disabled_at IS NULL AND password_hash IS NOT NULL) AS admins,
		(SELECT count(*) FROM outbox WHERE state = 'waiting' AND queued_at < $1::timestamptz - interval '1 hour') AS waiting,
		(SELECT count(*) FROM outbox WHERE state = 'failed' AND queued_at > $1::timestamptz - interval '7 days') AS failed,
		(SELECT count(*) FROM tickets WHERE wake_at < $1::timestamptz - interval '1 minute') AS overdue`, d.cfg.Now()); err != nil {
		d.fail("content", "%v", err)
		return
	}
	if n.Admins == 0 {
		d.fail("accounts", "there is no administrator: open the link that the server prints at its start, or run chatnow champion add --role admin")
	} else {
		d.ok("accounts", "%d may administrate", n.Admins)
	}
	switch {
	case n.Waiting > 0 && d.cfg.SMTPURL != "":
		d.warn("outbox", "%d mails have waited for more than an hour: see Settings, Outbox, for the reason", n.Waiting)
	case n.Failed > 0:
		d.warn("outbox", "%d mails of the last week were refused for good: see Settings, Outbox", n.Failed)
	default:
		d.ok("outbox", "nothing is stuck")
	}
	if n.Overdue > 0 {
		d.warn("timers", "%d tickets should have moved by themselves: no server runs, or its log says why not", n.Overdue)
	} else {
		d.ok("timers", "nothing is overdue")
	}
}

// hours looks whether chat will ever open.
func (d *doctor) hours(ctx context.Context, db *sqlx.DB) {
	st, err := settings.Open(ctx, db, cluster.NewLocal(), d.cfg.Now, d.cfg.Log)
	if err != nil {
		d.fail("hours", "%v", err)
		return
	}
	s, now := st.Current(), d.cfg.Now()
	at, ok := s.Calendar.NextOpen(now)
	switch {
	case s.Calendar.Open(now):
		d.ok("hours", "chat is open at this moment, %s", s.Timezone)
	case ok:
		d.ok("hours", "chat opens %s", at.In(s.Calendar.Location()).Format("Monday 2 January, 15:04 MST"))
	default:
		d.fail("hours", "chat never opens: set the hours in the console, Settings, Hours")
	}
}

// files looks whether every upload of the last month that the database knows is in the store.
func (d *doctor) files(ctx context.Context, db *sqlx.DB) {
	store, err := openStore(d.cfg)
	if err != nil {
		d.fail("uploads", "%v", err)
		return
	}
	keys, err := files.Keys(ctx, db)
	if err != nil {
		d.fail("uploads", "%v", err)
		return
	}
	const most = 200 // of a bucket each is a request
	if len(keys) > most {
		keys = keys[len(keys)-most:]
	}
	var missing []string
	for _, key := range keys {
		f, err := store.Get(ctx, key)
		if err == nil {
			err = f.Close()
		}
		if fault.KindOf(err) == fault.Missing && err != nil {
			missing = append(missing, key)
		} else if err != nil {
			d.fail("uploads", "%v", err)
			return
		}
	}
	if len(missing) > 0 {
		d.fail("uploads", "%d of %d files are not in the store, such as %s: restore them from a backup", len(missing), len(keys), missing[0])
		return
	}
	d.ok("uploads", "%d files looked for, and found", len(keys))
}

func (d *doctor) mail(ctx context.Context) {
	if d.cfg.SMTPURL == "" {
		d.warn("mail", "no mail server is set, so mails stay in the console: set CHATNOW_SMTP_URL")
		return
	}
	base, err := url.Parse(cmp.Or(d.cfg.BaseURL, "http://"+d.cfg.Listen))
	if err == nil {
		err = mail.Reach(ctx, d.cfg.SMTPURL, base)
	}
	if err != nil {
		d.fail("mail", "%v: look at CHATNOW_SMTP_URL", err)
		return
	}
	d.ok("mail", "the mail server answers")
}

func (d *doctor) nats(ctx context.Context) {
	if d.cfg.NATSURL == "" {
		return
	}
	c, err := nats.Connect(d.cfg.NATSURL, nats.Timeout(5*time.Second), nats.NoReconnect())
	if err != nil {
		d.fail("nats", "%v: look at CHATNOW_NATS_URL", strings.TrimPrefix(err.Error(), "nats: "))
		return
	}
	defer c.Close()
	if err := c.FlushWithContext(ctx); err != nil && !errors.Is(err, nats.ErrNoDeadlineContext) {
		d.fail("nats", "%v", err)
		return
	}
	d.ok("nats", "answers")
}

// openStore opens the store of uploads without making anything.
func openStore(cfg Config) (files.Store, error) {
	if cfg.S3URL != "" {
		return files.OpenS3(cfg.S3URL)
	}
	if _, err := os.Stat(filepath.Clean(uploadsDir(cfg))); err != nil {
		return nil, fmt.Errorf("the folder of uploads: %w", err)
	}
	return openFolder(cfg)
}
