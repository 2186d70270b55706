package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"chatnow/internal/app"
	"chatnow/internal/pgtest"
)

// The doctor finds nothing on a server that is well, and each of these ills by its name.
func TestTheDoctor(t *testing.T) {
	_, relay := openPostOffice(t)
	url := pgtest.URL(t)
	addStaff(t, url, "ada@example.com", "Ada", "admin")
	s := serve(t, url, func(cfg *app.Config) { cfg.SMTPURL, cfg.BaseURL = relay, "https://support.example.com" })
	upload := idOf(t, func() string {
		_, said := newReader(t, "http://"+s.cfg.Listen).sendFile("a.log", "a line")
		return said
	}())
	look := func(change func(*app.Config)) (map[string]string, error) {
		t.Helper()
		var out bytes.Buffer
		cfg := s.cfg
		cfg.Out, cfg.Log, cfg.Now = &out, slog.New(slog.NewTextHandler(io.Discard, nil)), time.Now
		if change != nil {
			change(&cfg)
		}
		err := app.Doctor(t.Context(), cfg, true)
		var said struct {
			OK       bool
			Findings []app.Finding
		}
		if jsonErr := json.Unmarshal(out.Bytes(), &said); jsonErr != nil {
			t.Fatalf("%v %s", jsonErr, out.String())
		}
		if said.OK != (err == nil) || err != nil && !errors.Is(err, app.ErrUnwell) {
			t.Fatalf("says %t and ends with %v", said.OK, err)
		}
		states := map[string]string{}
		for _, f := range said.Findings {
			states[f.What] = f.State
			if f.State != "ok" {
				t.Logf("%s %s: %s", f.State, f.What, f.Says)
			}
		}
		return states, err
	}
	states, err := look(nil)
	if err != nil || states["uploads"] != "ok" || states["mail"] != "ok" || states["accounts"] != "ok" || states["hours"] != "ok" || states["schema"] != "ok" || states["address"] != "ok" {
		t.Errorf("a server that is well: %v %v", states, err)
	}
	if states, _ := look(func(cfg *app.Config) { cfg.SMTPURL = "smtp://127.0.0.1:1" }); states["mail"] != "fail" {
		t.Errorf("a mail server that is away: %v", states)
	}
	if states, _ := look(func(cfg *app.Config) { cfg.NATSURL = "nats://127.0.0.1:1" }); states["nats"] != "fail" {
		t.Errorf("a NATS that is away: %v", states)
	}
	if states, _ := look(func(cfg *app.Config) { cfg.BaseURL = "http://127.0.0.1:8080" }); states["address"] != "warn" {
		t.Errorf("links to this machine: %v", states)
	}
	if states, _ := look(func(cfg *app.Config) { cfg.DatabaseURL = "postgres://nobody@127.0.0.1:1/nothing" }); states["database"] != "fail" {
		t.Errorf("a database that is away: %v", states)
	}
	if err := os.Remove(filepath.Join(s.cfg.Data, "uploads", upload[:2], upload)); err != nil {
		t.Fatal(err)
	}
	db := open(t, url)
	for _, ill := range []string{
		`UPDATE people SET disabled_at = now()`,
		`INSERT INTO outbox (id, key, kind, to_email, state, queued_at, created_at, next_at) VALUES (gen_random_uuid(), 'k', 'reset', 'x@example.com', 'failed', now(), now(), now())`,
	} {
		if _, err := db.ExecContext(t.Context(), ill); err != nil {
			t.Fatal(err)
		}
	}
	states, _ = look(nil)
	if states["uploads"] != "fail" || states["accounts"] != "fail" || states["outbox"] != "warn" {
		t.Errorf("three ills: %v", states)
	}
}
