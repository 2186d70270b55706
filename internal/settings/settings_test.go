package settings

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/labstack/echo/v4"

	"chatnow/internal/cluster"
	"chatnow/internal/fault"
	"chatnow/internal/pgtest"
	"chatnow/internal/postgres"
	"chatnow/internal/web"
)

func open(t *testing.T, db *sqlx.DB) *Store {
	t.Helper()
	s, err := Open(t.Context(), db, cluster.NewLocal(), time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func running(t *testing.T, s *Store) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
}

func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("it never came: %s", what)
}

func TestNodesThatStartTogetherWriteOneDocument(t *testing.T) {
	db := pgtest.New(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := Open(t.Context(), db, cluster.NewLocal(), time.Now, slog.New(slog.DiscardHandler)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var n int
	if err := db.Get(&n, `SELECT count(*) FROM settings`); err != nil || n != 1 {
		t.Fatalf("%d documents, %v", n, err)
	}
}

func TestAChangeIsInForceOnEveryNode(t *testing.T) {
	db := pgtest.New(t)
	a, b := open(t, db), open(t, db) // their buses do not meet: this is the fallback
	told := make(chan *Snapshot, 10)
	b.OnChange(func(s *Snapshot) { told <- s })
	running(t, b)
	doc := a.Current().Doc
	doc.Policy.ChatOfferFor = Duration(3 * time.Second)
	snap, err := a.Update(t.Context(), doc, Who{Name: "Ada"})
	if err != nil || snap.Version != 2 || a.Current().Version != 2 {
		t.Fatalf("%v, %v", snap, err)
	}
	eventually(t, "version 2 on the other node", func() bool { return b.Current().Version == 2 })
	if s := <-told; s.Policy.ChatOfferFor.D() != 3*time.Second || len(told) != 0 {
		t.Errorf("told %v and %d more", s.Policy, len(told))
	}
	if _, err := b.Update(t.Context(), doc, Who{}); fault.Code(err) != "stale" {
		t.Errorf("the old version: %v", err)
	}
}

func TestATransactionDecidesByWhatIsCommitted(t *testing.T) {
	db := pgtest.New(t)
	a, b := open(t, db), open(t, db)
	doc := a.Current().Doc
	doc.Timezone = "Europe/Berlin"
	if _, err := a.Update(t.Context(), doc, Who{}); err != nil {
		t.Fatal(err)
	}
	if b.Current().Version != 1 {
		t.Fatal("b already knows: nothing is tested")
	}
	err := postgres.InTx(t.Context(), db, func(tx *sqlx.Tx) error {
		snap, err := b.InTx(t.Context(), tx)
		if err == nil && (snap.Timezone != "Europe/Berlin" || snap.Calendar.Location().String() != "Europe/Berlin") {
			t.Errorf("the transaction sees %s", snap.Timezone)
		}
		return err
	})
	if err != nil || b.Current().Version != 2 {
		t.Errorf("%v; version %d", err, b.Current().Version)
	}
}

func TestOfManyWritersOneWins(t *testing.T) {
	s := open(t, pgtest.New(t))
	doc := s.Current().Doc
	var wg sync.WaitGroup
	results := make(chan error, 8)
	for range 8 {
		wg.Go(func() { _, err := s.Update(context.Background(), doc, Who{}); results <- err })
	}
	wg.Wait()
	close(results)
	won := 0
	for err := range results {
		if err == nil {
			won++
		} else if fault.Code(err) != "stale" {
			t.Error(err)
		}
	}
	if won != 1 || s.Current().Version != 2 {
		t.Errorf("%d won, version %d", won, s.Current().Version)
	}
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	for field, change := range map[string]string{
		"policy.solved_closes_after":    `{"policy":{"solved_closes_after":"two days"}}`,
		"policy.pending_solves_after":   `{"policy":{"pending_solves_after":96}}`,
		"policy.update_within.urgent":   `{"policy":{"update_within":{"urgent":"soon"}}}`,
		"policy.reminders[1]":           `{"policy":{"reminders":["24h","x"]}}`,
		"policy.chat_offer_for":         `{"policy":{"chat_offer_for":"-1s"}}`,
		"policy.counting":               `{"policy":{"counting":"days"}}`,
		"solved":                        `{"policy":{"solved":"48h"}}`,
		"hourz":                         `{"hourz":{}}`,
		"timezone":                      `{"timezone":3}`,
		"hours":                         `{"hours":{"mon":"8 to 5"}}`,
		"hours.mon[0][0]":               `{"hours":{"mon":[["8:00","17:00"]]}}`,
		"holidays[0].date":              `{"holidays":[{"date":"2026-02-30"}]}`,
		"products":                      `{"products":[]}`,
		"products[0].url":               `{"products":[{"id":"a","name":"A","served":true,"url":"javascript:alert(1)"}]}`,
		"priorities":                    `{"priorities":[]}`,
		"device_pattern":                `{"device_pattern":"("}`,
		"name":                          `{"name":""}`,
		"links.policy":                  `{"links":{"policy":"javascript:alert(1)"}}`,
		"limits.mails_per_day":          `{"limits":{"mails_per_day":-1}}`,
		"destinations[0]":               `{"destinations":[""]}`,
		"priorities[0].scenarios[0]":    `{"priorities":[{"id":"urgent","name":"u","question":"q","definition":"d","scenarios":[""]}]}`,
		"policy.unstaffed_missed_after": `{"policy":{"unstaffed_missed_after":"9000h"}}`,
		"policy.queue_limit":            `{"policy":{"queue_limit":"many"}}`,
	} {
		doc, err := over(Defaults(), []byte(change), true)
		if err == nil {
			_, err = doc.Check()
		}
		var known *fault.Error
		named := func(f fault.Field) bool { return f.Field == field }
		if !errors.As(err, &known) || known.Kind != fault.Invalid || !slices.ContainsFunc(known.Fields, named) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestAListIsReplacedWhole(t *testing.T) {
	base := Defaults()
	doc, err := over(base, []byte(`{"products":[{"id":"x","name":"X","served":true}],"hours":{"mon":[["10:00","11:00"]]},"policy":{"queue_limit":7}}`), true)
	if err != nil {
		t.Fatal(err)
	}
	if p := doc.Products; len(p) != 1 || p[0].Version != "" || p[0].Aliases == nil {
		t.Errorf("products %+v", p)
	}
	if len(doc.Hours["tue"]) != 0 || doc.Hours["mon"][0] != [2]string{"10:00", "11:00"} || len(base.Hours["tue"]) != 1 {
		t.Errorf("hours %v, base %v", doc.Hours, base.Hours)
	}
	if doc.Policy.QueueLimit != 7 || doc.Policy.SolvedClosesAfter.D() != 48*time.Hour {
		t.Errorf("policy %+v", doc.Policy)
	}
}

// server answers by the store's routes, as the administrator Ada.
func server(t *testing.T, s *Store) *httptest.Server {
	srv := web.New(web.Config{BaseURL: &url.URL{Scheme: "http", Host: "help.test"}, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	s.Routes(srv, web.Anyone, func(echo.Context) Who { return Who{ID: "8f7f2f3e-5b0c-4c5e-9d6a-0b1c2d3e4f50", Name: "Ada"} })
	h := httptest.NewServer(srv.Echo)
	t.Cleanup(h.Close)
	return h
}

func call(t *testing.T, method, link string, body any) (int, map[string]any) {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(method, link, bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err = io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]any{}
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return res.StatusCode, out
}

func TestTheDocumentGoesOutAndComesBack(t *testing.T) {
	h := server(t, open(t, pgtest.New(t)))
	link := h.URL + "/api/v1/settings"
	status, doc := call(t, "GET", link, nil)
	policy, _ := doc["policy"].(map[string]any)
	if status != 200 || doc["timezone"] != "America/Chicago" || doc["version"] != 1.0 || policy["solved_closes_after"] != "48h0m0s" {
		t.Fatalf("%d %v", status, doc)
	}
	policy["solved_closes_after"] = "3s"
	status, second := call(t, "PUT", link, doc)
	if p, _ := second["policy"].(map[string]any); status != 200 || second["version"] != 2.0 || p["solved_closes_after"] != "3s" {
		t.Fatalf("%d %v", status, second)
	}
	if status, answer := call(t, "PUT", link, doc); status != 409 || answer["code"] != "stale" || answer["version"] != 2.0 {
		t.Errorf("stale: %d %v", status, answer)
	}
	if status, third := call(t, "PUT", link, map[string]any{"settings": second}); status != 200 || third["version"] != 3.0 {
		t.Errorf("under its name: %d %v", status, third)
	}
	if status, answer := call(t, "PUT", link, map[string]any{"timezone": "UTC"}); status != 422 || !strings.Contains(toText(answer["errors"]), "version") {
		t.Errorf("without a version: %d %v", status, answer)
	}
	status, history := call(t, "GET", link+"/history", nil)
	entries, _ := history["history"].([]any)
	if status != 200 || len(entries) != 3 || !strings.Contains(toText(entries[0]), "Ada") {
		t.Errorf("history: %d %v", status, history)
	}
}

func toText(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

func TestEverybodyMayKnowHowToGetHelp(t *testing.T) {
	s := open(t, pgtest.New(t))
	status, out := call(t, "GET", server(t, s).URL+"/api/v1/support", nil)
	if status != 200 || out["policy"] != nil || len(out["week"].([]any)) != 7 || len(out["priorities"].([]any)) != 4 {
		t.Fatalf("%d %v", status, out)
	}
	snap := s.Current()
	sunday := time.Date(2026, 11, 29, 12, 0, 0, 0, snap.Calendar.Location())
	week := snap.Support(sunday).Week
	if week[0].Date != "2026-11-23" || week[6].Date != "2026-11-29" || !week[6].Today || len(week[6].Open) != 0 || week[0].Open[0] != [2]string{"08:00", "17:00"} {
		t.Errorf("week %+v", week)
	}
}

// A document that is refused, or only looked at, leaves the one in force as it is, whatever is wrong
// with it and wherever: encoding/json would write into lists that it finds.
func TestWhatIsRefusedChangesNothing(t *testing.T) {
	db, c := pgtest.New(t), time.Now
	st, err := Open(t.Context(), db, cluster.NewLocal(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	before, err := json.Marshal(st.Current().Doc)
	if err != nil {
		t.Fatal(err)
	}
	for _, raw := range []string{
		`{"products":[{"id":"x","name":"Y","aliases":["z"]}],"hours":7}`,
		`{"priorities":[{"id":"low"}],"policy":{"reminders":"x"}}`,
		`{"destinations":["x","y"],"holidays":{"a":1}}`,
		`{"policy":{"update_within":{"urgent":"1h"},"queue_limit":"x"}}`,
		`{"hours":{"mon":[["01:00","02:00"]]},"products":5}`,
		`{"products":[{"id":"","name":""}]}`,
		`{"policy":"x","products":[{"id":"evil","name":"Evil","aliases":["e"]}],"destinations":["e"],"hours":{"mon":[["01:00","02:00"]]}}`,
		`{"policy":[],"priorities":[{"id":"evil","scenarios":["e"]}],"holidays":[{"date":"e"}]}`,
	} {
		if _, err := st.Draft([]byte(raw)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", raw, err)
		}
		if _, err := st.Put(t.Context(), []byte(raw), Who{Name: "test"}); err == nil {
			t.Errorf("%s was taken", raw)
		}
		if after, err := json.Marshal(st.Current().Doc); err != nil || !bytes.Equal(before, after) {
			t.Fatalf("%s left behind %s, %v", raw, after, err)
		}
	}
}
