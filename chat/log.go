package chat

import (
	"context"
	"hash/maphash"
	"log/slog"
	"time"

	"github.com/jmoiron/sqlx"

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
