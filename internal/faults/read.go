package faults

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// A line is one message as a reader finds it.
type line struct {
	Seq  int64  `json:"seq"`
	ID   string `json:"id"`
	Kind string
	From struct{ Kind string } `json:"from"`
	Body string                `json:"body"`
}

// A reading is every chat as one of the four finds it.
type reading map[string][]line

// readers are the four, in the order of a report.
var readers = []string{"customer's socket", "champion's socket", "REST", "SQL"}

const readIn = 30 * time.Second // of one chat

// readBack reads every chat four ways.
func (w *world) readBack(ctx context.Context, talks []*talk, cookie string) (map[string]reading, error) {
	out := map[string]reading{}
	for _, name := range readers {
		out[name] = reading{}
	}
	type found struct{ customer, rest []line }
	all := make([]found, len(talks))
	var g errgroup.Group
	g.SetLimit(8)
	for i, t := range talks {
		g.Go(func() (err error) {
			if all[i].customer, err = w.asCustomer(ctx, i, t); err != nil {
				return fmt.Errorf("read chat %s as its customer: %w", t.id, err)
			}
			if all[i].rest, err = w.byREST(ctx, i+1, t); err != nil {
				return fmt.Errorf("read chat %s by REST: %w", t.id, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for i, t := range talks {
		out[readers[0]][t.id], out[readers[2]][t.id] = all[i].customer, all[i].rest
	}
	if err := w.asChampion(ctx, talks, cookie, out[readers[1]]); err != nil {
		return nil, fmt.Errorf("read as a champion: %w", err)
	}
	return out, w.bySQL(ctx, out[readers[3]])
}

func (w *world) asCustomer(ctx context.Context, n int, t *talk) ([]line, error) {
	ctx, cancel := context.WithTimeout(ctx, readIn)
	defer cancel()
	s, err := w.dial(ctx, n, "/ws/chat", "")
	if err != nil {
		return nil, err
	}
	defer s.close()
	if err := s.send(ctx, map[string]any{"type": "hello", "token": t.token, "after": 0}); err != nil {
		return nil, err
	}
	var out []line
	for last := int64(-1); last < 0 || int64(len(out)) < last; {
		f, err := s.read(ctx)
		if err != nil {
			return nil, fmt.Errorf("after %d of %d messages: %w", len(out), last, err)
		}
		switch f.Type {
		case "welcome":
			last = f.Seq
		case "message":
			out = append(out, line{Seq: f.Seq, ID: f.ID, Kind: f.From.Kind, Body: f.Body})
		}
	}
	return out, nil
}

// asChampion follows one chat after another on one console.
func (w *world) asChampion(ctx context.Context, talks []*talk, cookie string, out reading) error {
	s, err := w.dial(ctx, 0, "/ws/console", cookie)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.send(ctx, map[string]any{"type": "hello"}); err != nil {
		return err
	}
	for _, t := range talks {
		if err := followOne(ctx, s, t.id, out); err != nil {
			return fmt.Errorf("chat %s: %w", t.id, err)
		}
	}
	return nil
}

func followOne(ctx context.Context, s *wire, chat string, out reading) error {
	ctx, cancel := context.WithTimeout(ctx, readIn)
	defer cancel()
	if err := s.send(ctx, map[string]any{"type": "follow", "chat": chat}); err != nil {
		return err
	}
	for last := int64(-1); last < 0 || int64(len(out[chat])) < last; {
		f, err := s.read(ctx)
		if err != nil {
			return fmt.Errorf("after %d of %d messages: %w", len(out[chat]), last, err)
		}
		about := f.about()
		if about.ID != chat {
			continue
		}
		switch f.Type {
		case "chat":
			last = about.Seq
		case "message":
			out[chat] = append(out[chat], line{Seq: f.Seq, ID: f.ID, Kind: f.From.Kind, Body: f.Body})
		case "error":
			return fmt.Errorf("%s", f.Code)
		}
	}
	return s.send(ctx, map[string]any{"type": "unfollow", "chat": chat})
}

func (w *world) byREST(ctx context.Context, n int, t *talk) ([]line, error) {
	var out []line
	for {
		var page struct {
			Messages []line
			Next     string `json:"next_cursor"`
		}
		after := int64(0)
		if len(out) > 0 {
			after = out[len(out)-1].Seq
		}
		code, _, err := w.ask(ctx, n, http.MethodGet, fmt.Sprintf("/api/v1/chats/%s/messages?after=%d&limit=100", t.id, after), credentials{token: t.token}, nil, &page)
		if err != nil || code != http.StatusOK {
			return nil, fmt.Errorf("%d %w", code, err)
		}
		for _, m := range page.Messages {
			m.Kind = m.From.Kind
			m.From.Kind = ""
			out = append(out, m)
		}
		if page.Next == "" || len(page.Messages) == 0 {
			return out, nil
		}
	}
}

func (w *world) bySQL(ctx context.Context, out reading) error {
	rows, err := w.db.QueryContext(ctx, `SELECT chat_id, seq, id, CASE sender WHEN 1 THEN 'customer' WHEN 2 THEN 'champion' ELSE 'system' END, body FROM messages ORDER BY chat_id, seq`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var chat string
		var m line
		if err := rows.Scan(&chat, &m.Seq, &m.ID, &m.Kind, &m.Body); err != nil {
			return err
		}
		out[chat] = append(out[chat], m)
	}
	return rows.Err()
}
