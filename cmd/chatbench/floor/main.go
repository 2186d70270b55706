// Command floor is the smallest program that does what the product's hot path does: it takes a message from a
// socket, commits it together with others, acknowledges it, and gives it to the other side. It has no accounts,
// no rights, no queue, no repeats, no resume and no second node. chatbench drives it as it drives the product:
// the difference is what the product's promises cost.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"chatnow/internal/postgres"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8090", "address, on loopback")
	data := flag.String("data", "", "folder for a private PostgreSQL")
	flag.Parse()
	if err := run(*listen, *data); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

func run(listen, data string) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	private, err := postgres.StartPrivate(ctx, data, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, private.Stop()) }()
	db, err := postgres.Open(ctx, private.URL(), postgres.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS messages (chat uuid NOT NULL, seq bigint NOT NULL, id text NOT NULL, body text NOT NULL, at timestamptz NOT NULL,
		PRIMARY KEY (chat, seq), UNIQUE (chat, id))`); err != nil {
		return err
	}
	f := &floor{db: db, in: make(chan entry, 4096), chats: map[string]*chat{}}
	committed := make(chan struct{})
	go func() { f.commit(ctx); close(committed) }()
	srv := &http.Server{Addr: listen, Handler: f.routes(), ReadHeaderTimeout: 5 * time.Second}
	go func() { <-ctx.Done(); _ = srv.Close() }()
	fmt.Println("floor on", listen)
	if err := srv.ListenAndServe(); ctx.Err() == nil {
		return err
	}
	<-committed
	return nil
}

type chat struct {
	id   string
	seq  int64 // known to the committer alone
	mu   sync.Mutex
	both [2]*conn // customer, champion
}

type entry struct {
	chat     *chat
	from     int // index in both
	id, body string
	seq      int64
}

type floor struct {
	db    *sqlx.DB
	in    chan entry
	mu    sync.Mutex
	chats map[string]*chat // by id; the token is the id
}

// commit gathers what came while the commit before was under way, and writes it as one.
func (f *floor) commit(ctx context.Context) {
	stmt, err := f.db.PrepareContext(ctx, `INSERT INTO messages (chat, seq, id, body, at) SELECT c, s, i, b, $5 FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[]) AS g (c, s, i, b)`)
	if err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		return
	}
	defer func() { _ = stmt.Close() }()
	var batch []entry
	var chats, ids, bodies []string
	var seqs []int64
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-f.in:
			batch = append(batch[:0], e)
		}
		for more := true; more && len(batch) < 512; {
			select {
			case e := <-f.in:
				batch = append(batch, e)
			default:
				more = false
			}
		}
		chats, ids, bodies, seqs = chats[:0], ids[:0], bodies[:0], seqs[:0]
		for i := range batch {
			e := &batch[i]
			e.chat.seq++
			e.seq = e.chat.seq
			chats, ids, bodies, seqs = append(chats, e.chat.id), append(ids, e.id), append(bodies, e.body), append(seqs, e.seq)
		}
		at := time.Now().UTC()
		if _, err := stmt.ExecContext(ctx, pq.StringArray(chats), pq.Int64Array(seqs), pq.StringArray(ids), pq.StringArray(bodies), at); err != nil {
			fmt.Fprintln(os.Stderr, "floor:", err)
			return // it promises nothing beyond a good day
		}
		for i := range batch {
			batch[i].tell(at)
		}
	}
}

// tell acknowledges a message and gives it to the other side.
func (e *entry) tell(at time.Time) {
	e.chat.mu.Lock()
	from, to := e.chat.both[e.from], e.chat.both[1-e.from]
	e.chat.mu.Unlock()
	stamp := at.Format("2006-01-02T15:04:05.000Z")
	ack := append(make([]byte, 0, 160), `{"type":"ack",`...)
	if e.from == 1 {
		ack = append(append(append(ack, `"chat":"`...), e.chat.id...), `",`...)
	}
	ack = append(append(append(append(ack, `"id":"`...), e.id...), `","seq":`...), strconv.FormatInt(e.seq, 10)...)
	from.push(append(append(append(ack, `,"at":"`...), stamp...), `"}`...))
	if to == nil {
		return
	}
	body, _ := json.Marshal(e.body) // a string
	m := append(make([]byte, 0, 256+len(body)), `{"type":"message",`...)
	if e.from == 0 {
		m = append(append(append(m, `"chat":"`...), e.chat.id...), `",`...)
	}
	m = append(append(append(append(m, `"id":"`...), e.id...), `","seq":`...), strconv.FormatInt(e.seq, 10)...)
	m = append(append(m, `,"from":{"kind":"`...), [2]string{"customer", "champion"}[e.from]...)
	m = append(append(append(m, `","name":"Load"},"body":`...), body...), `,"at":"`...)
	to.push(append(append(m, stamp...), `"}`...))
}

// A conn has a goroutine that reads and one that writes.
type conn struct {
	ws  *websocket.Conn
	out chan []byte
}

func (c *conn) push(b []byte) {
	select {
	case c.out <- b:
	default: // who does not read is cut off
		_ = c.ws.CloseNow()
	}
}

func (c *conn) write(ctx context.Context) {
	for {
		select {
		case b := <-c.out:
			if c.ws.Write(ctx, websocket.MessageText, b) != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

func (f *floor) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ready") })
	mux.HandleFunc("POST /api/v1/session", func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "floor", Value: rand.Text()})
		fmt.Fprintln(w, `{}`)
	})
	mux.HandleFunc("POST /api/v1/chats", func(w http.ResponseWriter, _ *http.Request) {
		c := &chat{id: uuid.NewString()}
		f.mu.Lock()
		f.chats[c.id] = c
		f.mu.Unlock()
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"chat":{"id":%q,"state":"queued"},"token":%q}`, c.id, c.id)
	})
	mux.HandleFunc("GET /api/v1/chats/{id}/messages", f.messages)
	mux.HandleFunc("/ws/chat", func(w http.ResponseWriter, r *http.Request) { f.serve(w, r, 0) })
	mux.HandleFunc("/ws/console", func(w http.ResponseWriter, r *http.Request) { f.serve(w, r, 1) })
	return mux
}

func (f *floor) find(id string) *chat {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.chats[id]
}

func (f *floor) serve(w http.ResponseWriter, r *http.Request, side int) {
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"chatnow.v1"}})
	if err != nil {
		return
	}
	c := &conn{ws, make(chan []byte, 4096)}
	ctx, cancel := context.WithCancel(context.Background())
	go c.write(ctx)
	go func() { // leaves the handler, so that the request's buffers go
		defer cancel()
		defer func() { _ = ws.CloseNow() }()
		var own *chat
		for {
			_, raw, err := ws.Read(ctx)
			if err != nil {
				return
			}
			var in struct{ Type, Token, Chat, ID, Body string }
			if json.Unmarshal(raw, &in) != nil {
				return
			}
			switch in.Type {
			case "hello":
				if own = f.find(in.Token); own != nil {
					f.take(own, c, side)
				}
				c.push([]byte(`{"type":"welcome"}`))
			case "accept":
				if to := f.find(in.Chat); to != nil {
					f.take(to, c, side)
					c.push([]byte(`{"type":"chat","chat":{"id":"` + in.Chat + `","state":"active"}}`))
				}
			case "send":
				to := own
				if side == 1 {
					to = f.find(in.Chat)
				}
				if to != nil {
					f.in <- entry{chat: to, from: side, id: in.ID, body: in.Body}
				}
			}
		}
	}()
}

func (f *floor) take(to *chat, c *conn, side int) {
	to.mu.Lock()
	to.both[side] = c
	to.mu.Unlock()
}

// messages is for reading back afterwards.
func (f *floor) messages(w http.ResponseWriter, r *http.Request) {
	after, _ := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
	rows := []struct {
		Seq int64  `json:"seq" db:"seq"`
		ID  string `json:"id" db:"id"`
	}{}
	if err := f.db.SelectContext(r.Context(), &rows, `SELECT seq, id FROM messages WHERE chat = $1 AND seq > $2 ORDER BY seq LIMIT 101`, r.PathValue("id"), after); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	out := map[string]any{"messages": rows}
	if len(rows) > 100 {
		out["messages"], out["next_cursor"] = rows[:100], strconv.FormatInt(rows[99].Seq, 10)
	}
	_ = json.NewEncoder(w).Encode(out)
}
