package workbench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"chatnow/internal/fault"
	"chatnow/internal/postgres"
	"chatnow/internal/text"
)

// Macro is an answer that is given often.
type Macro struct {
	ID      string    `json:"id" db:"id"`
	Name    string    `json:"name" db:"name"`
	Body    string    `json:"body" db:"body"`
	Version int       `json:"version" db:"version"`
	By      string    `json:"by" db:"by_name"`
	At      time.Time `json:"updated_at" db:"updated_at"`
}

// Variables are what a macro may leave to be filled in, by the words that stand between {{ and }}.
var Variables = []string{"customer.name", "customer.first_name", "customer.email", "champion.name", "champion.first_name", "ticket.number", "product.name", "product.version", "hours.opens", "hours.closes"}

// Limits of a macro, in bytes, and of their number.
const (
	maxName   = 100
	maxBody   = 20_000
	maxMacros = 2_000
)

var variable = regexp.MustCompile(`\{\{\s*([^{}]*?)\s*\}\}`)

// check says what is wrong with a macro; a variable that nobody could fill in is found here, and not by a
// customer.
func check(name, body string) error {
	var wrong []fault.Field
	if name == "" || len(name) > maxName {
		wrong = append(wrong, fault.Field{Field: "name", Detail: fmt.Sprintf("A name has 1 to %d bytes.", maxName)})
	}
	if strings.TrimSpace(body) == "" || len(body) > maxBody {
		wrong = append(wrong, fault.Field{Field: "body", Detail: fmt.Sprintf("Write what is answered, up to %d bytes.", maxBody)})
	}
	for _, m := range variable.FindAllStringSubmatch(body, -1) {
		if !slices.Contains(Variables, m[1]) {
			wrong = append(wrong, fault.Field{Field: "body", Detail: fmt.Sprintf("{{%s}} is no variable; there are %s.", m[1], strings.Join(Variables, ", "))})
			break
		}
	}
	if len(wrong) > 0 {
		return fault.Wrong(wrong...)
	}
	return nil
}

const macroColumns = `id, name, body, version, by_name, updated_at`

// Macros gives all of them, by name.
func (b *Bench) Macros(ctx context.Context) ([]Macro, error) {
	out := []Macro{}
	err := b.db.SelectContext(ctx, &out, `SELECT `+macroColumns+` FROM macros ORDER BY lower(name)`)
	return out, postgres.Kind(ctx, err)
}

// AddMacro keeps a new macro. Its name is unique, whatever the case.
func (b *Bench) AddMacro(ctx context.Context, name, body, by string) (Macro, error) {
	name = text.Line(name)
	if err := check(name, body); err != nil {
		return Macro{}, err
	}
	var m Macro
	err := b.db.GetContext(ctx, &m, `INSERT INTO macros (id, name, body, by_name, updated_at)
		SELECT $1, $2, $3, $4, $5 WHERE (SELECT count(*) FROM macros) < $6 RETURNING `+macroColumns, uuid.NewString(), name, body, by, b.now(), maxMacros)
	if errors.Is(err, sql.ErrNoRows) {
		return m, fault.Conflict("too_many", fmt.Sprintf("There are %d macros, the most that are kept. Remove some first.", maxMacros))
	}
	return m, named(ctx, err)
}

// ChangeMacro writes a macro that was read at a version; a stale one is refused with what there is now.
func (b *Bench) ChangeMacro(ctx context.Context, id, name, body string, version int, by string) (Macro, error) {
	name = text.Line(name)
	if err := check(name, body); err != nil {
		return Macro{}, err
	}
	var m Macro
	err := b.db.GetContext(ctx, &m, `UPDATE macros SET name = $2, body = $3, by_name = $5, updated_at = $6, version = version + 1
		WHERE id::text = $1 AND version = $4 RETURNING `+macroColumns, id, name, body, version, by, b.now())
	if !errors.Is(err, sql.ErrNoRows) {
		return m, named(ctx, err)
	}
	switch err := b.db.GetContext(ctx, &m, `SELECT `+macroColumns+` FROM macros WHERE id::text = $1`, id); {
	case errors.Is(err, sql.ErrNoRows):
		return m, fault.NotFound("There is no such macro.")
	case err != nil:
		return m, postgres.Kind(ctx, err)
	}
	return m, fault.Conflict("stale", m.By+" changed this macro meanwhile.").With("macro", m)
}

// DropMacro removes a macro; one that is gone is no error.
func (b *Bench) DropMacro(ctx context.Context, id string) error {
	_, err := b.db.ExecContext(ctx, `DELETE FROM macros WHERE id::text = $1`, id)
	return postgres.Kind(ctx, err)
}

// named makes a field's error of a name that is taken.
func named(ctx context.Context, err error) error {
	var pg *pq.Error
	if errors.As(err, &pg) && pg.Constraint == "macros_name" {
		return fault.WrongField("name", "Another macro has this name.")
	}
	return postgres.Kind(ctx, err)
}
