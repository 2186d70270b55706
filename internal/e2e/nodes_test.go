package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"chatnow/internal/app"
	"chatnow/internal/natstest"
	"chatnow/internal/pgtest"
	"chatnow/internal/postgres"
)

// A champion on one node, a customer on the other, over the database's own NOTIFY and over NATS. NATS goes
// in mid-conversation, then the customer's node: nothing is lost and nothing needs a hand.
func TestTwoNodesServeOneConversation(t *testing.T) {
	for _, carrier := range []string{"database", "NATS"} {
		t.Run(carrier, func(t *testing.T) {
			url := pgtest.URL(t)
			data := t.TempDir()
			carry := func(cfg *app.Config) { cfg.Data = data } // the nodes share their files
			var relay *natstest.Server
			if carrier == "NATS" {
				relay = natstest.Start(t)
				carry = func(cfg *app.Config) { cfg.Data, cfg.NATSURL = data, relay.URL() }
			}
			nodes := make([]*server, 2)
			for i := range nodes {
				nodes[i] = serve(t, url, carry)
			}
			hours(t, url, true)
			addStaff(t, url, "priya@example.com", "Priya Raman", "admin")
			a, b := nodes[0].cfg.Listen, nodes[1].cfg.Listen
			priya := dial(t, a, "/ws/console", cookieOf(t, a, "priya@example.com"))
			priya.send(`{"type":"hello","after":{}}`)
			priya.until("welcome")
			priya.send(`{"type":"presence","state":"online","capacity":4}`)
			priya.until("staff")

			got, said := status(t, "POST", "http://"+b+"/api/v1/chats", "", `{"name":"Chris","email":"chris@example.com","question":"Is anybody there?","timezone":"Asia/Tokyo"}`)
			var made struct {
				Chat  struct{ ID string }
				Token string
			}
			if err := json.Unmarshal([]byte(said), &made); err != nil || got != 201 {
				t.Fatalf("%d %s", got, said)
			}
			chris := dial(t, b, "/ws/chat", "")
			chris.send(`{"type":"hello","token":%q}`, made.Token)
			chris.until("welcome")
			priya.send(`{"type":"accept","chat":%q}`, made.Chat.ID)
			for chris.until("chat")["chat"].(map[string]any)["state"] != "active" {
			}
			var want []string
			say := func(i int) {
				body := fmt.Sprint("word ", i)
				want = append(want, body)
				if i%2 == 0 {
					chris.send(`{"type":"send","id":%q,"body":%q}`, uuid.NewString(), body)
					for priya.until("message")["body"] != body {
					}
					return
				}
				priya.send(`{"type":"send","chat":%q,"id":%q,"body":%q}`, made.Chat.ID, uuid.NewString(), body)
				for chris.until("message")["body"] != body {
				}
			}
			for i := range 20 {
				say(i)
			}
			if relay != nil { // NATS is away for a while; what is said then arrives when it is back, at the latest
				relay.Stop()
				chris.send(`{"type":"send","id":%q,"body":"while NATS was gone"}`, uuid.NewString())
				chris.until("ack")
				want = append(want, "while NATS was gone")
				relay.Again()
				for priya.until("message")["body"] != "while NATS was gone" {
				}
			}
			nodes[1].stop() // the customer's node goes; he comes back on the other one, and has it all
			again := dial(t, a, "/ws/chat", "")
			again.send(`{"type":"hello","token":%q,"after":0}`, made.Token)
			last := int(again.until("welcome")["seq"].(float64))
			var bodies []string
			for seq := 1; seq <= last; seq++ {
				m := again.until("message")
				if int(m["seq"].(float64)) != seq {
					t.Fatalf("number %v where %d should be", m["seq"], seq)
				}
				if kind := m["from"].(map[string]any)["kind"]; kind != "system" && seq > 1 {
					bodies = append(bodies, m["body"].(string))
				}
			}
			if !slices.Equal(bodies, want) {
				t.Fatalf("%v\nis not\n%v", bodies, want)
			}
			// The ticket of it knows where the customer's clock stands.
			if got, said := status(t, "POST", "http://"+a+"/api/v1/chats/"+made.Chat.ID+"/ticket", made.Token, `{"priority":"low","diagnostics":{}}`); got != 201 {
				t.Fatalf("%d %s", got, said)
			}
			db, err := postgres.Open(t.Context(), url, postgres.Options{MaxConns: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			var zone string
			if err := db.Get(&zone, `SELECT requester_zone FROM tickets`); err != nil || zone != "Asia/Tokyo" {
				t.Errorf("%q %v", zone, err)
			}
		})
	}
}

// 500 tickets that fall due in one second, every fifth of them still waiting for an answer, with two whole
// servers on one database: each goes its step once, each customer is told and asked once, and not a moment
// early.
func TestFiveHundredDueInOneSecondOnTwoServers(t *testing.T) {
	url := pgtest.URL(t)
	for range 2 {
		serve(t, url)
	}
	db, err := postgres.Open(t.Context(), url, postgres.Options{MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	due := time.Now().Add(2 * time.Second).UTC().Truncate(time.Microsecond)
	// created_at keeps when each is due: a day later.
	if _, err := db.Exec(`INSERT INTO tickets (status, priority, level, subject, requester_name, requester_email, origin, version, created_at, updated_at, pending_since, solves_at, closes_at, wake_at)
		SELECT CASE WHEN silent THEN 'pending' ELSE 'solved' END, 'normal', 1, 'x', 'Ines', 'ines' || n || '@example.com', 'web', 2, at - interval '1 day', now(),
			CASE WHEN silent THEN now() END, CASE WHEN silent THEN at END, CASE WHEN NOT silent THEN at END, at
		FROM generate_series(1, 500) n, LATERAL (SELECT n % 5 = 0 AS silent, $1::timestamptz + n * interval '2 milliseconds' AS at) due`, due); err != nil {
		t.Fatal(err)
	}
	var got struct{ Closed, Solved, Lines, Distinct, Early, Surveys, Asked, Told, Mails, Reached int }
	for end := time.Now().Add(30 * time.Second); got.Mails < 500 && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if err := db.QueryRow(`SELECT (SELECT count(*) FROM tickets WHERE status = 'closed' AND wake_at IS NULL),
			(SELECT count(*) FROM tickets WHERE status = 'solved' AND solved_cause = 'silence' AND closes_at > now() + interval '47 hours'),
			(SELECT count(*) FROM ticket_history WHERE event = 'status'),
			(SELECT count(DISTINCT ticket) FROM ticket_history WHERE event = 'status'),
			(SELECT count(*) FROM ticket_history h JOIN tickets t ON t.number = h.ticket WHERE h.at < t.created_at + interval '1 day'),
			(SELECT count(*) FROM surveys), (SELECT count(*) FROM outbox WHERE kind = 'survey'), (SELECT count(*) FROM outbox WHERE kind = 'solved'),
			(SELECT count(*) FROM outbox), (SELECT count(DISTINCT to_email) FROM outbox)`).Scan(&got.Closed, &got.Solved, &got.Lines, &got.Distinct, &got.Early,
			&got.Surveys, &got.Asked, &got.Told, &got.Mails, &got.Reached); err != nil {
			t.Fatal(err)
		}
	}
	if got.Closed != 400 || got.Solved != 100 || got.Lines != 500 || got.Distinct != 500 || got.Early != 0 || got.Surveys != 400 || got.Asked != 400 || got.Told != 100 || got.Mails != 500 || got.Reached != 500 {
		t.Fatalf("%+v", got)
	}
}
