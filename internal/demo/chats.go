package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// One chat of the demo: what was said, by turns, the customer first.
type talk struct {
	state, reason string
	champion      int // index of staff; -1 for none
	ago           time.Duration
	said          []string
}

var talks = []talk{
	{"queued", "", -1, 4*time.Minute + 12*time.Second, []string{"Restore of the accounts folder fails with “file not found”."}},
	{"queued", "", -1, 38 * time.Second, []string{"Is version 11.8 the current one?"}},
	{"active", "", 1, 12 * time.Minute, []string{"It says “destination unavailable”, but there are 300 GB free.", "Good morning. Which computer is it? Its GUID is in the app under Settings.", "948688015614210048"}},
	{"active", "", 0, 9 * time.Minute, []string{"Since the weekend the backup of our office server does not get past 47 %.", "Good morning. Let us find out: which version of the app is it?", "10.2.1", "Good. Since Saturday the destination asks for 11; I send you the guide.", "I see! Can I do it in office hours, or does it restart the server?"}},
	{"active", "", 2, 20 * time.Minute, []string{"danke, the key is with our notary", "Take your time, I am here."}},
	{"ended", "customer", 2, 3 * time.Hour, []string{"How do I add a second computer?", "Sign in on it with the same account; it appears by itself.", "Thank you!"}},
	{"missed", "closed", -1, 16 * time.Hour, []string{"Is anybody still there? My account has expired."}},
}

// makeChats writes chats as the log would have.
func (f *filler) makeChats(ctx context.Context) error {
	for i, k := range talks {
		began := f.now.Add(-k.ago)
		id, who := uuid.NewString(), customers[i%len(customers)]
		var champion, name, ended any
		name = ""
		if k.champion >= 0 {
			champion, name = f.staff[k.champion].ID, f.staff[k.champion].Name
		}
		if k.state == "ended" || k.state == "missed" {
			ended = began.Add(10 * time.Minute)
		}
		if _, err := f.db.ExecContext(ctx, `INSERT INTO chats (id, token_hash, state, reason, customer_name, customer_email, product, question, seq, champion_id, champion_name,
				created_at, waiting_since, accepted_at, ended_at, preview, last_customer_at, last_champion_at)
			VALUES ($1, $2, $3, $4, $5, $6, 'CrashPlan for Small Business', $7, $8, $9, $10, $11, $11, $12, $13, $14, $15, $16)`,
			id, []byte(id), k.state, k.reason, who, address(who), k.said[0], len(k.said), champion, name, began, nilUnless(champion, began), ended,
			k.said[len(k.said)-1], lastOf(k, began, 0), nilUnless(champion, lastOf(k, began, 1))); err != nil {
			return fmt.Errorf("chat %d: %w", i, err)
		}
		for n, body := range k.said {
			sender, by, says := 1, any(nil), any(who)
			if n%2 == 1 {
				sender, by, says = 2, champion, name
			}
			if _, err := f.db.ExecContext(ctx, `INSERT INTO messages (chat_id, seq, id, sender, sender_id, sender_name, body, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
				id, n+1, uuid.NewString(), sender, by, says, body, began.Add(time.Duration(n)*time.Minute)); err != nil {
				return fmt.Errorf("message of chat %d: %w", i, err)
			}
		}
	}
	return nil
}

func nilUnless(condition, v any) any {
	if condition == nil {
		return nil
	}
	return v
}

// lastOf is when one side spoke last: 0 the customer, 1 the champion.
func lastOf(k talk, began time.Time, side int) time.Time {
	at := began
	for n := range k.said {
		if n%2 == side {
			at = began.Add(time.Duration(n) * time.Minute)
		}
	}
	return at
}
