package faults

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// A champion holds one console: takes who waits, answers in the chats that are his, notes something now
// and then, and comes back on another server when one does not answer.
type champion struct {
	w      *world
	led    *ledger
	name   string
	cookie string
	random *rand.Rand
	at     int
	pace   time.Duration

	mu      sync.Mutex
	me      string
	mine    map[string]bool
	views   map[string]*view
	open    map[string]*op // sent and not answered, by chat
	sent    map[string]time.Time
	again   map[string]bool // to be sent again
	waiting map[string]int  // who waits, and how often that was heard
}

func newChampion(w *world, led *ledger, name, cookie string, random *rand.Rand, at int, pace time.Duration) *champion {
	return &champion{w: w, led: led, name: name, cookie: cookie, random: random, at: at, pace: pace, mine: map[string]bool{},
		views: map[string]*view{}, open: map[string]*op{}, sent: map[string]time.Time{}, again: map[string]bool{}, waiting: map[string]int{}}
}

func (c *champion) run(ctx context.Context) {
	for ctx.Err() == nil {
		c.connected(ctx)
		c.at++
		wait(ctx, time.Duration(50+c.random.IntN(200))*time.Millisecond)
	}
}

func (c *champion) connected(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := c.w.dial(ctx, c.at, "/ws/console", c.cookie)
	if err != nil {
		return
	}
	defer s.close()
	if s.send(ctx, map[string]any{"type": "hello", "after": c.resume()}) != nil {
		return
	}
	here := make(chan struct{}, 1)
	var reader sync.WaitGroup
	reader.Go(func() {
		defer cancel()
		for {
			f, err := s.read(ctx)
			if err != nil || f.Type == "bye" {
				return
			}
			c.hear(f)
			if f.Type == "welcome" {
				here <- struct{}{}
			}
		}
	})
	defer reader.Wait()
	defer cancel()
	defer s.close()
	select {
	case <-here:
	case <-time.After(answerIn):
		return
	case <-ctx.Done():
		return
	}
	if s.send(ctx, map[string]any{"type": "presence", "state": "online", "capacity": 50}) != nil {
		return
	}
	for stay := 50 + c.random.IntN(200); stay > 0 && ctx.Err() == nil && c.work(ctx, s); stay-- {
		wait(ctx, c.pace/2+time.Duration(c.random.Int64N(int64(c.pace))))
	}
}

// resume is what hello names: how far each chat was seen. What was sent is sent again.
func (c *champion) resume() map[string]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	after := map[string]int64{}
	for chat := range c.mine {
		v := c.view(chat)
		v.connected(v.through)
		after[chat] = v.through
	}
	for chat, o := range c.open {
		c.led.doubt(o)
		c.again[chat] = true
	}
	clear(c.waiting)
	return after
}

func (c *champion) view(chat string) *view {
	if c.views[chat] == nil {
		c.views[chat] = newView()
	}
	return c.views[chat]
}

func (c *champion) hear(f frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	about := f.about()
	switch f.Type {
	case "welcome":
		c.me = f.Me.ID
		clear(c.mine)
		for _, v := range f.Mine {
			c.mine[v.ID] = true
		}
		c.queue(f.List)
	case "queue":
		c.queue(f.List)
	case "chat":
		if about.State == "active" && about.Champion != nil && about.Champion.ID == c.me {
			if !c.mine[about.ID] { // all of it comes, from the first
				c.view(about.ID).connected(0)
			}
			c.mine[about.ID] = true
		} else {
			delete(c.mine, about.ID)
			if o := c.open[about.ID]; o != nil && about.State == "ended" {
				c.led.doubt(o)
				c.led.giveUp(o)
				delete(c.open, about.ID)
			}
		}
	case "message":
		c.view(about.ID).message(f.Seq, f.ID)
	case "ack":
		if f.Seq > 0 {
			c.view(about.ID).know(f.Seq, f.ID)
		}
		c.answered(f.ID, func(o *op) { c.led.answer(o, ok, f.Seq) })
	case "error":
		if f.Code == "unavailable" || f.Code == "too_fast" {
			if o := c.open[about.ID]; o != nil && o.ID == f.ID {
				c.again[about.ID] = true
			}
			return
		}
		c.answered(f.ID, func(o *op) { c.led.answer(o, refused, 0) })
	}
}

func (c *champion) answered(id string, say func(o *op)) {
	for chat, o := range c.open {
		if o.ID == id {
			say(o)
			delete(c.open, chat)
			delete(c.again, chat)
		}
	}
}

func (c *champion) queue(all []chatView) {
	waiting := map[string]int{}
	for _, v := range all {
		waiting[v.ID] = c.waiting[v.ID] + 1
	}
	c.waiting = waiting
}

// work takes who waits and says something in one chat; it is false when the server does not answer.
func (c *champion) work(ctx context.Context, s *wire) bool {
	for _, f := range c.next() {
		if s.send(ctx, f) != nil {
			return false
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for chat, o := range c.open {
		if c.mine[chat] && !c.again[chat] && time.Since(c.sent[o.ID]) > answerIn {
			return false
		}
	}
	return true
}

func (c *champion) next() []map[string]any {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []map[string]any
	for chat := range c.waiting {
		out = append(out, map[string]any{"type": "accept", "chat": chat})
	}
	clear(c.waiting)
	for chat := range c.again {
		if o := c.open[chat]; o != nil && c.mine[chat] {
			out = append(out, c.frame(o))
			delete(c.again, chat)
		}
	}
	chats := make([]string, 0, len(c.mine))
	for chat := range c.mine {
		if c.open[chat] == nil {
			chats = append(chats, chat)
		}
	}
	if len(chats) == 0 {
		return out
	}
	slices.Sort(chats)
	o := &op{ID: uuid.NewString(), Kind: opMessage, Chat: chats[c.random.IntN(len(chats))], Who: c.name, Text: words(c.random, c.name)}
	if c.random.IntN(12) == 0 {
		o.Kind = opNote
	}
	if !c.led.begin(o) {
		return out
	}
	c.open[o.Chat] = o
	return append(out, c.frame(o))
}

func (c *champion) frame(o *op) map[string]any {
	c.sent[o.ID] = time.Now()
	kind := "send"
	if o.Kind == opNote {
		kind = "note"
	}
	return map[string]any{"type": kind, "chat": o.Chat, "id": o.ID, "body": o.Text}
}

// caughtUp reports whether he has seen all of the chats that are his. What he sent where he writes no more
// is given up.
func (c *champion) caughtUp(head map[string]int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for chat, o := range c.open {
		if !c.mine[chat] {
			c.led.doubt(o)
			c.led.giveUp(o)
			delete(c.open, chat)
		}
	}
	for chat := range c.mine {
		if c.view(chat).through != head[chat] {
			return false
		}
	}
	return true
}
