package tickets

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/jmoiron/sqlx"

	"chatnow/internal/accounts"
	"chatnow/internal/cluster"
	"chatnow/internal/mail"
	"chatnow/internal/settings"
	"chatnow/internal/web"
)

// api is a desk behind its real routes, with sessions, limits of bodies and repeated writes as in service.
type api struct {
	t *testing.T
	*Desk
	srv *httptest.Server
}

func newAPI(t *testing.T, db *sqlx.DB, c *clock) *api {
	t.Helper()
	quiet, bus := slog.New(slog.DiscardHandler), cluster.NewLocal()
	st, err := settings.Open(t.Context(), db, bus, c.now, quiet)
	if err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse("http://127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	srv := web.New(web.Config{BaseURL: base, Log: quiet, Now: c.now})
	srv.UseDatabase(db)
	outbox := mail.New(db, c.now)
	people := accounts.New(db, srv, outbox, bus, c.now, quiet)
	srv.Echo.Use(people.Identify)
	d := NewDesk(db, st, outbox, people, bus, c.now, quiet)
	d.Routes(srv)
	served := httptest.NewServer(srv.Echo)
	t.Cleanup(served.Close)
	return &api{t, d, served}
}

// join makes somebody with an API token.
func (a *api) join(email, name, role string) (id, token string) {
	a.t.Helper()
	token, hash := accounts.NewToken()
	if err := a.db.Get(&id, `WITH one AS (INSERT INTO people (name, role) VALUES ($1, $2) RETURNING id),
		at AS (INSERT INTO addresses (email, person_id, verified_at) SELECT $3, id, now() FROM one)
		INSERT INTO api_tokens (token_hash, person_id, name, created_at) SELECT $4, id, 'test', now() FROM one RETURNING person_id`, name, role, email, hash); err != nil {
		a.t.Fatal(err)
	}
	return id, token
}

// answer is what the API says of a ticket, or what is wrong.
type answer struct {
	Status int
	Code   string
	Ticket struct {
		Number     int64
		Status     string
		Version    int
		FollowUpOf *int64 `json:"follow_up_of"`
		MergedInto *int64 `json:"merged_into"`
		Why        map[string]string
		Next       string
		Comments   []struct{ Body string }
		History    []struct {
			At, Event, From, To, Why string
			Actor                    struct{ Kind, Name string }
		}
	}
	raw string
}

func (a *api) ask(token, method, path, key, body string) (out answer, err error) {
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.srv.URL+"/api/v1"+path, bytes.NewBufferString(body))
	if err != nil {
		return out, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := a.srv.Client().Do(req)
	if err != nil {
		return out, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(raw, &out); err != nil && res.StatusCode < 400 {
		return out, err
	}
	var problem struct{ Code string } // there, status is a number
	_ = json.Unmarshal(raw, &problem)
	out.Status, out.Code, out.raw = res.StatusCode, problem.Code, string(raw)
	return out, nil
}
