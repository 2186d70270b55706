package tickets

import (
	"context"
	"slices"
	"time"

	"chatnow/internal/files"
	"chatnow/internal/postgres"
	"chatnow/tickets/lifecycle"
)

// View gives a ticket with what was said on it.
func (d *Desk) View(ctx context.Context, t Ticket, staff bool) (map[string]any, error) {
	comments, err := commentsOf(ctx, d.db, &t, staff)
	if err != nil {
		return nil, err
	}
	var history []Entry
	if staff {
		if history, err = historyOf(ctx, d.db, t.Number); err != nil {
			return nil, err
		}
	}
	escalations, err := escalationsOf(ctx, d.db, t.Number)
	if err != nil {
		return nil, err
	}
	named, err := d.attach(ctx, &t, comments, staff)
	if err != nil {
		return nil, err
	}
	v := t.View(comments, history, staff)
	v["files"] = fileViews(named)
	if staff {
		v["why"] = d.why(&t, history)
		if v["survey"], err = d.rating(ctx, t.Number); err != nil {
			return nil, err
		}
		if v["mail_problem"], err = d.mailProblem(ctx, t.Number); err != nil {
			return nil, err
		}
	}
	list := []map[string]any{}
	for i := range escalations {
		list = append(list, escalations[i].View(staff))
	}
	v["escalations"] = list
	return v, nil
}

// attach gives the files of the comments to them, and gives back those that the diagnostics name. What
// came in a chat stands with its transcript.
func (d *Desk) attach(ctx context.Context, t *Ticket, comments []Comment, staff bool) ([]files.Upload, error) {
	ids := slices.Concat(t.Diagnostics.Logs, t.Diagnostics.Screenshots)
	named, err := files.ByID(ctx, d.db, ids)
	if err != nil {
		return nil, err
	}
	numbers := []int64{t.Number}
	for _, c := range comments {
		if !slices.Contains(numbers, c.Ticket) {
			numbers = append(numbers, c.Ticket)
		}
	}
	all, err := files.OfTickets(ctx, d.db, numbers, staff)
	if err != nil {
		return nil, err
	}
	for i := range comments {
		comments[i].Files = all[comments[i].ID]
	}
	for _, f := range all[""] {
		if len(comments) > 0 && !slices.Contains(ids, f.ID) {
			comments[0].Files = append(comments[0].Files, f)
		}
	}
	return named, nil
}

// MayTicket says whether a ticket is a customer's; it guards what belongs to it.
func (d *Desk) MayTicket(ctx context.Context, person string, number int64) (own bool, err error) {
	err = d.db.GetContext(ctx, &own, `SELECT EXISTS (SELECT FROM tickets WHERE number = $1 AND requester_id::text = $2)`, number, person)
	return own, postgres.Kind(ctx, err)
}

// why explains the state of a ticket to staff, in the company's zone.
func (d *Desk) why(t *Ticket, history []Entry) map[string]string {
	snap := d.settings.Current()
	past := make([]lifecycle.Past, 0, len(history))
	for _, h := range history {
		past = append(past, lifecycle.Past{At: h.At, By: h.ActorName, Event: h.Event, To: h.To, Why: h.Why})
	}
	return rules(snap).Why(t.Ticket, past, func(at time.Time) string {
		return at.In(snap.Calendar.Location()).Format("Monday 2 January, 3:04 PM MST")
	})
}

// rating is what the customer thought of it. Staff see it once it can no longer be changed, so that
// nobody is asked to change it (M39).
func (d *Desk) rating(ctx context.Context, number int64) (any, error) {
	var found []Survey
	err := d.db.SelectContext(ctx, &found, `SELECT ticket, rating, comment, changeable_until, answered_at FROM surveys
		WHERE ticket = $1 AND rating IS NOT NULL AND changeable_until <= $2`, number, d.now())
	if err != nil || len(found) == 0 {
		return nil, postgres.Kind(ctx, err)
	}
	return found[0], nil
}

// mailProblem tells champions of a mail about a ticket that could not be delivered: the customer does
// not know what they have written. A later mail that arrived ends it.
func (d *Desk) mailProblem(ctx context.Context, number int64) (any, error) {
	var problem []string
	err := d.db.SelectContext(ctx, &problem, `SELECT o.kind || ': ' || o.problem FROM outbox o WHERE o.ticket = $1 AND o.state = 'failed'
		AND NOT EXISTS (SELECT FROM outbox later WHERE later.ticket = $1 AND later.state = 'sent' AND later.queued_at > o.queued_at)
		ORDER BY o.queued_at DESC LIMIT 1`, number)
	if err != nil || len(problem) == 0 {
		return nil, postgres.Kind(ctx, err)
	}
	return problem[0], nil
}

// Receipt says whether a receipt of a ticket goes to its requester: an address that nobody has proved gets
// one a day.
func (d *Desk) Receipt(ctx context.Context, number int64) (goes bool, err error) {
	err = d.db.GetContext(ctx, &goes, `SELECT EXISTS (SELECT FROM outbox WHERE ticket = $1 AND kind = 'received' AND state <> 'held')`, number)
	return goes, postgres.Kind(ctx, err)
}
