// Package app builds everything, starts it, and stops it in reverse. It holds the
// one list of goroutines.
package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/labstack/echo/v4"
	"golang.org/x/sync/errgroup"

	"chatnow/chat"
	"chatnow/internal/accounts"
	"chatnow/internal/cluster"
	"chatnow/internal/files"
	"chatnow/internal/mail"
	"chatnow/internal/metrics"
	"chatnow/internal/openapi"
	"chatnow/internal/postgres"
	"chatnow/internal/reports"
	"chatnow/internal/settings"
	"chatnow/internal/web"
	"chatnow/internal/workbench"
	"chatnow/static"
	"chatnow/tickets"
)

// Config is what an operator can set.
type Config struct {
	Listen         string
	DatabaseURL    string // empty: a private PostgreSQL in Data
	Data           string
	BaseURL        string
	TrustedProxies []string
	RateLimits     bool
	SMTPURL        string    // empty: mails stay readable in the outbox
	NATSURL        string    // empty: the database carries what nodes tell each other
	S3URL          string    // empty: uploads are kept below Data
	MailFrom       string    // empty: support@ and the host of BaseURL
	MetricsListen  string    // empty: nobody counts
	Version        string    // of the program
	Out            io.Writer // where the first words go
	Log            *slog.Logger
	Now            func() time.Time
	Ready          func(base string) // told the address when it serves; for tests
}

// stopWithin bounds an orderly end.
const stopWithin = 8 * time.Second

// Database opens the database of a configuration, starting the private one if none is named. close
// ends what was started.
func Database(ctx context.Context, cfg Config) (db *sqlx.DB, dsn string, closeAll func() error, err error) {
	dsn, stop := cfg.DatabaseURL, func() error { return nil }
	if dsn == "" {
		private, err := postgres.StartPrivate(ctx, cfg.Data, cfg.Log)
		if err != nil {
			return nil, "", nil, err
		}
		dsn, stop = private.URL(), private.Stop
	}
	db, err = postgres.Open(ctx, dsn, postgres.Options{MaxConns: 24})
	if err != nil {
		return nil, "", nil, errors.Join(err, stop())
	}
	return db, dsn, func() error { return errors.Join(db.Close(), stop()) }, nil
}

// Run serves until ctx ends, then drains and returns when the last goroutine has ended.
func Run(ctx context.Context, cfg Config) (err error) {
	l, err := net.Listen("tcp", cfg.Listen) // first: a port in use is said before a database is made
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w; choose another address with CHATNOW_LISTEN", cfg.Listen, err)
	}
	defer l.Close()
	db, dsn, closeDB, err := Database(context.WithoutCancel(ctx), cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeDB()) }()
	if err := postgres.Migrate(ctx, db.DB); err != nil {
		return err
	}
	if cfg.BaseURL == "" {
		cfg.BaseURL = "http://" + l.Addr().String()
	}
	base, err := url.Parse(cfg.BaseURL)
	if err != nil || base.Host == "" {
		return fmt.Errorf("CHATNOW_BASE_URL should look like https://support.example.com, not %q", cfg.BaseURL)
	}
	return serve(ctx, cfg, l, db, dsn, base)
}

func serve(ctx context.Context, cfg Config, l net.Listener, db *sqlx.DB, dsn string, base *url.URL) error {
	var proxies []netip.Prefix
	for _, p := range cfg.TrustedProxies {
		prefix, err := netip.ParsePrefix(p)
		if err != nil {
			return fmt.Errorf("CHATNOW_TRUSTED_PROXIES: %q is no network such as 10.0.0.0/8", p)
		}
		proxies = append(proxies, prefix)
	}
	srv := web.New(web.Config{BaseURL: base, TrustedProxies: proxies, Limits: cfg.RateLimits, Log: cfg.Log, Now: cfg.Now})
	srv.UseDatabase(db)
	bus, err := openBus(ctx, cfg, db, dsn)
	if err != nil {
		return err
	}
	st, err := settings.Open(ctx, db, bus, cfg.Now, cfg.Log)
	if err != nil {
		return err
	}
	outbox := mail.New(db, cfg.Now)
	outbox.Rules = func() mail.Rules { return mailRules(st.Current(), cfg.RateLimits) }
	people := accounts.New(db, srv, outbox, bus, cfg.Now, cfg.Log)
	srv.Echo.Use(people.Identify)
	sender, err := mail.NewSender(outbox, mail.Config{SMTPURL: cfg.SMTPURL, From: cfg.MailFrom, BaseURL: base, Log: cfg.Log})
	if err != nil {
		return err
	}
	desk := tickets.NewDesk(db, st, outbox, people, bus, cfg.Now, cfg.Log)
	people.Requests = desk
	uploads, err := openFiles(cfg, db)
	if err != nil {
		return err
	}
	desk.Files, uploads.MayTicket = uploads, desk.MayTicket
	chats := chat.NewDesk(db, srv, st, people, desk, bus, cfg.Now, cfg.Log)
	chats.Files, uploads.MayChat = uploads, chats.MayChat
	bundle, err := static.New()
	if err != nil {
		return err
	}
	templates, err := static.NewPages(bundle)
	if err != nil {
		return err
	}
	frame := &framed{templates, st}
	people.Routes(srv, frame)
	st.Routes(srv, accounts.Admins, func(c echo.Context) settings.Who {
		p := accounts.Who(c)
		return settings.Who{ID: p.ID, Name: p.Name}
	})
	sender.Routes(srv, accounts.Admins)
	uploads.Routes(srv)
	desk.Routes(srv)
	chats.Routes(srv)
	bench := workbench.New(db, cfg.Now)
	bench.Routes(srv)
	reports.New(db, cfg.Now, func() *time.Location { return st.Current().Calendar.Location() }).Routes(srv)
	pageRoutes(srv, bundle, &pages{frame, st, chats, desk, uploads, srv.Secure(), cfg.Now})
	health(srv, db)
	if err := openapi.Serve(srv, cmp.Or(cfg.Version, "dev")); err != nil {
		return err
	}
	watch, err := watchers(cfg, db, srv, chats)
	if err != nil {
		return err
	}
	if err := greet(ctx, cfg, srv, people); err != nil {
		return err
	}
	// Two lives: the sockets and requests end first, what they rely on afterwards.
	parts, stopParts := context.WithCancel(context.WithoutCancel(ctx))
	defer stopParts()
	var group errgroup.Group
	for _, part := range []func(context.Context) error{bus.Run, st.Run, sender.Run, desk.RunTimers, chats.Run, watch, func(ctx context.Context) error {
		return cleanUp(ctx, cfg.Log, srv.CleanUp, people.Sweep, uploads.Sweep, bench.Sweep)
	}} {
		group.Go(func() error { return part(parts) })
	}
	if cfg.Ready != nil {
		cfg.Ready(cfg.BaseURL)
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		<-ctx.Done()
		chats.Drain()
	}()
	err = srv.Serve(ctx, l, stopWithin/2)
	if ctx.Err() != nil {
		<-drained
	}
	stopParts()
	return errors.Join(err, group.Wait())
}

// mailRules are what the settings say about mails.
func mailRules(s *settings.Snapshot, limits bool) mail.Rules {
	r := mail.Rules{Product: s.Name, Zone: s.Calendar.Location(), RetryFirst: s.Policy.MailRetryFirst.D()}
	if limits {
		r.ReceiptsPerDay, r.LinksPerHour, r.MailsPerDay = s.Limits.ReceiptsPerDay, s.Limits.LinksPerHour, s.Limits.MailsPerDay
	}
	return r
}

// greet says where to click, and who makes the first administrator.
func greet(ctx context.Context, cfg Config, srv *web.Server, people *accounts.Service) error {
	token, needed, err := people.SetupLink(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(cfg.Out, "Customers:  %s\nChampions:  %s\n", srv.Link("/"), srv.Link("/console"))
	if needed {
		fmt.Fprintf(cfg.Out, "First administrator, once:  %s\n", srv.Link("/setup?token="+token))
	}
	return nil
}

func health(srv *web.Server, db *sqlx.DB) {
	srv.Page(http.MethodGet, "/healthz", web.Anyone, func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") })
	srv.Page(http.MethodGet, "/readyz", web.Anyone, func(c echo.Context) error {
		ctx, cancel := context.WithTimeout(c.Request().Context(), 2*time.Second)
		defer cancel()
		current, err := postgres.SchemaCurrent(ctx, db.DB)
		if err != nil || !current || srv.Draining() {
			return c.String(http.StatusServiceUnavailable, "not ready\n")
		}
		return c.String(http.StatusOK, "ready\n")
	})
}

// watchers counts for Prometheus, on an address of its own, where one is named.
func watchers(cfg Config, db *sqlx.DB, srv *web.Server, chats *chat.Desk) (func(context.Context) error, error) {
	if cfg.MetricsListen == "" {
		return func(context.Context) error { return nil }, nil
	}
	l, err := net.Listen("tcp", cfg.MetricsListen)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w; choose another address with CHATNOW_METRICS_LISTEN", cfg.MetricsListen, err)
	}
	set := metrics.New(db, cfg.Log, chats.Sockets)
	srv.Observe(set.Request)
	chats.Observe(set.Commit)
	return func(ctx context.Context) error { return set.Serve(ctx, l) }, nil
}

// openBus opens what carries hints between nodes.
func openBus(ctx context.Context, cfg Config, db *sqlx.DB, dsn string) (*cluster.Shared, error) {
	if cfg.NATSURL == "" {
		return cluster.NewPostgres(db, dsn, cfg.Log)
	}
	var name string // servers of several databases may share one NATS
	if err := db.GetContext(ctx, &name, `SELECT system_identifier || '-' || current_database() FROM pg_control_system()`); err != nil {
		return nil, fmt.Errorf("ask the database for its name: %w", err)
	}
	return cluster.NewNATS(db, cfg.NATSURL, subjectOf(name), cfg.Log)
}

// subjectOf makes a name a part of a NATS subject.
func subjectOf(name string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f && r != '.' && r != '*' && r != '>' {
			return r
		}
		return '_'
	}, name)
}

// openFiles opens the store of uploads: a bucket where one is named, else a folder.
func openFiles(cfg Config, db *sqlx.DB) (*files.Service, error) {
	var store files.Store
	var err error
	if cfg.S3URL != "" {
		store, err = files.OpenS3(cfg.S3URL)
	} else {
		store, err = openFolder(cfg)
	}
	if err != nil {
		return nil, err
	}
	return files.New(db, store, uploadsDir(cfg), cfg.Now, cfg.Log)
}

func openFolder(cfg Config) (*files.Folder, error) { return files.NewFolder(uploadsDir(cfg)) }

// cleanUp forgets every hour what nobody can ask for any more.
func cleanUp(ctx context.Context, log *slog.Logger, sweeps ...func(context.Context) error) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		for _, sweep := range sweeps {
			if err := sweep(ctx); err != nil && ctx.Err() == nil {
				log.Warn("clean up", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
