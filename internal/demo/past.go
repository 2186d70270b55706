package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"chatnow/tickets"
	"chatnow/tickets/lifecycle"
)

// makePast writes a month of chats as people have them: most in the morning, few at noon, none on weekends; what
// customers said when they were asked; and what a manager was asked for.
func (f *filler) makePast(ctx context.Context) error {
	busy := []int{3, 6, 8, 6, 2, 4, 5, 3, 2} // chats in the hours from eight to five, on a busy day
	for day := 30; day > 0; day-- {
		date := f.now.AddDate(0, 0, -day)
		if date.Weekday() == time.Saturday || date.Weekday() == time.Sunday {
			continue
		}
		for i, most := range busy {
			for range f.random.IntN(most + 1) {
				began := time.Date(date.Year(), date.Month(), date.Day(), 14+i, f.random.IntN(60), f.random.IntN(60), 0, time.UTC) // 8:00 in Chicago
				if err := f.pastChat(ctx, began); err != nil {
					return fmt.Errorf("a chat of the past: %w", err)
				}
			}
		}
	}
	remarks := []string{"Quick, and it worked at once.", "Friendly, but I had to ask twice.", "", "Thank you!", "", "It took three days.", "Very clear steps.", ""}
	if _, err := f.db.ExecContext(ctx, `WITH asked AS (SELECT number, requester_email, updated_at, row_number() OVER (ORDER BY number) AS n FROM tickets WHERE status = 'closed')
		INSERT INTO surveys (ticket, token_hash, email, sent_at, changeable_until, rating, comment, answered_at)
		SELECT number, decode(md5(number::text), 'hex'), requester_email, updated_at, updated_at, CASE WHEN n % 3 > 0 THEN (ARRAY[5, 4, 5, 3, 5, 2, 4, 5])[1 + n % 8] END,
			CASE WHEN n % 3 > 0 THEN ($1::text[])[1 + n % 8] ELSE '' END, CASE WHEN n % 3 > 0 THEN updated_at + interval '5 hours' END
		FROM asked ON CONFLICT (ticket) DO UPDATE SET rating = excluded.rating, comment = excluded.comment, answered_at = excluded.answered_at`, pq.StringArray(remarks)); err != nil {
		return fmt.Errorf("what customers said: %w", err)
	}
	var urgent []struct {
		Number int64  `db:"number"`
		Name   string `db:"requester_name"`
	}
	if err := f.db.SelectContext(ctx, &urgent, `SELECT number, requester_name FROM tickets WHERE status = 'open' AND priority IN ('urgent', 'high') ORDER BY number LIMIT 2`); err != nil {
		return err
	}
	for i, t := range urgent {
		f.at = f.now.Add(-time.Duration(40+60*i) * time.Minute)
		reason := []string{"Our bookkeeping stands still since Monday, and nobody calls back.", "I have been asked for the same log three times."}[i]
		if _, _, err := f.desk.Escalate(ctx, lifecycle.Actor{Kind: "customer", Name: t.Name}, tickets.Asked{Reason: reason, Priority: lifecycle.Urgent, Contact: "+1 555 0100, after 2 pm"}, `t.number = $1`, t.Number); err != nil {
			return fmt.Errorf("escalate %d: %w", t.Number, err)
		}
	}
	f.at = f.now
	return nil
}

func (f *filler) pastChat(ctx context.Context, began time.Time) error {
	story, who := stories[f.random.IntN(len(stories))], customers[f.random.IntN(len(customers))]
	id, state, reason := uuid.NewString(), "ended", "customer"
	var champion, accepted any
	name, said := "", []string{story.description, "Good morning. Let me look at it with you.", "That was it, thank you!"}
	if f.random.IntN(14) == 0 {
		state, reason, said = "missed", "unstaffed", said[:1]
	} else {
		p := f.staff[1+f.random.IntN(len(f.staff)-1)]
		champion, name, accepted = p.ID, p.Name, began.Add(time.Duration(5+f.random.ExpFloat64()*50)*time.Second)
	}
	if _, err := f.db.ExecContext(ctx, `INSERT INTO chats (id, token_hash, state, reason, customer_name, customer_email, product, question, seq, champion_id, champion_name, created_at, waiting_since, accepted_at, ended_at, preview)
		VALUES ($1, $2, $3, $4, $5, $6, 'CrashPlan for Small Business', $7, $8, $9, $10, $11, $11, $12, $13, $14)`,
		id, []byte(id), state, reason, who, address(who), said[0], len(said), champion, name, began, accepted, began.Add(12*time.Minute), said[len(said)-1]); err != nil {
		return err
	}
	for n, body := range said {
		sender, by, says := 1, any(nil), who
		if n%2 == 1 {
			sender, by, says = 2, champion, name
		}
		if _, err := f.db.ExecContext(ctx, `INSERT INTO messages (chat_id, seq, id, sender, sender_id, sender_name, body, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			id, n+1, uuid.NewString(), sender, by, says, body, began.Add(time.Duration(n)*2*time.Minute)); err != nil {
			return err
		}
	}
	return nil
}
