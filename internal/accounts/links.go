package accounts

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"chatnow/internal/fault"
	"chatnow/internal/mail"
	"chatnow/internal/postgres"
)

// purpose is what a mailed link does once its button is pressed.
type purpose string

const (
	toVerify purpose = "verify" // proves an address: a new account, or one more address of an account
	toSignIn purpose = "signin"
	toReset  purpose = "reset" // a new password
)

// How long a mailed link works. A mail of a slow server should still do.
var linkEnds = map[purpose]time.Duration{toVerify: 24 * time.Hour, toSignIn: 30 * time.Minute, toReset: time.Hour}

// link is what a token stands for.
type link struct {
	Purpose purpose    `db:"purpose"`
	Person  *string    `db:"person_id"`
	Email   string     `db:"email"`
	Payload []byte     `db:"payload"`
	At      time.Time  `db:"created_at"`
	Ends    time.Time  `db:"expires_at"`
	Used    *time.Time `db:"used_at"`
}

// signUp is what somebody gave when he asked for an account.
type signUp struct {
	Name string `json:"name,omitempty"`
	Hash string `json:"hash,omitempty"` // of the password
}

func errLink() error {
	return fault.NotFound("This link has been used or is too old. Ask for a new one.")
}

// send keeps a link and the mail that carries it, together.
func (s *Service) send(ctx context.Context, tx *sqlx.Tx, kind string, l link, toName string) error {
	token, hash := secret()
	now := s.now()
	if len(l.Payload) == 0 {
		l.Payload = []byte("{}")
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO links (token_hash, purpose, person_id, email, payload, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, hash, l.Purpose, l.Person, l.Email, string(l.Payload), now, now.Add(linkEnds[l.Purpose])); err != nil {
		return fmt.Errorf("keep link: %w", err)
	}
	return s.outbox.Queue(ctx, tx, mail.Message{Key: "link:" + hex.EncodeToString(hash), Kind: kind, To: l.Email, ToName: toName, Data: map[string]any{"token": token}})
}

// peek reads a link that still works, without using it: what a GET may do, because scanners open links.
func (s *Service) peek(ctx context.Context, token string, want purpose) (link, error) {
	return s.find(ctx, s.db, token, want, "")
}

func (s *Service) find(ctx context.Context, q sqlx.QueryerContext, token string, want purpose, lock string) (link, error) {
	var l link
	err := postgres.Kind(ctx, sqlx.GetContext(ctx, q, &l, `SELECT purpose, person_id, email, payload, created_at, expires_at, used_at FROM links
		WHERE token_hash = $1 AND purpose = $2`+lock, HashToken(token), want))
	if fault.KindOf(err) == fault.Missing || err == nil && (l.Used != nil || !s.now().Before(l.Ends)) {
		return l, errLink()
	}
	return l, err
}

// use ends a link's life inside the transaction of what it does.
func (s *Service) use(ctx context.Context, tx *sqlx.Tx, token string, want purpose) (link, error) {
	l, err := s.find(ctx, tx, token, want, ` FOR UPDATE`)
	if err != nil {
		return l, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE links SET used_at = $2 WHERE token_hash = $1`, HashToken(token), s.now())
	return l, err
}

// lockAddress makes everything that happens to an address take turns, on all nodes.
func lockAddress(ctx context.Context, tx *sqlx.Tx, email string) error {
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtextextended($1, 1))`, email); err != nil {
		return fmt.Errorf("lock address: %w", err)
	}
	return nil
}

// ofAddress finds whose address it is; nil when it is nobody's yet.
func ofAddress(ctx context.Context, q sqlx.QueryerContext, email string) (*Person, error) {
	var p Person
	err := postgres.Kind(ctx, sqlx.GetContext(ctx, q, &p, selectPerson+`WHERE p.id = (SELECT person_id FROM addresses WHERE email = $1 AND verified_at IS NOT NULL)
		AND p.disabled_at IS NULL`, email))
	if fault.KindOf(err) == fault.Missing {
		return nil, nil
	}
	return &p, err
}

// AskAccount begins a customer's account (M8). Nothing exists until the address is proved. Who asks is
// answered alike for known and unknown addresses; only the owner of the address learns, by mail.
func (s *Service) AskAccount(ctx context.Context, name, email, password string) error {
	email, err := Email("email", email)
	if err != nil {
		return err
	}
	if name, err = Name("name", name); err != nil {
		return err
	}
	if err := checkPassword("password", password); err != nil {
		return err
	}
	hash, err := s.hash(ctx, password) // also for a known address: it takes as long
	if err != nil {
		return err
	}
	payload, err := json.Marshal(signUp{Name: name, Hash: hash})
	if err != nil {
		return err
	}
	return postgres.InTx(ctx, s.db, func(tx *sqlx.Tx) error {
		p, err := ofAddress(ctx, tx, email)
		if err != nil {
			return err
		}
		if p != nil {
			return s.send(ctx, tx, "signin_link", link{Purpose: toSignIn, Email: email}, p.Name)
		}
		return s.send(ctx, tx, "verify", link{Purpose: toVerify, Email: email, Payload: payload}, name)
	})
}

// AskLink mails a link to sign in without a password. An address without an account gets one when it has
// sent tickets: following the link proves it. Any other address gets nothing, and nobody is told.
func (s *Service) AskLink(ctx context.Context, email string) error {
	return s.ask(ctx, email, "signin_link", toSignIn)
}

// AskReset mails a link to choose a new password.
func (s *Service) AskReset(ctx context.Context, email string) error {
	return s.ask(ctx, email, "reset", toReset)
}

func (s *Service) ask(ctx context.Context, email, kind string, what purpose) error {
	email, err := Email("email", email)
	if err != nil {
		return err
	}
	return postgres.InTx(ctx, s.db, func(tx *sqlx.Tx) error {
		name := ""
		p, err := ofAddress(ctx, tx, email)
		if err != nil {
			return err
		}
		known := p != nil
		if known {
			name = p.Name
		} else if s.Requests != nil {
			if name, known, err = s.Requests.NameOf(ctx, tx, email); err != nil {
				return err
			}
		}
		if !known { // a row that opens nothing: an unknown address takes as long as a known one
			_, hash := secret()
			_, err := tx.ExecContext(ctx, `INSERT INTO links (token_hash, purpose, email, created_at, expires_at) VALUES ($1, 'none', $2, $3, $3)`, hash, email, s.now())
			return err
		}
		payload, err := json.Marshal(signUp{Name: name})
		if err != nil {
			return err
		}
		return s.send(ctx, tx, kind, link{Purpose: what, Email: email, Payload: payload}, name)
	})
}

// prove makes an address somebody's: of the account that exists, or of a new one. Earlier requests of
// the address become his.
func (s *Service) prove(ctx context.Context, tx *sqlx.Tx, l link) (*Person, error) {
	if err := lockAddress(ctx, tx, l.Email); err != nil {
		return nil, err
	}
	p, err := ofAddress(ctx, tx, l.Email)
	if err != nil || p != nil {
		return p, err
	}
	var asked signUp
	if err := json.Unmarshal(l.Payload, &asked); err != nil {
		return nil, fmt.Errorf("read link: %w", err)
	}
	var id string
	if err := tx.GetContext(ctx, &id, `INSERT INTO people (name, role, password_hash, created_at) VALUES ($1, 'customer', $2, $3) RETURNING id`,
		asked.Name, postgres.NullText(asked.Hash), s.now()); err != nil {
		return nil, fmt.Errorf("make account: %w", err)
	}
	return s.join(ctx, tx, id, l.Email, true)
}

// join gives a proved address to an account, with what it has sent before.
func (s *Service) join(ctx context.Context, tx *sqlx.Tx, person, email string, isMain bool) (*Person, error) {
	if _, err := tx.ExecContext(ctx, `INSERT INTO addresses (email, person_id, is_main, verified_at) VALUES ($1, $2, $3, $4)`,
		email, person, isMain, s.now()); err != nil {
		return nil, postgres.Kind(ctx, fmt.Errorf("keep address: %w", err))
	}
	if s.Requests != nil {
		if err := s.Requests.Adopt(ctx, tx, person, email); err != nil {
			return nil, err
		}
	}
	var p Person
	err := tx.GetContext(ctx, &p, selectPerson+`WHERE p.id = $1`, person)
	return &p, postgres.Kind(ctx, err)
}

// Verify uses a link that proves an address. me is who presses the button, if he is signed in: an
// address is added to an account only by its owner, so that nobody collects strangers' addresses.
func (s *Service) Verify(ctx context.Context, token string, me *Person) (p *Person, err error) {
	err = postgres.InTx(ctx, s.db, func(tx *sqlx.Tx) error {
		l, err := s.use(ctx, tx, token, toVerify)
		if err != nil {
			return err
		}
		if l.Person == nil {
			p, err = s.prove(ctx, tx, l)
			return err
		}
		if me == nil || me.ID != *l.Person {
			return fault.Denied("Sign in to the account that the address is to belong to, then open the link again.")
		}
		if err := lockAddress(ctx, tx, l.Email); err != nil {
			return err
		}
		owner, err := ofAddress(ctx, tx, l.Email)
		switch {
		case err != nil:
			return err
		case owner != nil && owner.ID != me.ID:
			return fault.Conflict("taken", "This address belongs to another account.")
		case owner != nil:
			p = owner
			return nil
		}
		p, err = s.join(ctx, tx, me.ID, l.Email, false)
		return err
	})
	return p, err
}

// ByLink uses a link to sign in.
func (s *Service) ByLink(ctx context.Context, token string) (p *Person, err error) {
	err = postgres.InTx(ctx, s.db, func(tx *sqlx.Tx) error {
		l, err := s.use(ctx, tx, token, toSignIn)
		if err != nil {
			return err
		}
		p, err = s.prove(ctx, tx, l)
		return err
	})
	return p, err
}

// Reset uses a link to choose a new password. All sessions of the account end.
func (s *Service) Reset(ctx context.Context, token, password string) (p *Person, err error) {
	if err := checkPassword("password", password); err != nil {
		return nil, err
	}
	hash, err := s.hash(ctx, password)
	if err != nil {
		return nil, err
	}
	err = postgres.InTx(ctx, s.db, func(tx *sqlx.Tx) error {
		l, err := s.use(ctx, tx, token, toReset)
		if err != nil {
			return err
		}
		if p, err = s.prove(ctx, tx, l); err != nil {
			return err
		}
		return s.setPassword(ctx, tx, p.ID, hash)
	})
	if err == nil {
		s.sessionsChanged(ctx)
	}
	return p, err
}

// setPassword ends all sessions and every link that waits: whoever had one may have been a stranger.
func (s *Service) setPassword(ctx context.Context, tx *sqlx.Tx, person, hash string) error {
	for _, q := range []string{
		`UPDATE people SET password_hash = $2 WHERE id = $1`,
		`DELETE FROM sessions WHERE person_id = $1 AND $2::text IS NOT NULL`,
		`UPDATE links SET used_at = now() WHERE purpose IN ('signin', 'reset') AND used_at IS NULL AND $2::text IS NOT NULL
			AND email IN (SELECT email FROM addresses WHERE person_id = $1)`,
	} {
		if _, err := tx.ExecContext(ctx, q, person, hash); err != nil {
			return fmt.Errorf("set password: %w", err)
		}
	}
	return nil
}

// Sweep forgets links a week after their end.
func (s *Service) Sweep(ctx context.Context) error {
	if _, err := s.db.ExecContext(ctx, `DELETE FROM links WHERE expires_at < $1`, s.now().Add(-7*24*time.Hour)); err != nil {
		return fmt.Errorf("sweep links: %w", err)
	}
	if _, err := s.db.ExecContext(ctx, `DELETE FROM sessions WHERE expires_at < $1`, s.now()); err != nil {
		return fmt.Errorf("sweep sessions: %w", err)
	}
	return nil
}
