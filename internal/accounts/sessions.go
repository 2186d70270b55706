package accounts

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/labstack/echo/v4"

	"chatnow/internal/cluster"
	"chatnow/internal/fault"
	"chatnow/internal/postgres"
	"chatnow/internal/text"
	"chatnow/internal/web"
)

const (
	cookieName = "chatnow_session"
	// A shift with its breaks fits into the idle time of staff.
	staffEnd    = 7 * 24 * time.Hour
	customerEnd = 90 * 24 * time.Hour
	trustFor    = 3 * time.Second // how long a check counts, so that revocation works within 5 s
)

// Who is signed in, or nil.
func Who(c echo.Context) *Person {
	p, _ := c.Get("person").(*Person)
	return p
}

// Permissions for routes.
var (
	SignedIn = permission("signed in", Customer)
	Staff    = permission("staff", Champion)
	Managers = permission("manager", Manager)
	Admins   = permission("admin", Admin)
)

func permission(name string, least Role) web.Permission {
	return web.Permission{Name: name, Allow: func(c echo.Context) error {
		p := Who(c)
		if p == nil {
			return fault.NoEntry("Sign in first.")
		}
		if !p.Role.AtLeast(least) {
			return fault.Denied("Your role may not do this.")
		}
		return nil
	}}
}

// Identify finds out who is calling, by cookie or by API token. A Bearer that is no API token may be a
// chat's token: it is left to the chat.
func (s *Service) Identify(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if strings.HasPrefix(c.Request().URL.Path, "/assets/") {
			return next(c)
		}
		var token, query string
		if b := Bearer(c.Request()); b != "" {
			token, query = b, byToken
		} else if ck, err := c.Cookie(cookieName); err == nil {
			token, query = ck.Value, bySession
		}
		if token != "" && len(token) <= 100 {
			p, err := s.lookup(c.Request().Context(), HashToken(token), query)
			if err != nil && fault.KindOf(err) != fault.Missing {
				return err
			}
			if p != nil {
				c.Set("person", p)
			}
		}
		return next(c)
	}
}

// Bearer is the token of the Authorization header, or empty.
func Bearer(r *http.Request) string {
	kind, token, _ := strings.Cut(r.Header.Get(echo.HeaderAuthorization), " ")
	if !strings.EqualFold(kind, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

const (
	bySession = `JOIN sessions s ON s.person_id = p.id WHERE s.token_hash = $1 AND s.expires_at > $2
		AND s.seen_at > $2 - (CASE WHEN p.role = 'customer' THEN interval '14 days' ELSE interval '12 hours' END) AND p.disabled_at IS NULL`
	byToken = `JOIN api_tokens t ON t.person_id = p.id WHERE t.token_hash = $1 AND $2::timestamptz IS NOT NULL AND p.disabled_at IS NULL`
)

func (s *Service) lookup(ctx context.Context, hash []byte, query string) (*Person, error) {
	key := query[:8] + string(hash)
	if p, ok := s.seen.get(key, s.now()); ok {
		return p, nil
	}
	var p Person
	if err := s.db.GetContext(ctx, &p, selectPerson+query, hash, s.now()); err != nil {
		return nil, postgres.Kind(ctx, err)
	}
	p.session = hash
	if query == bySession { // keep it alive, but write at most once a minute
		if _, err := s.db.ExecContext(ctx, `UPDATE sessions SET seen_at = $2 WHERE token_hash = $1 AND seen_at < $2::timestamptz - interval '1 minute'`, hash, s.now()); err != nil {
			s.log.Debug("note that a session lives", "err", err)
		}
	}
	s.seen.put(key, &p, s.now())
	return &p, nil
}

// Still reads the person again, as sockets do at each command: a session that ended, a role that
// changed and an account that was disabled take effect within 5 seconds, on all nodes.
func (s *Service) Still(ctx context.Context, p *Person) (*Person, error) {
	for _, query := range []string{bySession, byToken} {
		now, err := s.lookup(ctx, p.session, query)
		if err == nil {
			return now, nil
		}
		if fault.KindOf(err) != fault.Missing {
			return nil, err
		}
	}
	return nil, fault.NoEntry("Your session has ended. Sign in again.")
}

// signIn makes a session with a new id and gives its cookie.
func (s *Service) signIn(c echo.Context, p *Person) error {
	token, hash := secret()
	end := customerEnd
	if p.Staff() {
		end = staffEnd
	}
	now := s.now()
	_, err := s.db.ExecContext(c.Request().Context(), `INSERT INTO sessions (token_hash, person_id, created_at, seen_at, expires_at, user_agent, address)
		VALUES ($1, $2, $3, $3, $4, $5, $6)`, hash, p.ID, now, now.Add(end), storable(c.Request().UserAgent(), 300), c.RealIP())
	if err != nil {
		return postgres.Kind(c.Request().Context(), err)
	}
	c.SetCookie(s.cookie(token, int(end.Seconds())))
	return nil
}

func (s *Service) cookie(value string, maxAge int) *http.Cookie {
	return &http.Cookie{Name: cookieName, Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: s.srv.Secure(), SameSite: http.SameSiteLaxMode}
}

func storable(s string, n int) string {
	return text.Cut(strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), ""), n)
}

// errSignIn is one answer for an unknown address and for a wrong password.
func errSignIn() error { return fault.NoEntry("The e-mail address or the password is wrong.") }

// check proves who somebody is by password. It takes as long for an unknown address.
func (s *Service) check(ctx context.Context, email, password string) (*Person, error) {
	var row struct {
		Person
		Hash string `db:"hash"`
	}
	err := s.db.GetContext(ctx, &row, `SELECT p.id, p.name, a.email, p.role, p.capacity, COALESCE(p.password_hash, '') AS hash
		FROM people p JOIN addresses a ON a.person_id = p.id WHERE a.email = $1 AND a.verified_at IS NOT NULL AND p.disabled_at IS NULL`,
		strings.ToLower(strings.TrimSpace(email)))
	if err = postgres.Kind(ctx, err); err != nil && fault.KindOf(err) != fault.Missing {
		return nil, err
	}
	ok, hashErr := s.matches(ctx, row.Hash, password)
	if hashErr != nil {
		return nil, hashErr
	}
	if !ok || err != nil {
		return nil, errSignIn()
	}
	return &row.Person, nil
}

// SignOut ends the session of the cookie, everywhere.
func (s *Service) signOut(c echo.Context) error {
	if ck, err := c.Cookie(cookieName); err == nil {
		if _, err := s.db.ExecContext(c.Request().Context(), `DELETE FROM sessions WHERE token_hash = $1`, HashToken(ck.Value)); err != nil {
			return postgres.Kind(c.Request().Context(), err)
		}
		s.bus.Publish(c.Request().Context(), cluster.Hint{Topic: "session"})
	}
	c.SetCookie(s.cookie("", -1))
	return nil
}

// SetupLink makes the one-time token that makes the first administrator; older ones are void. It is
// false when there is staff already.
func (s *Service) SetupLink(ctx context.Context) (token string, needed bool, err error) {
	token, hash := secret()
	err = postgres.InTx(ctx, s.db, func(tx *sqlx.Tx) error {
		if err := tx.GetContext(ctx, &needed, `SELECT NOT EXISTS (SELECT FROM people WHERE role <> 'customer')`); err != nil || !needed {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM links WHERE purpose = 'setup'`); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO links (token_hash, purpose, created_at, expires_at) VALUES ($1, 'setup', $2, $3)`,
			hash, s.now(), s.now().Add(7*24*time.Hour))
		return err
	})
	return token, needed, err
}

// setup uses the token up and makes the first administrator.
func (s *Service) setup(ctx context.Context, token, name, email, password string) (*Person, error) {
	if _, err := Email("email", email); err != nil {
		return nil, err
	}
	if _, err := Name("name", name); err != nil {
		return nil, err
	}
	if err := checkPassword("password", password); err != nil {
		return nil, err
	}
	var used bool
	err := s.db.GetContext(ctx, &used, `UPDATE links SET used_at = $2 WHERE token_hash = $1 AND purpose = 'setup' AND used_at IS NULL AND expires_at > $2
		AND NOT EXISTS (SELECT FROM people WHERE role <> 'customer') RETURNING true`, HashToken(token), s.now())
	if err = postgres.Kind(ctx, err); err != nil {
		if fault.KindOf(err) == fault.Missing {
			return nil, fault.NotFound("This link has been used or is too old. Start the server again for a new one.")
		}
		return nil, err
	}
	return s.AddStaff(ctx, email, name, Admin, password)
}

// recent remembers checks for a moment, so that a busy socket does not ask the database each time.
type recent struct {
	mu sync.Mutex
	m  map[string]seenPerson
}

type seenPerson struct {
	p  *Person
	at time.Time
}

func newRecent() *recent { return &recent{m: map[string]seenPerson{}} }

func (r *recent) get(key string, now time.Time) (*Person, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.m[key]
	if !ok || now.Sub(e.at) > trustFor || now.Before(e.at) {
		return nil, false
	}
	return e.p, true
}

func (r *recent) put(key string, p *Person, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.m) > 10_000 {
		clear(r.m)
	}
	r.m[key] = seenPerson{p, now}
}

func (r *recent) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.m)
}
