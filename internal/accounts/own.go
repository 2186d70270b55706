package accounts

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"chatnow/internal/cluster"
	"chatnow/internal/fault"
	"chatnow/internal/postgres"
)

// Address is one of somebody's addresses.
type Address struct {
	Email string     `json:"email" db:"email"`
	Main  bool       `json:"main" db:"is_main"`
	At    *time.Time `json:"verified_at" db:"verified_at"`
}

// maxAddresses one person may have.
const maxAddresses = 10

// Addresses of an account, the main one first.
func (s *Service) Addresses(ctx context.Context, person string) ([]Address, error) {
	var out []Address
	err := s.db.SelectContext(ctx, &out, `SELECT email, is_main, verified_at FROM addresses WHERE person_id = $1 ORDER BY is_main DESC, email`, person)
	return out, postgres.Kind(ctx, err)
}

// AddAddress mails a link that proves one more address of the account. What is somebody else's is
// answered alike.
func (s *Service) AddAddress(ctx context.Context, p *Person, email string) error {
	email, err := Email("email", email)
	if err != nil {
		return err
	}
	have, err := s.Addresses(ctx, p.ID)
	if err != nil {
		return err
	}
	if len(have) >= maxAddresses {
		return fault.WrongField("email", "An account has up to 10 addresses.")
	}
	return postgres.InTx(ctx, s.db, func(tx *sqlx.Tx) error {
		owner, err := ofAddress(ctx, tx, email)
		if err != nil || owner != nil {
			return err // its owner needs no mail about somebody who mistypes
		}
		return s.send(ctx, tx, "verify", link{Purpose: toVerify, Person: &p.ID, Email: email}, p.Name)
	})
}

// DropAddress takes an address from an account. The main one stays.
func (s *Service) DropAddress(ctx context.Context, p *Person, email string) error {
	res, err := s.db.ExecContext(ctx, `DELETE FROM addresses WHERE person_id = $1 AND email = $2 AND NOT is_main`, p.ID, email)
	if err != nil {
		return postgres.Kind(ctx, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return fault.WrongField("email", "The main address stays. Make another one the main one first.")
	}
	return nil
}

// MainAddress makes a proved address the one that is written to.
func (s *Service) MainAddress(ctx context.Context, p *Person, email string) error {
	err := postgres.InTx(ctx, s.db, func(tx *sqlx.Tx) error {
		var own bool
		if err := tx.GetContext(ctx, &own, `SELECT EXISTS (SELECT FROM addresses WHERE person_id = $1 AND email = $2 AND verified_at IS NOT NULL)`, p.ID, email); err != nil {
			return err
		}
		if !own {
			return fault.WrongField("email", "This is none of your addresses.")
		}
		_, err := tx.ExecContext(ctx, `UPDATE addresses SET is_main = (email = $2) WHERE person_id = $1`, p.ID, email)
		return err
	})
	s.sessionsChanged(ctx)
	return err
}

// Rename changes how somebody is called.
func (s *Service) Rename(ctx context.Context, p *Person, name string) error {
	name, err := Name("name", name)
	if err != nil {
		return err
	}
	_, err = s.db.ExecContext(ctx, `UPDATE people SET name = $2 WHERE id = $1`, p.ID, name)
	s.sessionsChanged(ctx)
	return postgres.Kind(ctx, err)
}

// ChangePassword needs the present one, where there is one. All other sessions end, and this one too:
// the caller signs in anew.
func (s *Service) ChangePassword(ctx context.Context, p *Person, present, next string) error {
	if err := checkPassword("password", next); err != nil {
		return err
	}
	var kept *string
	if err := s.db.GetContext(ctx, &kept, `SELECT password_hash FROM people WHERE id = $1`, p.ID); err != nil {
		return postgres.Kind(ctx, err)
	}
	if kept != nil {
		ok, err := s.matches(ctx, *kept, present)
		if err != nil {
			return err
		}
		if !ok {
			return fault.WrongField("present", "This is not your present password.")
		}
	}
	hash, err := s.hash(ctx, next)
	if err != nil {
		return err
	}
	err = postgres.InTx(ctx, s.db, func(tx *sqlx.Tx) error { return s.setPassword(ctx, tx, p.ID, hash) })
	s.sessionsChanged(ctx)
	return err
}

// EndSessions signs somebody out everywhere.
func (s *Service) EndSessions(ctx context.Context, p *Person) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM sessions WHERE person_id = $1`, p.ID)
	s.sessionsChanged(ctx)
	return postgres.Kind(ctx, err)
}

// sessionsChanged makes every node ask the database again.
func (s *Service) sessionsChanged(ctx context.Context) {
	s.seen.forget()
	s.bus.Publish(ctx, cluster.Hint{Topic: "session"})
}
