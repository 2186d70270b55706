package faults

import (
	"encoding/json"
	"os"
	"sync"
	"time"
)

// What can be begun.
const (
	opChat    = "chat"    // its text is the question
	opMessage = "message" // to a chat
	opNote    = "note"    // to a chat, of a champion to himself
	opTicket  = "ticket"  // its text is the subject
)

// How it was answered. unknown is what nobody heard of again.
const (
	ok      = "ok"
	refused = "refused"
	unknown = "unknown"
)

// An op is one thing that somebody began.
type op struct {
	ID     string    `json:"id"`
	Kind   string    `json:"kind"`
	Chat   string    `json:"chat,omitempty"`
	Who    string    `json:"who"`
	Text   string    `json:"text"`
	Begun  time.Time `json:"begun"`
	Answer string    `json:"answer"`
	Seq    int64     `json:"seq,omitempty"`
	Took   time.Duration

	n       int  // its place among all that were begun
	given   bool // nobody will ask again
	doubted bool // sent, and the line broke before an answer: a later refusal proves nothing
}

// A ledger is written before anything is sent and when it is answered.
type ledger struct {
	mu    sync.Mutex
	file  *os.File
	shut  bool // nothing new is begun any more
	err   error
	ops   map[string]*op
	order []*op
	last  map[string]time.Time // by person: the last answer
}

func openLedger(path string) (*ledger, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return &ledger{file: f, ops: map[string]*op{}, last: map[string]time.Time{}}, nil
}

// begin notes what will be sent; it is false when nothing new may begin.
func (l *ledger) begin(o *op) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shut {
		return false
	}
	o.Begun, o.Answer, o.n = time.Now(), unknown, len(l.order)
	l.ops[o.ID] = o
	l.order = append(l.order, o)
	l.write(map[string]any{"begun": o})
	return true
}

// answer keeps the first certain answer; what was in doubt once cannot become refused.
func (l *ledger) answer(o *op, what string, seq int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if o.Answer != unknown || (what == refused && o.doubted) {
		return
	}
	now := time.Now()
	o.Answer, o.Seq, o.Took = what, seq, now.Sub(o.Begun)
	l.last[o.Who] = now
	l.write(map[string]any{"id": o.ID, "answer": what, "seq": seq})
}

func (l *ledger) doubt(o *op) {
	l.mu.Lock()
	o.doubted = true
	l.mu.Unlock()
}

func (l *ledger) write(v any) {
	raw, err := json.Marshal(v)
	if err == nil {
		_, err = l.file.Write(append(raw, '\n'))
	}
	if err != nil && l.err == nil {
		l.err = err
	}
}

// since tells how many of people were answered after t.
func (l *ledger) since(t time.Time, people []string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, who := range people {
		if l.last[who].After(t) {
			n++
		}
	}
	return n
}

// longest is the longest wait for an answer of what was begun from t on.
func (l *ledger) longest(t time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	longest := time.Duration(0)
	for i := len(l.order) - 1; i >= 0 && l.order[i].Begun.After(t.Add(-time.Minute)); i-- {
		o := l.order[i]
		if o.Answer != unknown && o.Begun.Add(o.Took).After(t) {
			longest = max(longest, o.Took)
		}
	}
	return longest
}

// pending counts what customers wait to be answered.
func (l *ledger) pending() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, o := range l.order {
		if o.Answer == unknown && !o.given {
			n++
		}
	}
	return n
}

// giveUp notes that nobody will ask for an answer again.
func (l *ledger) giveUp(o *op) {
	l.mu.Lock()
	o.given = true
	l.mu.Unlock()
}

// totals counts by kind and answer.
func (l *ledger) totals() map[string]map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[string]map[string]int{}
	for _, o := range l.order {
		if out[o.Kind] == nil {
			out[o.Kind] = map[string]int{}
		}
		out[o.Kind][o.Answer]++
	}
	return out
}

func (l *ledger) close() error {
	if err := l.file.Close(); err != nil {
		return err
	}
	return l.err
}
