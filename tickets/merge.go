package tickets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/labstack/echo/v4"

	"chatnow/internal/accounts"
	"chatnow/internal/fault"
	"chatnow/internal/postgres"
	"chatnow/internal/web"
	"chatnow/tickets/lifecycle"
)

// undoWithin is how long a merge can be undone (requirements 1.G).
const undoWithin = 24 * time.Hour

// maxWhy bounds the reason that stands in the history of both tickets.
const maxWhy = 2_000

// Merge closes a ticket into another one, which from then on hears what is said to either. The earlier
// promise wins. version is the one of the ticket that the caller has read; 0: whichever. Tickets of
// different requesters need confirm; neither ever sees the other's words.
func (d *Desk) Merge(ctx context.Context, me *accounts.Person, number, into int64, why string, version int, confirm bool) (t Ticket, err error) {
	defer fault.Wrap(&err, "merge ticket %d into %d", number, into)
	switch {
	case number == into:
		return t, fault.WrongField("into", "A ticket is not merged into itself.")
	case len(why) > maxWhy:
		return t, fault.WrongField("why", fmt.Sprintf("Up to %d bytes.", maxWhy))
	}
	err = postgres.InTx(ctx, d.db, func(tx *sqlx.Tx) error {
		loser, winner, err := both(ctx, tx, number, into)
		if err != nil {
			return err
		}
		switch {
		case version != 0 && version != loser.Version:
			return fault.Conflict("stale", "Somebody changed the ticket meanwhile. Read it again.").With("version", loser.Version)
		case loser.Status == lifecycle.Closed:
			return fault.Conflict("closed", "A closed ticket stays as it is.")
		case winner.Status == lifecycle.Closed:
			return fault.WrongField("into", "That ticket is closed.")
		case loser.RequesterEmail != winner.RequesterEmail && !confirm:
			return fault.Conflict("other_requester", "The tickets are of different people. Confirm that they are one matter; neither sees the other's words.")
		}
		snap, err := d.settings.InTx(ctx, tx)
		if err != nil {
			return err
		}
		former, err := json.Marshal(loser.Ticket)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO merges (ticket, target, former, due, at, by_name) VALUES ($1, $2, $3, $4, $5, $6)`,
			number, into, string(former), postgres.Null(winner.UpdateDueAt), d.now(), me.Name); err != nil {
			return fmt.Errorf("keep merge: %w", err)
		}
		due := loser.UpdateDueAt
		if err := d.change(ctx, tx, &loser, Change{Events: []lifecycle.Event{lifecycle.Merged{Into: into, Why: why}}}, actor(me), snap); err != nil {
			return explain(err)
		}
		if err := d.change(ctx, tx, &winner, Change{Edit: func(w *Ticket) error {
			if w.Status == lifecycle.Open && !due.IsZero() && due.Before(w.UpdateDueAt) {
				w.UpdateDueAt = due
			}
			return nil
		}}, actor(me), snap); err != nil {
			return err
		}
		t = winner
		return insertHistory(ctx, tx, into, actor(me), lifecycle.History{Event: "took_in", To: fmt.Sprint(number), Why: why}, d.now())
	})
	if err == nil {
		d.Published(ctx, number)
		d.Published(ctx, into)
	}
	return t, err
}

// both locks two tickets, the lower number first, so that two merges at once take turns.
func both(ctx context.Context, tx *sqlx.Tx, number, into int64) (loser, winner Ticket, err error) {
	found := map[int64]Ticket{}
	for _, n := range []int64{min(number, into), max(number, into)} {
		t, err := get(ctx, tx, true, `t.number = $1`, n)
		if fault.KindOf(err) == fault.Missing && n == into {
			return loser, winner, fault.WrongField("into", "There is no such ticket.")
		}
		if err != nil {
			return loser, winner, unknownTicket(err)
		}
		found[n] = t
	}
	return found[number], found[into], nil
}

// Unmerge undoes the last merge of a ticket within a day. Comments made since stay where they were
// written.
func (d *Desk) Unmerge(ctx context.Context, me *accounts.Person, number int64, why string) (t Ticket, err error) {
	defer fault.Wrap(&err, "unmerge ticket %d", number)
	if len(why) > maxWhy {
		return t, fault.WrongField("why", fmt.Sprintf("Up to %d bytes.", maxWhy))
	}
	var into int64
	err = postgres.InTx(ctx, d.db, func(tx *sqlx.Tx) error {
		var m struct {
			ID     int64      `db:"id"`
			Target int64      `db:"target"`
			Former []byte     `db:"former"`
			Due    *time.Time `db:"due"`
			At     time.Time  `db:"at"`
		}
		const last = `SELECT id, target, former, due, at FROM merges WHERE ticket = $1 AND undone_at IS NULL ORDER BY id DESC LIMIT 1`
		if err := postgres.Kind(ctx, tx.GetContext(ctx, &m, last, number)); err != nil {
			return notMerged(err)
		}
		loser, winner, err := both(ctx, tx, number, m.Target)
		if err != nil {
			return err
		}
		if err := postgres.Kind(ctx, tx.GetContext(ctx, &m, last, number)); err != nil { // again, now that nobody else can undo it
			return notMerged(err)
		}
		now := d.now().UTC().Truncate(time.Microsecond)
		if now.Sub(m.At) > undoWithin {
			return fault.Conflict("too_late", "A merge can be undone for a day.")
		}
		var former lifecycle.Ticket
		if err := json.Unmarshal(m.Former, &former); err != nil {
			return fmt.Errorf("read merge: %w", err)
		}
		snap, err := d.settings.InTx(ctx, tx)
		if err != nil {
			return err
		}
		loser.Ticket = rules(snap).Unmerge(loser.Ticket, former, now)
		loser.Version++
		loser.UpdatedAt = now
		if err := update(ctx, tx, &loser); err != nil {
			return err
		}
		if winner.Status == lifecycle.Open && m.Due != nil && former.UpdateDueAt.Equal(winner.UpdateDueAt) && m.Due.After(now) {
			winner.UpdateDueAt = *m.Due // it had taken over the earlier promise, and no answer was given since
			winner.Version++
			if err := update(ctx, tx, &winner); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `UPDATE merges SET undone_at = $2 WHERE id = $1`, m.ID, now); err != nil {
			return fmt.Errorf("keep the undoing: %w", err)
		}
		t, into = loser, m.Target
		return errors.Join(
			insertHistory(ctx, tx, number, actor(me), lifecycle.History{Event: "unmerged", From: "closed", To: string(loser.Status), Why: why}, now),
			insertHistory(ctx, tx, m.Target, actor(me), lifecycle.History{Event: "gave_back", To: fmt.Sprint(number), Why: why}, now))
	})
	if err == nil {
		d.Published(ctx, number)
		d.Published(ctx, into)
	}
	return t, err
}

func notMerged(err error) error {
	if fault.KindOf(err) == fault.Missing {
		return fault.Conflict("not_merged", "This ticket is not merged.")
	}
	return err
}

// survivor follows merges: what is said to a merged ticket is said to the one it went into.
func (d *Desk) survivor(ctx context.Context, tx *sqlx.Tx, t Ticket) (Ticket, error) {
	for range 10 {
		if t.MergedInto == 0 {
			break
		}
		next, err := get(ctx, tx, true, `t.number = $1`, t.MergedInto)
		if err != nil {
			return t, err
		}
		t = next
	}
	return t, nil
}

// Shown is the ticket that somebody is shown who asks for t: a customer whose ticket went into another one
// of his sees that one. One that went into somebody else's stays his own, and tells nothing of the other.
func (d *Desk) Shown(ctx context.Context, p *accounts.Person, t Ticket) (Ticket, error) {
	end := t
	for range 10 {
		if p.Staff() || end.MergedInto == 0 {
			break
		}
		next, err := get(ctx, d.db, false, `t.number = $1`, end.MergedInto)
		if err != nil {
			return t, err
		}
		end = next
	}
	if end.RequesterID != t.RequesterID {
		return t, nil
	}
	return end, nil
}

// heardElsewhere keeps what a customer says to a ticket that went into somebody else's: his words stay
// on his own ticket, where champions read them with the other's story, and only wake that one. Neither
// customer sees anything of the other.
func (d *Desk) heardElsewhere(ctx context.Context, tx *sqlx.Tx, own, other Ticket, ch Change, by lifecycle.Actor) error {
	if ch.Comment == nil {
		return explain(lifecycle.ErrClosed)
	}
	if repeated, err := d.repeated(ctx, tx, &own, ch.Key); err != nil || repeated {
		return err
	}
	said := *ch.Comment
	said.At = d.now().UTC().Truncate(time.Microsecond)
	if err := d.say(ctx, tx, own.Number, said, ch.Key); err != nil {
		return err
	}
	snap, err := d.settings.InTx(ctx, tx)
	if err != nil || other.Status == lifecycle.Closed {
		return err
	}
	return d.change(ctx, tx, &other, Change{Events: []lifecycle.Event{lifecycle.CustomerReplied{}}}, by, snap)
}

func (d *Desk) postMerge(c echo.Context) error {
	var in struct {
		Into    int64  `json:"into"`
		Why     string `json:"why"`
		Version int    `json:"version"`
		Confirm bool   `json:"confirm"`
	}
	if err := web.Bind(c, &in); err != nil {
		return err
	}
	t, err := d.Read(c.Request().Context(), accounts.Who(c), c.Param("number"))
	if err == nil {
		t, err = d.Merge(c.Request().Context(), accounts.Who(c), t.Number, in.Into, strings.TrimSpace(in.Why), in.Version, in.Confirm)
	}
	if err != nil {
		return err
	}
	return d.answer(c, http.StatusOK, t)
}

func (d *Desk) postUnmerge(c echo.Context) error {
	var in struct {
		Why string `json:"why"`
	}
	if c.Request().ContentLength != 0 { // the reason may be left out, and the body with it
		if err := web.Bind(c, &in); err != nil {
			return err
		}
	}
	t, err := d.Read(c.Request().Context(), accounts.Who(c), c.Param("number"))
	if err == nil {
		t, err = d.Unmerge(c.Request().Context(), accounts.Who(c), t.Number, strings.TrimSpace(in.Why))
	}
	if err != nil {
		return err
	}
	return d.answer(c, http.StatusOK, t)
}
