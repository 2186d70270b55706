// Package e2e drives the whole product in a real browser against a real database.
package e2e

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"chatnow/internal/accounts"
	"chatnow/internal/app"
	"chatnow/internal/cluster"
	"chatnow/internal/pgtest"
	"chatnow/internal/postgres"
	"chatnow/internal/settings"
)

// A server is the product on an address that stays the same over its restarts.
type server struct {
	t      *testing.T
	cfg    app.Config
	mu     sync.Mutex
	cancel context.CancelFunc
	done   chan error
}

// serve starts the product on a database until the test ends.
func serve(t *testing.T, url string, change ...func(*app.Config)) *server {
	t.Helper()
	s := &server{t: t, cfg: app.Config{Listen: freeAddress(t), DatabaseURL: url, Data: t.TempDir(), Out: io.Discard, Now: time.Now, Log: slog.New(slog.DiscardHandler)}}
	for _, f := range change {
		f(&s.cfg)
	}
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *server) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	ready := make(chan string, 1)
	cfg := s.cfg
	cfg.Ready = func(base string) { ready <- base }
	s.cancel, s.done = cancel, make(chan error, 1)
	go func() { s.done <- app.Run(ctx, cfg) }()
	select {
	case <-ready:
	case err := <-s.done:
		s.cancel = nil // there is nothing to stop
		cancel()
		s.t.Errorf("the server did not start: %v", err)
	case <-time.After(30 * time.Second):
		s.t.Error("the server did not start within 30 s")
	}
}

func (s *server) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancel == nil {
		return
	}
	s.cancel()
	if err := <-s.done; err != nil {
		s.t.Errorf("the server did not end in order: %v", err)
	}
	s.cancel = nil
}

func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// hours writes a calendar that is always open, or always closed, as an administrator would.
func hours(t *testing.T, url string, open bool) {
	ctx := context.Background()
	db, err := postgres.Open(ctx, url, postgres.Options{MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	st, err := settings.Open(ctx, db, cluster.NewLocal(), time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	doc := st.Current().Doc
	doc.Policy.ChampionGoneAfter = settings.Duration(time.Second)
	doc.Timezone = "UTC"
	for _, d := range []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} {
		doc.Hours[d] = [][2]string{{"00:00", "24:00"}}
		if !open {
			doc.Hours[d] = [][2]string{}
		}
	}
	if !open { // opens again some day, as a real calendar does
		doc.Hours[strings.ToLower(time.Now().UTC().AddDate(0, 0, 2).Format("Mon"))] = [][2]string{{"08:00", "17:00"}}
	}
	if _, err := st.Update(ctx, doc, settings.Who{Name: "test"}); err != nil {
		t.Fatal(err)
	}
}

func TestJourneysInABrowser(t *testing.T) {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%s is missing: make test installs it", program)
		}
	}
	if _, err := os.Stat("node_modules/playwright-core"); err != nil {
		if out, err := exec.Command("npm", "ci", "--no-audit", "--no-fund").CombinedOutput(); err != nil {
			t.Fatalf("npm ci: %v\n%s", err, out)
		}
	}
	url := pgtest.URL(t)
	s := serve(t, url)
	hours(t, url, true)
	addStaff(t, url, "priya@example.com", "Priya Raman", "admin")
	addStaff(t, url, "jonas@example.com", "Jonas Lindqvist", "champion")
	base := "http://" + s.cfg.Listen

	control := http.NewServeMux()
	for path, do := range map[string]func(){
		"/stop": s.stop, "/start": s.start, "/open": func() { hours(t, url, true) }, "/close": func() { hours(t, url, false) },
	} {
		control.HandleFunc("POST "+path, func(http.ResponseWriter, *http.Request) { do() })
	}
	side := httptest.NewServer(control)
	defer side.Close()
	foreign := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src "+base+"; frame-src "+base)
		_, _ = io.WriteString(w, `<!doctype html><title>A shop</title><body><h1>A shop of another origin</h1><script src="`+base+`/widget.js" defer></script>`)
	}))
	defer foreign.Close()

	cmd := exec.CommandContext(t.Context(), "node", "journeys.mjs")
	cmd.Env = append(os.Environ(), "BASE="+base, "CONTROL="+side.URL, "FOREIGN="+foreign.URL, "CHROMIUM="+browser(t))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr // as it goes, so that a hang shows where
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
}

func browser(t *testing.T) string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("Chromium is missing: make test installs it")
	return ""
}

func addStaff(t *testing.T, url, email, name, role string) {
	db, err := postgres.Open(t.Context(), url, postgres.Options{MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := accounts.New(db, nil, nil, cluster.NewLocal(), time.Now, slog.New(slog.DiscardHandler)).AddStaff(t.Context(), email, name, accounts.Role(role), "a long password"); err != nil {
		t.Fatal(err)
	}
}
