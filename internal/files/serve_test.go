package files

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"chatnow/internal/accounts"
	"chatnow/internal/cluster"
	"chatnow/internal/mail"
	"chatnow/internal/pgtest"
	"chatnow/internal/web"
)

// A desk is the service behind real HTTP, on a database and a folder of its own, with a clock in the
// test's hand.
type desk struct {
	*Service
	t     *testing.T
	base  string
	dir   string
	db    *sqlx.DB
	clock atomic.Int64 // nanoseconds that have passed
	// What is above this package: who owns which ticket, which token is which chat's.
	owner map[int64]string
	token map[string]string
}

func newDesk(t *testing.T, limits bool) *desk {
	t.Helper()
	d := &desk{t: t, dir: t.TempDir(), db: pgtest.New(t), owner: map[int64]string{}, token: map[string]string{}}
	start := time.Now().Truncate(time.Second)
	now := func() time.Time { return start.Add(time.Duration(d.clock.Load())) }
	log := slog.New(slog.DiscardHandler)
	folder, err := NewFolder(d.dir)
	if err != nil {
		t.Fatal(err)
	}
	if d.Service, err = New(d.db, folder, d.dir, now, log); err != nil {
		t.Fatal(err)
	}
	d.MayTicket = func(_ context.Context, person string, ticket int64) (bool, error) {
		return person != "" && d.owner[ticket] == person, nil
	}
	d.MayChat = func(_ context.Context, token, chat string) (bool, error) { return d.token[chat] == token, nil }
	base, err := url.Parse("https://help.test")
	if err != nil {
		t.Fatal(err)
	}
	srv := web.New(web.Config{BaseURL: base, Limits: limits, Log: log, Now: now})
	srv.UseDatabase(d.db)
	srv.Echo.Use(accounts.New(d.db, srv, mail.New(d.db, now), cluster.NewLocal(), now, log).Identify)
	d.Routes(srv)
	h := httptest.NewServer(srv.Echo)
	t.Cleanup(h.Close)
	d.base = h.URL + "/api/v1/uploads"
	return d
}

func (d *desk) pass(by time.Duration) { d.clock.Add(int64(by)) }

// person makes somebody with a token, and gives both the id and the token.
func (d *desk) person(name, role string) (id, token string) {
	d.t.Helper()
	token = "token of " + name
	err := d.db.Get(&id, `WITH p AS (INSERT INTO people (name, role) VALUES ($1, $2) RETURNING id),
		a AS (INSERT INTO addresses (email, person_id, verified_at) SELECT lower($1) || '@example.com', id, now() FROM p),
		k AS (INSERT INTO api_tokens (token_hash, person_id, name, created_at) SELECT $3, id, 'test', now() FROM p) SELECT id FROM p`, name, role, accounts.HashToken(token))
	if err != nil {
		d.t.Fatal(err)
	}
	return id, token
}

func (d *desk) ticket(owner string) (number int64) {
	d.t.Helper()
	if err := d.db.Get(&number, `INSERT INTO tickets (status, priority, level, subject, requester_name, requester_email, origin, version, created_at, updated_at)
		VALUES ('open', 'normal', 2, 'x', 'x', 'x@example.com', 'web', 1, now(), now()) RETURNING number`); err != nil {
		d.t.Fatal(err)
	}
	d.owner[number] = owner
	return number
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) String() string { return fmt.Sprintf("%d %.300s", a.status, a.body) }

func (d *desk) call(method, path, token, kind string, body io.Reader) answer {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), method, d.base+path, body)
	if err != nil {
		d.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{body: err.Error()}
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(raw)}
}

func (d *desk) get(path, token string) answer { return d.call("GET", path, token, "", nil) }

func (d *desk) post(path, body string) answer {
	return d.call("POST", path, "", "application/json", strings.NewReader(body))
}

// form is a multipart body with one file; the name goes on the wire as it is.
func form(t *testing.T, name, content string) (kind string, body *bytes.Buffer) {
	t.Helper()
	body = &bytes.Buffer{}
	w := multipart.NewWriter(body)
	part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="file"; filename="` + name + `"`}, "Content-Type": {"image/png"}})
	if err == nil {
		_, err = io.WriteString(part, content)
	}
	if err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), body
}

func (d *desk) upload(name, content, token string) answer {
	d.t.Helper()
	kind, body := form(d.t, name, content)
	return d.call("POST", "", token, kind, body)
}

// kept uploads and gives the id.
func (d *desk) kept(name, content, token string) string {
	d.t.Helper()
	a := d.upload(name, content, token)
	var got struct{ ID string }
	if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != http.StatusCreated || got.ID == "" {
		d.t.Fatal(a)
	}
	return got.ID
}

// claim names uploads in a transaction of its own.
func (d *desk) claim(person string, to To, ids ...string) error {
	tx, err := d.db.Beginx()
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if err := d.Claim(d.t.Context(), tx, "attachments", ids, to, person); err != nil {
		return err
	}
	return tx.Commit()
}

// onDisk counts the files in the store, and those on their way.
func (d *desk) onDisk() (whole, coming int) {
	d.t.Helper()
	err := filepath.WalkDir(d.dir, func(path string, e os.DirEntry, err error) error {
		switch {
		case err != nil || e.IsDir():
		case filepath.Base(filepath.Dir(path)) == arriving:
			coming++
		default:
			whole++
		}
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return whole, coming
}

func (d *desk) rows() (n int) {
	d.t.Helper()
	if err := d.db.Get(&n, `SELECT count(*) FROM uploads`); err != nil {
		d.t.Fatal(err)
	}
	return n
}
