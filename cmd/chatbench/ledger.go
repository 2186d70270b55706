package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A ledger knows what was begun, what was acknowledged, and when what was delivered.
type ledger struct {
	mu      sync.Mutex
	sent    map[string]time.Time
	acked   map[string]int64 // id → seq
	chatOf  map[string]string
	ack     []time.Duration
	deliver []time.Duration
	errs    atomic.Int64
}

func (l *ledger) begin(id, chat string, at time.Time) {
	l.mu.Lock()
	l.sent[id], l.chatOf[id] = at, chat
	l.mu.Unlock()
}

func (l *ledger) acknowledged(id string, seq int64) {
	now := time.Now()
	l.mu.Lock()
	if at, ok := l.sent[id]; ok {
		if _, twice := l.acked[id]; !twice {
			l.ack = append(l.ack, now.Sub(at))
		}
		l.acked[id] = seq
	}
	l.mu.Unlock()
}

func (l *ledger) delivered(id string) {
	now := time.Now()
	l.mu.Lock()
	if at, ok := l.sent[id]; ok {
		l.deliver = append(l.deliver, now.Sub(at))
	}
	l.mu.Unlock()
}

// A result is what a run has measured.
type result struct {
	Name       string
	Chats      int
	Took       time.Duration
	Acked      int
	PerSecond  float64 // durable, delivered
	Errors     int64
	Ack, Reach spread
}

// A spread is how long something took, in milliseconds.
type spread struct{ P50, P95, P99, Max float64 }

func spreadOf(d []time.Duration) (s spread) {
	if len(d) == 0 {
		return s
	}
	slices.Sort(d)
	at := func(q float64) float64 {
		return float64(d[min(len(d)-1, int(q*float64(len(d))))].Microseconds()) / 1000
	}
	return spread{at(0.50), at(0.95), at(0.99), at(1)}
}

func (s spread) String() string {
	return fmt.Sprintf("p50 %.1f  p95 %.1f  p99 %.1f  max %.1f ms", s.P50, s.P95, s.P99, s.Max)
}

func (l *ledger) result(chats int, took time.Duration) result {
	l.mu.Lock()
	defer l.mu.Unlock()
	return result{Chats: chats, Took: took, Acked: len(l.acked), PerSecond: float64(len(l.deliver)) / took.Seconds(), Errors: l.errs.Load(), Ack: spreadOf(l.ack), Reach: spreadOf(l.deliver)}
}

func (r result) String() string {
	return fmt.Sprintf("%d chats, %s: %d acknowledged, %.0f durable delivered messages/s, %d errors\nack       %s\ndelivery  %s",
		r.Chats, r.Took.Round(time.Millisecond), r.Acked, r.PerSecond, r.Errors, r.Ack, r.Reach)
}

// verify reads every chat back: what was acknowledged is there once, under its number, without a hole.
func (b *bench) verify(sides []*side, led *ledger) error {
	led.mu.Lock()
	defer led.mu.Unlock()
	seen := map[string]int64{}
	for _, s := range sides {
		if s.token == "" {
			continue
		}
		for after := int64(0); ; {
			req, err := http.NewRequest(http.MethodGet, fmt.Sprintf("%s/api/v1/chats/%s/messages?after=%d&limit=100", b.base, s.chat, after), nil)
			if err != nil {
				return err
			}
			req.Header.Set("Authorization", "Bearer "+s.token)
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				return err
			}
			var page struct {
				Messages []struct {
					Seq int64
					ID  string
				}
				Next string `json:"next_cursor"`
			}
			err = json.NewDecoder(res.Body).Decode(&page)
			_ = res.Body.Close()
			if err != nil {
				return err
			}
			for _, m := range page.Messages {
				if m.Seq != after+1 {
					return fmt.Errorf("chat %s: after %d comes %d", s.chat, after, m.Seq)
				}
				if _, twice := seen[m.ID]; twice {
					return fmt.Errorf("message %s is there twice", m.ID)
				}
				seen[m.ID], after = m.Seq, m.Seq
			}
			if page.Next == "" {
				break
			}
		}
	}
	for id, seq := range led.acked {
		if seen[id] != seq {
			return fmt.Errorf("message %s was acknowledged as %d and is found as %d", id, seq, seen[id])
		}
	}
	return nil
}
