package chat

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"chatnow/internal/pgtest"
)

// logs starts writers over one database, as so many nodes have them.
func logs(t *testing.T, db *sqlx.DB, n int) []*Log {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	var out []*Log
	for range n {
		l := NewLog(db, time.Now, slog.New(slog.DiscardHandler), func(string, []Stored) {})
		wg.Go(func() { _ = l.Run(ctx) })
		out = append(out, l)
	}
	t.Cleanup(func() { cancel(); wg.Wait() })
	return out
}

func makeChat(t *testing.T, db *sqlx.DB, state State, champion string) string {
	id := uuid.NewString()
	if _, err := db.ExecContext(t.Context(), `INSERT INTO chats (id, token_hash, state, customer_name, customer_email, question, created_at, waiting_since, champion_id)
		VALUES ($1, $2, $3, 'Ada', 'ada@example.com', 'q', now(), now(), NULLIF($4, '')::uuid)`, id, []byte(id), state, champion); err != nil {
		t.Fatal(err)
	}
	return id
}

func makeChampion(t *testing.T, db *sqlx.DB) string {
	id := uuid.NewString()
	if _, err := db.ExecContext(t.Context(), `INSERT INTO people (id, name, role) VALUES ($1, 'Priya', 'champion')`, id); err != nil {
		t.Fatal(err)
	}
	return id
}

// Random batches on two nodes, with repeats, changed words, strangers, ended and unknown chats among them. What a
// verdict says is what stands in the table, whichever way a batch was written.
func TestEachMessageHasTheVerdictItDeserves(t *testing.T) {
	db := pgtest.New(t)
	priya, jonas := makeChampion(t, db), makeChampion(t, db)
	open := []string{makeChat(t, db, Queued, ""), makeChat(t, db, Active, priya), makeChat(t, db, Active, priya), makeChat(t, db, Active, jonas)}
	ended, unknown := makeChat(t, db, Ended, priya), uuid.NewString()
	nodes := logs(t, db, 2)
	const seed, tries = 20261124, 3000
	random := rand.New(rand.NewPCG(seed, 0))

	type try struct {
		e       Entry
		outcome Outcome
	}
	var mu sync.Mutex
	var done sync.WaitGroup
	all := make([]*try, 0, tries)
	for i := range tries {
		one := &try{e: Entry{ID: fmt.Sprintf("m-%d", i), Sender: FromCustomer, Name: "Ada", Body: fmt.Sprintf("word %d \"\\ 🙂", i)}}
		e := &one.e
		e.Chat = open[random.IntN(len(open))]
		switch p := random.IntN(100); {
		case p < 30:
			e.Sender, e.SenderID, e.Name = FromChampion, []string{priya, jonas}[random.IntN(2)], "Priya"
		case p < 40 && i > 0: // again, from either node
			before := all[random.IntN(i)].e
			*e = Entry{Chat: before.Chat, ID: before.ID, Sender: before.Sender, SenderID: before.SenderID, Name: before.Name, Body: before.Body}
		case p < 43 && i > 0: // the same id with other words
			e.Chat, e.ID = all[random.IntN(i)].e.Chat, all[random.IntN(i)].e.ID
		case p < 46:
			e.Chat = ended
		case p < 48:
			e.Chat = unknown
		}
		all = append(all, one)
		done.Add(1)
		e.Done = func(o Outcome) { mu.Lock(); one.outcome = o; mu.Unlock(); done.Done() }
		nodes[random.IntN(2)].Append(t.Context(), e)
		if random.IntN(40) == 0 {
			done.Wait() // the next batches are small ones
		}
	}
	done.Wait()

	type row struct {
		Seq    int64  `db:"seq"`
		Sender Sender `db:"sender"`
		Body   string `db:"body"`
	}
	kept := map[string]row{}
	for _, chat := range open {
		var rows []struct {
			row
			ID string `db:"id"`
		}
		if err := db.SelectContext(t.Context(), &rows, `SELECT seq, id, sender, body FROM messages WHERE chat_id = $1 ORDER BY seq`, chat); err != nil {
			t.Fatal(err)
		}
		for i, r := range rows {
			if r.Seq != int64(i+1) {
				t.Fatalf("chat %s has number %d in place %d", chat, r.Seq, i+1)
			}
			kept[chat+r.ID] = r.row
		}
		var c struct {
			Seq     int64  `db:"seq"`
			Preview string `db:"preview"`
		}
		if err := db.GetContext(t.Context(), &c, `SELECT seq, preview FROM chats WHERE id = $1`, chat); err != nil {
			t.Fatal(err)
		}
		if last := rows[len(rows)-1]; c.Seq != last.Seq || c.Preview != last.Body {
			t.Errorf("the list shows %d %q, the last message is %d %q", c.Seq, c.Preview, last.Seq, last.Body)
		}
	}
	written := map[string]int{}
	count := map[Verdict]int{}
	for _, one := range all {
		e, o := &one.e, one.outcome
		count[o.Verdict]++
		stands, there := kept[e.Chat+e.ID]
		mayNot := e.Sender == FromChampion && (e.Chat == open[0] || e.Chat == open[3] && e.SenderID != jonas || (e.Chat == open[1] || e.Chat == open[2]) && e.SenderID != priya)
		same := there && stands.Body == e.Body && stands.Sender == e.Sender
		right := false
		switch o.Verdict {
		case Written:
			written[e.Chat+e.ID]++
			right = same && stands.Seq == o.Seq && !mayNot && !o.At.IsZero()
		case Repeat:
			right = same && stands.Seq == o.Seq
		case Differs:
			right = there && !same
		case NotYours:
			right = mayNot && !same
		case OverVerdict:
			right = e.Chat == ended
		case Unknown:
			right = e.Chat == unknown
		}
		if !right {
			t.Errorf("seed %d: %+v got %+v, and there stands %+v", seed, *e, o, stands)
		}
	}
	for id, n := range written {
		if n != 1 {
			t.Errorf("%s was written %d times", id, n)
		}
	}
	if len(written) != len(kept) {
		t.Errorf("%d are said to be written, %d stand there", len(written), len(kept))
	}
	for _, v := range []Verdict{Written, Repeat, Differs, NotYours, OverVerdict, Unknown} {
		if count[v] == 0 {
			t.Errorf("nothing was %s: %v", v, count)
		}
	}
}

func TestAPreviewIsTheBeginning(t *testing.T) {
	for body, want := range map[string]string{"": "", "short": "short", strings.Repeat("é", 200): strings.Repeat("é", 140), strings.Repeat("🙂", 140): strings.Repeat("🙂", 140)} {
		if got := preview(body); got != want {
			t.Errorf("%q: %q", body, got)
		}
	}
}
