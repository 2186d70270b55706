package chat

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"chatnow/chat/protocol"
)

// An Entry is a message on its way into the log.
type Entry struct {
	Chat     string
	ID       string // made by the client; a repeat finds the first
	Sender   Sender
	SenderID string // champion, or empty
	Name     string
	Body     string
	// Done is called once, from the log's goroutine, when the outcome is certain; it must not wait.
	Done func(Outcome)
	due  time.Time
}

// An Outcome says what became of an entry. Only Written and Repeat are on disk.
type Outcome struct {
	Verdict Verdict
	Seq     int64
	At      time.Time
}

// Verdict is the log's word on an entry.
type Verdict string

// The verdicts.
const (
	Written     Verdict = "new"
	Repeat      Verdict = "repeat"      // the same id was there; Seq and At are the first's
	Differs     Verdict = "differs"     // the same id with other words; nothing was written
	OverVerdict Verdict = "ended"       // the chat is over
	NotYours    Verdict = "not_yours"   // another champion has it
	Unknown     Verdict = "unknown"     // no such chat
	Refused     Verdict = "unavailable" // the database did not take it in time; the same id may be sent again
	Rejected    Verdict = "rejected"    // the database will never take it
)

// Limits of the log. A batch is what gathered while the one before was being committed.
const (
	maxBatch     = 512
	maxGathered  = 2048
	appendWithin = 8 * time.Second // then the client is told to try again (cases 3, 5, 9)
	writers      = 2               // one prepares while the other waits for the disk
)

// Log writes messages in groups: one statement, one commit, numbers without gaps.
type Log struct {
	db       *sqlx.DB
	now      func() time.Time
	log      *slog.Logger
	seed     maphash.Seed
	shards   [writers]chan *Entry
	onCommit func(chat string, ms []Stored)
	observe  func(messages int, took time.Duration) // nil: nobody counts
}

// Stored is a committed message, ready to be shown.
type Stored struct {
	protocol.Message
	SenderID string
}

// NewLog makes a log. onCommit hears of all new messages of a chat in one commit, in order, before
// their senders do; it must not wait.
func NewLog(db *sqlx.DB, now func() time.Time, log *slog.Logger, onCommit func(chat string, ms []Stored)) *Log {
	l := &Log{db: db, now: now, log: log, seed: maphash.MakeSeed(), onCommit: onCommit}
	for i := range l.shards {
		l.shards[i] = make(chan *Entry, maxGathered)
	}
	return l
}

// Append hands an entry to the writer. A chat always has the same writer, so that what one
// connection sends stays in order. It waits only while too much has gathered, and gives up with ctx.
func (l *Log) Append(ctx context.Context, e *Entry) {
	e.due = time.Now().Add(appendWithin)
	select {
	case l.shards[maphash.String(l.seed, e.Chat)%writers] <- e:
	case <-ctx.Done():
		e.Done(Outcome{Verdict: Refused})
	}
}

// Run writes until ctx ends; then it refuses what still waits and returns.
func (l *Log) Run(ctx context.Context) error {
	done := make(chan struct{}, writers)
	for i := range l.shards {
		go func() {
			defer func() { done <- struct{}{} }()
			w := writer{log: l, in: l.shards[i]}
			w.run(ctx)
		}()
	}
	for range l.shards {
		<-done
	}
	return nil
}

// A writer has a connection of its own and one prepared statement on it.
type writer struct {
	log   *Log
	in    chan *Entry
	conn  *sql.Conn
	stmt  *sql.Stmt
	batch []*Entry
	args  appendArgs
}

const appendSQL = `SELECT out_seq, out_at, out_verdict FROM append_messages($1, $2, $3, $4, $5, $6, $7)`

func (w *writer) run(ctx context.Context) {
	defer w.hangUp()
	for {
		select {
		case e := <-w.in:
			w.gather(e)
			w.write(ctx, w.batch)
		case <-ctx.Done():
			for {
				select {
				case e := <-w.in:
					e.Done(Outcome{Verdict: Refused})
				default:
					return
				}
			}
		}
		clear(w.batch)
	}
}

// gather takes what is there and never waits for more: alone, a message goes at once.
func (w *writer) gather(first *Entry) {
	w.batch = append(w.batch[:0], first)
	for len(w.batch) < maxBatch {
		select {
		case e := <-w.in:
			w.batch = append(w.batch, e)
		default:
			return
		}
	}
}

// write commits a batch, and tells everybody what became of it. A broken connection is tried again:
// it may have broken after the commit, and then the ids find their first numbers.
func (w *writer) write(ctx context.Context, batch []*Entry) {
	var out []Outcome
	var err error
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		begun := time.Now()
		out, err = w.commit(ctx, batch)
		if err == nil && w.log.observe != nil {
			w.log.observe(len(batch), time.Since(begun))
		}
		if err == nil || ctx.Err() != nil || !worthRetrying(err) || time.Now().Add(pause).After(batch[0].due) {
			break
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
	if err != nil && len(batch) > 1 && !worthRetrying(err) {
		for i := range batch { // one of them is poison: it alone fails
			w.write(ctx, batch[i:i+1])
		}
		return
	}
	if err != nil {
		verdict := Refused
		if !worthRetrying(err) && ctx.Err() == nil {
			verdict = Rejected
		}
		w.log.log.Warn("messages not written", "count", len(batch), "err", err)
		for _, e := range batch {
			e.Done(Outcome{Verdict: verdict})
		}
		return
	}
	w.tell(batch, out)
}

// tell gives the news: first to the rooms, in order of the numbers, then to each sender.
func (w *writer) tell(batch []*Entry, out []Outcome) {
	fresh := map[string][]Stored{}
	for i, e := range batch {
		e.Done(out[i]) // the sender's connection learns its number before its room wakes it
		if out[i].Verdict == Written {
			fresh[e.Chat] = append(fresh[e.Chat], Stored{
				Message: protocol.Message{
					Seq: out[i].Seq, ID: e.ID, Body: e.Body, At: out[i].At,
					From: protocol.From{Kind: e.Sender.kind(), Name: e.Name},
				},
				SenderID: e.SenderID,
			})
		}
	}
	for chat, ms := range fresh {
		w.log.onCommit(chat, ms)
	}
}

func (w *writer) commit(ctx context.Context, batch []*Entry) (out []Outcome, err error) {
	ctx, cancel := context.WithDeadline(ctx, batch[0].due)
	defer cancel()
	defer func() {
		if err != nil && worthRetrying(err) {
			w.hangUp() // a fresh connection next time
		}
	}()
	if w.stmt == nil {
		if w.conn, err = w.log.db.Conn(ctx); err != nil {
			return nil, fmt.Errorf("connect for the log: %w", err)
		}
		if w.stmt, err = w.conn.PrepareContext(ctx, appendSQL); err != nil {
			return nil, fmt.Errorf("prepare the log: %w", err)
		}
	}
	w.args.fill(batch)
	rows, err := w.stmt.QueryContext(ctx, w.args.chats(), w.args.ids(), w.args.senders(), w.args.senderIDs(),
		w.args.names(), w.args.bodies(), w.log.now().UTC().Truncate(time.Millisecond))
	if err != nil {
		return nil, fmt.Errorf("append %d messages: %w", len(batch), err)
	}
	defer rows.Close()
	out = make([]Outcome, 0, len(batch))
	for rows.Next() {
		var o Outcome
		if err := rows.Scan(&o.Seq, &o.At, &o.Verdict); err != nil {
			return nil, fmt.Errorf("read what was appended: %w", err)
		}
		out = append(out, o)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("append %d messages: %w", len(batch), err)
	}
	if len(out) != len(batch) {
		return nil, fmt.Errorf("appended %d messages, heard of %d", len(batch), len(out))
	}
	return out, nil
}

func (w *writer) hangUp() {
	if w.stmt != nil {
		_ = w.stmt.Close() // on a dead connection this fails, and nothing is lost by it
	}
	if w.conn != nil {
		_ = w.conn.Raw(func(any) error { return sql.ErrConnDone }) // not back into the pool
		_ = w.conn.Close()
	}
	w.conn, w.stmt = nil, nil
}

// worthRetrying reports whether the same batch may succeed in a moment. What the data itself
// causes (classes 22 and 23) never will.
func worthRetrying(err error) bool {
	var pqErr *pq.Error
	if errors.As(err, &pqErr) {
		class := string(pqErr.Code.Class())
		return class != "22" && class != "23" && class != "42"
	}
	return true
}
