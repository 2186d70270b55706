package accounts

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"chatnow/internal/fault"
	"chatnow/internal/postgres"
)

// Mate is one of the team, as managers and administrators see him.
type Mate struct {
	ID       string     `json:"id" db:"id"`
	Name     string     `json:"name" db:"name"`
	Email    string     `json:"email" db:"email"`
	Role     Role       `json:"role" db:"role"`
	Capacity int        `json:"capacity" db:"capacity"`
	Since    time.Time  `json:"created_at" db:"created_at"`
	Disabled *time.Time `json:"disabled_at" db:"disabled_at"`
	SeenAt   *time.Time `json:"seen_at" db:"seen_at"`
	Invited  bool       `json:"invited" db:"invited"` // has no password yet
}

const selectMate = `SELECT p.id, p.name, a.email, p.role, p.capacity, p.created_at, p.disabled_at, p.password_hash IS NULL AS invited,
	(SELECT max(s.seen_at) FROM sessions s WHERE s.person_id = p.id) AS seen_at
	FROM people p JOIN addresses a ON a.person_id = p.id AND a.is_main WHERE p.role <> 'customer'`

// Team lists everybody who answers customers, and who did.
func (s *Service) Team(ctx context.Context) ([]Mate, error) {
	out := []Mate{}
	err := s.db.SelectContext(ctx, &out, selectMate+` ORDER BY (p.disabled_at IS NOT NULL), p.name, p.id`)
	return out, postgres.Kind(ctx, err)
}

// Invite makes an account for one more of the team, and mails a link to choose a password. Who is on the team
// already is a conflict; a customer becomes one of the team and keeps his password.
func (s *Service) Invite(ctx context.Context, by *Person, name, email string, role Role) (m Mate, err error) {
	if email, err = Email("email", email); err != nil {
		return m, err
	}
	if name, err = Name("name", name); err != nil {
		return m, err
	}
	if !role.AtLeast(Champion) {
		return m, fault.WrongField("role", "champion, manager or admin.")
	}
	err = postgres.InTx(ctx, s.db, func(tx *sqlx.Tx) error {
		if err := lockAddress(ctx, tx, email); err != nil {
			return err
		}
		p, err := ofAddress(ctx, tx, email)
		if err != nil {
			return err
		}
		var id string
		switch {
		case p.Staff():
			return fault.Conflict("on_team", p.Name+" is on the team already.")
		case p != nil:
			id = p.ID
			if _, err := tx.ExecContext(ctx, `UPDATE people SET role = $2, name = $3 WHERE id = $1`, id, role, name); err != nil {
				return err
			}
		default:
			var known bool // disabled, or an address that was never proved
			if err := tx.GetContext(ctx, &known, `SELECT EXISTS (SELECT FROM addresses WHERE email = $1)`, email); err != nil {
				return err
			}
			if known {
				return fault.Conflict("known_address", "This address belongs to an account that is disabled or not proved. Enable it, or use another address.")
			}
			if err := tx.GetContext(ctx, &id, `INSERT INTO people (name, role) VALUES ($1, $2) RETURNING id`, name, role); err != nil {
				return fmt.Errorf("make account: %w", err)
			}
			// The administrator vouches for the address; the link that opens the account goes there alone.
			if _, err := tx.ExecContext(ctx, `INSERT INTO addresses (email, person_id, verified_at) VALUES ($1, $2, $3)`, email, id, s.now()); err != nil {
				return fmt.Errorf("keep address: %w", err)
			}
		}
		if err := s.send(ctx, tx, "invited", link{Purpose: toReset, Person: &id, Email: email}, name); err != nil {
			return err
		}
		if err := s.audit(ctx, tx, by, "invite", id, map[string]any{"email": email, "role": role}); err != nil {
			return err
		}
		return tx.GetContext(ctx, &m, selectMate+` AND p.id = $1`, id)
	})
	return m, err
}

// InviteAgain mails another link to one of the team who has not come in yet, or who has lost the way.
func (s *Service) InviteAgain(ctx context.Context, by *Person, id string) error {
	return postgres.InTx(ctx, s.db, func(tx *sqlx.Tx) error {
		m, err := mate(ctx, tx, id)
		if err != nil {
			return err
		}
		if m.Disabled != nil {
			return fault.Conflict("disabled", "Enable the account first.")
		}
		if err := s.send(ctx, tx, "invited", link{Purpose: toReset, Person: &m.ID, Email: m.Email}, m.Name); err != nil {
			return err
		}
		return s.audit(ctx, tx, by, "invite", m.ID, map[string]any{"email": m.Email})
	})
}

// MateChange is what changes about one of the team; nil stays as it is.
type MateChange struct {
	Name     *string `json:"name"`
	Role     *Role   `json:"role"`
	Capacity *int    `json:"capacity"`
	Disabled *bool   `json:"disabled"`
}

// ChangeMate changes one of the team. Who is disabled or may do less than before is signed out everywhere, which
// works within five seconds on all nodes. The last administrator stays one.
func (s *Service) ChangeMate(ctx context.Context, by *Person, id string, ch MateChange) (m Mate, err error) {
	if ch.Name != nil {
		if *ch.Name, err = Name("name", *ch.Name); err != nil {
			return m, err
		}
	}
	if ch.Role != nil && !ch.Role.AtLeast(Champion) {
		return m, fault.WrongField("role", "champion, manager or admin.")
	}
	if ch.Capacity != nil && (*ch.Capacity < 1 || *ch.Capacity > 50) {
		return m, fault.WrongField("capacity", "1 to 50 chats at once.")
	}
	err = postgres.InTx(ctx, s.db, func(tx *sqlx.Tx) error {
		// All administrators are locked: of two who take each other's rights away, one comes second.
		if _, err := tx.ExecContext(ctx, `SELECT FROM people WHERE role = 'admin' ORDER BY id FOR UPDATE`); err != nil {
			return err
		}
		was, err := mate(ctx, tx, id)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE people SET name = COALESCE($2, name), role = COALESCE($3, role), capacity = COALESCE($4, capacity),
			disabled_at = CASE WHEN $5::boolean IS NULL THEN disabled_at WHEN $5 THEN COALESCE(disabled_at, $6) END WHERE id = $1`,
			was.ID, ch.Name, ch.Role, ch.Capacity, ch.Disabled, s.now()); err != nil {
			return fmt.Errorf("change account: %w", err)
		}
		if ch.Capacity != nil {
			if _, err := tx.ExecContext(ctx, `UPDATE presence SET capacity = $2 WHERE person_id = $1`, was.ID, *ch.Capacity); err != nil {
				return err
			}
		}
		if err := tx.GetContext(ctx, &m, selectMate+` AND p.id = $1`, was.ID); err != nil {
			return err
		}
		var admins int
		if err := tx.GetContext(ctx, &admins, `SELECT count(*) FROM people WHERE role = 'admin' AND disabled_at IS NULL AND password_hash IS NOT NULL`); err != nil {
			return err
		}
		if admins == 0 {
			return fault.Conflict("last_admin", "Somebody has to be administrator. Make somebody else one first.")
		}
		if m.Disabled != nil || !m.Role.AtLeast(was.Role) {
			for _, q := range []string{`DELETE FROM sessions WHERE person_id = $1`, `DELETE FROM links WHERE person_id = $1`, `UPDATE presence SET state = 'offline' WHERE person_id = $1`} {
				if _, err := tx.ExecContext(ctx, q, was.ID); err != nil {
					return fmt.Errorf("sign out: %w", err)
				}
			}
		}
		return s.audit(ctx, tx, by, "change account", was.ID, ch)
	})
	if err != nil {
		return m, err
	}
	s.sessionsChanged(ctx)
	return m, nil
}

func mate(ctx context.Context, tx *sqlx.Tx, id string) (m Mate, err error) {
	err = postgres.Kind(ctx, tx.GetContext(ctx, &m, selectMate+` AND p.id::text = $1`, id))
	if fault.KindOf(err) == fault.Missing {
		return m, fault.NotFound("There is nobody like that on the team.")
	}
	return m, err
}

// audit keeps who did what to whom, in the transaction that does it.
func (s *Service) audit(ctx context.Context, tx *sqlx.Tx, by *Person, action, subject string, detail any) error {
	raw, err := json.Marshal(detail)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO audit (at, actor, action, subject, detail) VALUES ($1, $2, $3, $4, jsonb_strip_nulls($5::jsonb))`,
		s.now(), by.ID, action, "person "+subject, string(raw))
	return err
}

// Audited is a line of the audit log.
type Audited struct {
	ID      int64           `json:"id" db:"id"`
	At      time.Time       `json:"at" db:"at"`
	By      string          `json:"by" db:"by"`
	Action  string          `json:"action" db:"action"`
	Subject string          `json:"subject" db:"subject"`
	Detail  json.RawMessage `json:"detail" db:"detail"`
}

// Audit gives the newest lines before one of them; before 0 gives the newest.
func (s *Service) Audit(ctx context.Context, before int64, limit int) ([]Audited, error) {
	out := []Audited{}
	err := s.db.SelectContext(ctx, &out, `SELECT l.id, l.at, COALESCE(p.name, l.actor) AS by, l.action, COALESCE('person ' || o.name, l.subject) AS subject, l.detail
		FROM audit l LEFT JOIN people p ON p.id::text = l.actor LEFT JOIN people o ON 'person ' || o.id = l.subject
		WHERE $1 = 0 OR l.id < $1 ORDER BY l.id DESC LIMIT $2`, before, limit)
	return out, postgres.Kind(ctx, err)
}
