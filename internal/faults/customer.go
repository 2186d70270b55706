package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// A talk is one chat as its customer holds it.
type talk struct {
	id, token, question string

	mu   sync.Mutex
	view *view
	over bool
}

// A customer chats with one server after another: sends, waits for the answer, sends again what was not
// answered, ends the chat at some time and begins another.
type customer struct {
	w      *world
	led    *ledger
	name   string
	random *rand.Rand
	at     int // the server he talks to
	pace   time.Duration
	length int // messages of a chat

	mu    sync.Mutex
	talks []*talk  // the last one is going on
	alien []string // what he was shown and should not have been
}

func (c *customer) run(ctx context.Context) {
	for ctx.Err() == nil {
		t := c.begin(ctx)
		if t == nil {
			continue
		}
		c.mu.Lock()
		c.talks = append(c.talks, t)
		c.mu.Unlock()
		c.chat(ctx, t)
		if c.random.IntN(2) == 0 {
			c.ticket(ctx)
		}
	}
}

// begin asks for a chat until somebody answers; the key makes one of many tries.
func (c *customer) begin(ctx context.Context) *talk {
	o := &op{ID: uuid.NewString(), Kind: opChat, Who: c.name}
	o.Text = "question " + o.ID
	if !c.led.begin(o) {
		<-ctx.Done()
		return nil
	}
	var made struct {
		Chat  struct{ ID string }
		Token string
	}
	in := map[string]string{"name": c.name, "email": c.name + "@example.com", "question": o.Text}
	if !c.post(ctx, o, "/api/v1/chats", in, &made) {
		return nil
	}
	c.led.mu.Lock()
	o.Chat = made.Chat.ID
	c.led.mu.Unlock()
	return &talk{id: made.Chat.ID, token: made.Token, question: o.Text, view: newView()}
}

func (c *customer) ticket(ctx context.Context) {
	o := &op{ID: uuid.NewString(), Kind: opTicket, Who: c.name}
	o.Text = "ticket " + o.ID
	if !c.led.begin(o) {
		return
	}
	c.post(ctx, o, "/api/v1/tickets", map[string]any{"name": c.name, "email": c.name + "@example.com", "subject": o.Text, "description": "It does not start.", "diagnostics": map[string]any{}}, nil)
}

// post repeats a request with its key until it is answered for good.
func (c *customer) post(ctx context.Context, o *op, path string, in, out any) bool {
	for ctx.Err() == nil {
		code, _, err := c.w.ask(ctx, c.at, http.MethodPost, path, credentials{key: o.ID}, in, out)
		switch {
		case err == nil && code < 300:
			c.led.answer(o, ok, 0)
			return true
		case err == nil && code == http.StatusConflict && path == "/api/v1/chats" && !o.doubted:
			c.led.answer(o, refused, 0) // nobody is on duty for a moment
			wait(ctx, time.Second)
			return false
		case err == nil && code < 500 && code != http.StatusConflict && code != http.StatusTooManyRequests:
			c.led.answer(o, refused, 0)
			return false
		case err != nil || code != http.StatusServiceUnavailable:
			c.led.doubt(o)
		}
		c.at++
		wait(ctx, 200*time.Millisecond)
	}
	return false
}

// chat goes on until the customer has ended it.
func (c *customer) chat(ctx context.Context, t *talk) {
	left := c.length/2 + c.random.IntN(c.length)
	var open *op
	for ctx.Err() == nil && !t.ended() {
		c.connected(ctx, t, &left, &open)
		c.at++
		wait(ctx, time.Duration(50+c.random.IntN(200))*time.Millisecond)
	}
	if open != nil {
		c.led.giveUp(open) // it ended meanwhile
	}
}

// caughtUp reports whether he has seen all of what goes on.
func (c *customer) caughtUp(head map[string]int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.talks {
		t.mu.Lock()
		good := t.over || t.view.through == head[t.id]
		t.mu.Unlock()
		if !good {
			return false
		}
	}
	return true
}

func (t *talk) ended() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.over
}

// connected is one connection's life. open is what was sent and not answered.
func (c *customer) connected(ctx context.Context, t *talk, left *int, open **op) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := c.w.dial(ctx, c.at, "/ws/chat", "")
	if err != nil {
		return
	}
	defer s.close()
	t.mu.Lock()
	after := t.view.through
	t.view.connected(after)
	t.mu.Unlock()
	if s.send(ctx, map[string]any{"type": "hello", "token": t.token, "after": after}) != nil {
		return
	}
	answers := make(chan frame, 256)
	var reader sync.WaitGroup
	reader.Go(func() {
		defer cancel()
		for {
			f, err := s.read(ctx)
			if err != nil || f.Type == "bye" {
				return
			}
			c.hear(t, f)
			if f.Type == "ack" || f.Type == "error" || f.Type == "welcome" {
				select {
				case answers <- f:
				case <-ctx.Done():
					return
				}
			}
		}
	})
	defer reader.Wait()
	defer cancel()
	defer s.close()
	if _, welcome := await(ctx, answers, "", answerIn); !welcome {
		return
	}
	// Before a node has lost all its customers to the others, they come back to it.
	for stay := 10 + c.random.IntN(40); stay > 0 && ctx.Err() == nil && !t.ended(); stay-- {
		if *open == nil && *left <= 0 {
			if s.send(ctx, map[string]any{"type": "end"}) != nil || !wait(ctx, 300*time.Millisecond) {
				return
			}
			continue
		}
		if !c.say(ctx, s, t, answers, left, open) {
			return
		}
		wait(ctx, c.pace/2+time.Duration(c.random.Int64N(int64(c.pace))))
	}
}

// say sends one message, new or again, and waits for its answer; it is false when the line is no good.
func (c *customer) say(ctx context.Context, s *wire, t *talk, answers <-chan frame, left *int, open **op) bool {
	if *open == nil {
		*open = &op{ID: uuid.NewString(), Kind: opMessage, Chat: t.id, Who: c.name, Text: words(c.random, c.name)}
		if c.random.IntN(25) == 0 {
			(*open).Text = " \n" // refused: there is nothing in it
		}
		if !c.led.begin(*open) { // listen to the end
			*open = nil
			<-ctx.Done()
			return false
		}
		*left--
	}
	o := *open
	if s.send(ctx, map[string]any{"type": "send", "id": o.ID, "body": o.Text}) != nil {
		c.led.doubt(o)
		return false
	}
	f, answered := await(ctx, answers, o.ID, answerIn)
	switch {
	case !answered:
		c.led.doubt(o)
		return false
	case f.Type == "ack":
		c.led.answer(o, ok, f.Seq)
		if c.random.IntN(25) == 0 { // the same id with other words must change nothing
			_ = s.send(ctx, map[string]any{"type": "send", "id": o.ID, "body": "changed"})
			_, _ = await(ctx, answers, o.ID, answerIn)
		}
	case f.Code == "unavailable" || f.Code == "too_fast":
		return wait(ctx, 300*time.Millisecond)
	default:
		c.led.answer(o, refused, 0)
	}
	*open = nil
	return true
}

// hear takes what the server shows.
func (c *customer) hear(t *talk, f frame) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch f.Type {
	case "message":
		t.view.message(f.Seq, f.ID)
		c.foreign(t, f)
	case "ack":
		t.view.know(f.Seq, f.ID)
	case "note":
		c.alien = append(c.alien, "a note: "+f.ID)
	case "chat":
		if v := f.about(); v.State == "ended" || v.State == "missed" {
			t.over = true
		}
	case "welcome":
		if v := f.about(); v.State == "ended" || v.State == "missed" {
			t.over = true
		}
	}
}

// foreign notes a message of a chat that he is no part of.
func (c *customer) foreign(t *talk, f frame) {
	c.led.mu.Lock()
	o := c.led.ops[f.ID]
	defer c.led.mu.Unlock()
	if o != nil && (o.Chat != t.id || o.Kind != opMessage) {
		c.alien = append(c.alien, o.Kind+" "+o.ID)
	}
}

// await reads answers until the one to id, or until it takes too long.
func await(ctx context.Context, answers <-chan frame, id string, within time.Duration) (frame, bool) {
	late := time.After(within)
	for {
		select {
		case f := <-answers:
			if f.ID == id && (id != "" || f.Type == "welcome") {
				return f, true
			}
		case <-late:
			return frame{}, false
		case <-ctx.Done():
			return frame{}, false
		}
	}
}

// words are bytes that a careless server would change, and who wrote them.
func words(random *rand.Rand, who string) string {
	odd := []string{"\U0001F680", "naïve", "\u202e", "&lt;b&gt;", "'; --", "\\u0041", "  two  ", "line\nbreak", "a\u0300", "\u200d"}
	return fmt.Sprintf("%s %d %s %s", who, random.Uint64(), odd[random.IntN(len(odd))], strings.Repeat("x", random.IntN(200)))
}
