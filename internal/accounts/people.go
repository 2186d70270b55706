// Package accounts knows customers, champions, managers and administrators: their
// passwords, sessions and tokens, and who may do what.
package accounts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	netmail "net/mail"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"golang.org/x/crypto/argon2"

	"chatnow/internal/cluster"
	"chatnow/internal/fault"
	"chatnow/internal/mail"
	"chatnow/internal/postgres"
	"chatnow/internal/text"
	"chatnow/internal/web"
)

// Role is what somebody may do; each role may do what the ones before it may.
type Role string

// The roles.
const (
	Customer Role = "customer"
	Champion Role = "champion"
	Manager  Role = "manager"
	Admin    Role = "admin"
)

var ranks = map[Role]int{Customer: 1, Champion: 2, Manager: 3, Admin: 4}

// AtLeast reports whether r may do what other may.
func (r Role) AtLeast(other Role) bool { return ranks[r] >= ranks[other] && ranks[r] > 0 }

// Person is somebody with an account.
type Person struct {
	ID       string `json:"id" db:"id"`
	Name     string `json:"name" db:"name"`
	Email    string `json:"email" db:"email"`
	Role     Role   `json:"role" db:"role"`
	Capacity int    `json:"-" db:"capacity"`
	session  []byte // hash of the session or token that proves it
}

// Staff reports whether the person answers customers.
func (p *Person) Staff() bool { return p != nil && p.Role.AtLeast(Champion) }

// Requests are what an address has sent before it was proved.
type Requests interface {
	// Adopt makes them the person's, in the transaction that proves the address.
	Adopt(ctx context.Context, tx *sqlx.Tx, person, email string) error
	// NameOf tells how the address called itself; false when it has sent nothing.
	NameOf(ctx context.Context, q sqlx.QueryerContext, email string) (string, bool, error)
}

// Service keeps accounts.
type Service struct {
	// Requests is told when an address has been proved; the tickets are above this package.
	Requests Requests

	db      *sqlx.DB
	outbox  *mail.Outbox
	srv     *web.Server
	bus     cluster.Bus
	now     func() time.Time
	log     *slog.Logger
	hashing chan struct{} // each argon2 takes 19 MiB: twenty at once would take the machine
	seen    *recent
}

// New makes the service.
func New(db *sqlx.DB, srv *web.Server, outbox *mail.Outbox, bus cluster.Bus, now func() time.Time, log *slog.Logger) *Service {
	s := &Service{db: db, srv: srv, outbox: outbox, bus: bus, now: now, log: log, hashing: make(chan struct{}, 2), seen: newRecent()}
	bus.Subscribe("session", func(cluster.Hint) { s.seen.forget() }, s.seen.forget)
	return s
}

const selectPerson = `SELECT p.id, p.name, a.email, p.role, p.capacity FROM people p JOIN addresses a ON a.person_id = p.id AND a.is_main `

// Email gives an address in the form in which it is kept, or an error that names the field.
func Email(field, given string) (string, error) {
	given = strings.ToLower(strings.TrimSpace(given))
	at, err := netmail.ParseAddress(given)
	if err != nil || at.Address != given || len(given) > 254 || strings.ContainsAny(given, "\r\n\x00 ") || !strings.Contains(given, "@") {
		return "", fault.WrongField(field, "This is no e-mail address.")
	}
	return given, nil
}

// Name gives a person's name on one line, or an error that names the field.
func Name(field, given string) (string, error) {
	given = text.Line(given)
	if given == "" || len(given) > 200 {
		return "", fault.WrongField(field, "A name, up to 200 bytes.")
	}
	return given, nil
}

// AddStaff makes a staff account, or gives an existing one this name, role and password. All of its
// sessions end when it existed.
func (s *Service) AddStaff(ctx context.Context, email, name string, role Role, password string) (*Person, error) {
	email, err := Email("email", email)
	if err != nil {
		return nil, err
	}
	if name, err = Name("name", name); err != nil {
		return nil, err
	}
	if !role.AtLeast(Champion) {
		return nil, fault.WrongField("role", "champion, manager or admin.")
	}
	if err := checkPassword("password", password); err != nil {
		return nil, err
	}
	hash, err := s.hash(ctx, password)
	if err != nil {
		return nil, err
	}
	var p Person
	err = postgres.InTx(ctx, s.db, func(tx *sqlx.Tx) error {
		if err := lockAddress(ctx, tx, email); err != nil {
			return err
		}
		var id string
		err := tx.GetContext(ctx, &id, `SELECT person_id FROM addresses WHERE email = $1`, email)
		switch {
		case err == nil:
			if _, err := tx.ExecContext(ctx, `UPDATE people SET name = $2, role = $3, password_hash = $4, disabled_at = NULL WHERE id = $1`,
				id, name, role, hash); err != nil {
				return fmt.Errorf("update staff: %w", err)
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE person_id = $1`, id); err != nil {
				return fmt.Errorf("end sessions: %w", err)
			}
		case fault.KindOf(postgres.Kind(ctx, err)) == fault.Missing:
			if err := tx.GetContext(ctx, &id, `INSERT INTO people (name, role, password_hash) VALUES ($1, $2, $3) RETURNING id`,
				name, role, hash); err != nil {
				return fmt.Errorf("make staff: %w", err)
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO addresses (email, person_id, verified_at) VALUES ($1, $2, $3)`, email, id, s.now()); err != nil {
				return fmt.Errorf("keep address: %w", err)
			}
		default:
			return fmt.Errorf("look for address: %w", err)
		}
		return tx.GetContext(ctx, &p, selectPerson+`WHERE p.id = $1`, id)
	})
	if err != nil {
		return nil, err
	}
	s.sessionsChanged(ctx)
	return &p, nil
}

// Staff reads one champion who may still work, for transfers and assignments.
func (s *Service) Staff(ctx context.Context, q sqlx.QueryerContext, id string) (*Person, error) {
	var p Person
	err := sqlx.GetContext(ctx, q, &p, selectPerson+`WHERE p.id::text = $1 AND p.disabled_at IS NULL AND p.role <> 'customer'`, id)
	if err != nil {
		return nil, postgres.Kind(ctx, err)
	}
	return &p, nil
}

// OwnerOf gives the id of whoever has proved an address; empty when nobody has.
func (s *Service) OwnerOf(ctx context.Context, q sqlx.QueryerContext, email string) (string, error) {
	p, err := ofAddress(ctx, q, email)
	if err != nil || p == nil || p.Staff() {
		return "", err
	}
	return p.ID, nil
}

// argon2id with 19 MiB and two passes, as OWASP advises for small machines.
const (
	argonMemory = 19 << 10 // KiB
	argonTime   = 2
	argonKey    = 32
	argonSalt   = 16
)

func (s *Service) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, argonSalt)
	_, _ = rand.Read(salt) // never fails: crypto/rand ends the program instead
	key, err := s.derive(ctx, password, salt)
	if err != nil {
		return "", err
	}
	return base64.RawStdEncoding.EncodeToString(salt) + "$" + base64.RawStdEncoding.EncodeToString(key), nil
}

func (s *Service) derive(ctx context.Context, password string, salt []byte) ([]byte, error) {
	select {
	case s.hashing <- struct{}{}:
		defer func() { <-s.hashing }()
	case <-ctx.Done():
		return nil, fault.Unavailable("Too many people sign in at the moment. Try again.")
	}
	return argon2.IDKey([]byte(password), salt, argonTime, argonMemory, 1, argonKey), nil
}

// matches takes the same time whether or not there is a hash to compare with.
func (s *Service) matches(ctx context.Context, hash, password string) (bool, error) {
	saltText, keyText, found := strings.Cut(hash, "$")
	salt, errSalt := base64.RawStdEncoding.DecodeString(saltText)
	want, errKey := base64.RawStdEncoding.DecodeString(keyText)
	if !found || errors.Join(errSalt, errKey) != nil {
		salt, want = make([]byte, argonSalt), nil
	}
	got, err := s.derive(ctx, password, salt)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

// secret makes 256 random bits and the hash under which they are kept.
func secret() (token string, hash []byte) {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails
	token = base64.RawURLEncoding.EncodeToString(raw)
	return token, HashToken(token)
}

// HashToken is how tokens are kept: they are random, so a plain hash opens nothing.
func HashToken(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}

// NewToken makes a random token and its hash, for what is proved by holding it.
func NewToken() (token string, hash []byte) { return secret() }
