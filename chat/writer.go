package chat

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/lib/pq"

	"chatnow/chat/protocol"
	"chatnow/internal/postgres"
)

// A writer has a connection of its own and one prepared statement on it.
type writer struct {
	log   *Log
	in    chan *Entry
	conn  *sql.Conn
	one   *sql.Stmt // append_one
	plain *sql.Stmt // append_plain
	each  *sql.Stmt // append_messages, which weighs each message
	batch []*Entry
	args  messageArgs
	of    chatArgs
}

const (
	oneSQL   = `SELECT append_one($1, $2, $3, $4, $5, $6, $7, $8)`
	plainSQL = `SELECT out_chat, out_before FROM append_plain($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`
	eachSQL  = `SELECT out_seq, out_at, out_verdict FROM append_messages($1, $2, $3, $4, $5, $6, $7)`
	notPlain = "CN001"
)

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
	if err := w.dial(ctx); err != nil {
		return nil, err
	}
	at := w.log.now().UTC().Truncate(time.Millisecond)
	if len(batch) == 1 {
		if out, err := w.appendOne(ctx, batch[0], at); !isNotPlain(err) {
			return out, err
		}
	}
	w.args.fill(batch)
	args := []any{w.args.chats.end(), w.args.ids.end(), w.args.senders.end(), w.args.senderIDs.end(), w.args.names.end(), w.args.bodies.end(), at}
	if len(batch) > 1 && w.of.fill(batch) {
		if out, err := w.appendPlain(ctx, batch, args, at); !isNotPlain(err) {
			return out, err
		}
	}
	return w.appendEach(ctx, batch, args)
}

func isNotPlain(err error) bool {
	var pg *pq.Error
	return errors.As(err, &pg) && pg.Code == notPlain
}

// appendOne writes a message that is alone, if nothing about it is unusual.
func (w *writer) appendOne(ctx context.Context, e *Entry, at time.Time) ([]Outcome, error) {
	o := Outcome{Verdict: Written, At: at}
	if err := w.one.QueryRowContext(ctx, e.Chat, e.ID, e.Sender, postgres.NullText(e.SenderID), e.Name, e.Body, at, preview(e.Body)).Scan(&o.Seq); err != nil {
		return nil, fmt.Errorf("append a message: %w", err)
	}
	return []Outcome{o}, nil
}

// dial opens the writer's connection. Planning these statements anew each time would cost more than they do.
func (w *writer) dial(ctx context.Context) (err error) {
	if w.conn != nil {
		return nil
	}
	defer func() {
		if err != nil {
			w.hangUp() // half prepared is not prepared
		}
	}()
	if w.conn, err = w.log.db.Conn(ctx); err != nil {
		return fmt.Errorf("connect for the log: %w", err)
	}
	if _, err = w.conn.ExecContext(ctx, `SET plan_cache_mode = force_generic_plan`); err != nil {
		return fmt.Errorf("prepare the log: %w", err)
	}
	prepare := func(text string) *sql.Stmt {
		if err != nil {
			return nil
		}
		var stmt *sql.Stmt
		if stmt, err = w.conn.PrepareContext(ctx, text); err != nil {
			err = fmt.Errorf("prepare the log: %w", err)
		}
		return stmt
	}
	w.one, w.plain, w.each = prepare(oneSQL), prepare(plainSQL), prepare(eachSQL)
	return err
}

// appendPlain writes a batch in which nothing is unusual. Else it writes nothing, and the error is notPlain.
func (w *writer) appendPlain(ctx context.Context, batch []*Entry, args []any, at time.Time) ([]Outcome, error) {
	of := &w.of
	rows, err := w.plain.QueryContext(ctx, args[0], of.places.end(), args[1], args[2], args[3], args[4], args[5], at,
		of.chats.end(), of.counts.end(), of.champions.end(), of.previews.end(), of.byCustomer.end(), of.byChampion.end())
	if err != nil {
		return nil, fmt.Errorf("append %d messages: %w", len(batch), err)
	}
	defer rows.Close()
	for rows.Next() {
		var chat string
		var before int64
		if err := rows.Scan(&chat, &before); err != nil {
			return nil, fmt.Errorf("read what was appended: %w", err)
		}
		s := of.shares[chat]
		if s == nil {
			return nil, fmt.Errorf("append: the answer names chat %s, which is not in the batch", chat) // tried again, they are repeats
		}
		s.before = before
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("append %d messages: %w", len(batch), err)
	}
	out := make([]Outcome, len(batch))
	for i, e := range batch {
		s := of.shares[e.Chat]
		s.before++
		out[i] = Outcome{Verdict: Written, Seq: s.before, At: at}
	}
	return out, nil
}

// appendEach writes what can be written of a batch, with a verdict on each message.
func (w *writer) appendEach(ctx context.Context, batch []*Entry, args []any) ([]Outcome, error) {
	rows, err := w.each.QueryContext(ctx, args...)
	if err != nil {
		return nil, fmt.Errorf("append %d messages: %w", len(batch), err)
	}
	defer rows.Close()
	out := make([]Outcome, 0, len(batch))
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
	for _, stmt := range []*sql.Stmt{w.one, w.plain, w.each} {
		if stmt != nil {
			_ = stmt.Close() // on a dead connection this fails, and nothing is lost by it
		}
	}
	if w.conn != nil {
		_ = w.conn.Raw(func(any) error { return sql.ErrConnDone }) // not back into the pool
		_ = w.conn.Close()
	}
	w.conn, w.one, w.plain, w.each = nil, nil, nil, nil
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
