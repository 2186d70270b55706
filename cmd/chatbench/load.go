package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// A bench is one run of load against one server.
type bench struct {
	base, email, password string
	chats                 int           // at once
	rate                  float64       // messages a second in all; 0: a closed loop
	length                time.Duration // of the load
}

// check keeps the load on this machine, and bounded.
func (b *bench) check() error {
	if b.chats < 1 || b.chats > 256 || b.length > 10*time.Minute || !strings.HasPrefix(b.base, "http://127.0.0.1:") && !strings.HasPrefix(b.base, "http://localhost:") {
		return errors.New("1 to 256 chats, up to 10 minutes, on loopback only")
	}
	return nil
}

// run loads the server, and fails when what was acknowledged cannot be read back.
func (b *bench) run(ctx context.Context) (result, error) {
	if err := b.check(); err != nil {
		return result{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, b.length+time.Minute)
	defer cancel()
	res, err := b.post("/api/v1/session", "", map[string]string{"email": b.email, "password": b.password}, &struct{}{})
	if err != nil {
		return result{}, err
	}
	cookie := res.Cookies()[0].Name + "=" + res.Cookies()[0].Value
	led := &ledger{sent: map[string]time.Time{}, acked: map[string]int64{}, chatOf: map[string]string{}}
	sides, consoles, err := b.begin(ctx, cookie, led)
	if err != nil {
		return result{}, err
	}
	start := time.Now()
	b.load(ctx, sides, led, start.Add(b.length))
	took := time.Since(start)
	time.Sleep(500 * time.Millisecond) // the last deliveries are on their way; the clock has stopped
	r := led.result(b.chats, took)
	err = b.verify(sides, led)
	for _, s := range sides { // so that the next run begins with free hands
		if s.token != "" {
			_ = s.sock.write(ctx, map[string]string{"type": "end"})
		}
	}
	time.Sleep(200 * time.Millisecond)
	for _, s := range append(consoles, socks(sides)...) {
		_ = s.ws.CloseNow()
	}
	return r, err
}

// A side is one end of one chat.
type side struct {
	chat  string
	token string // of the customer; empty for the champion
	sock  *sock
	acks  chan struct{}
}

func socks(sides []*side) []*sock {
	var out []*sock
	for _, s := range sides {
		out = append(out, s.sock)
	}
	return out
}

// begin opens the chats and takes them all, over one console socket for each 32 chats.
func (b *bench) begin(ctx context.Context, cookie string, led *ledger) ([]*side, []*sock, error) {
	var sides []*side
	var consoles []*sock
	byChat := &sync.Map{}
	var accepted atomic.Int64
	origin := http.Header{"Cookie": {cookie}, "Origin": {b.base}}
	console, err := b.dial(ctx, "/ws/console", origin)
	if err != nil {
		return nil, nil, fmt.Errorf("console: %w", err)
	}
	consoles = append(consoles, console)
	go read(ctx, console, led, func(f frame, chat string) {
		if f.Type == "chat" && strings.Contains(string(f.Chat), `"state":"active"`) {
			accepted.Add(1)
		}
		if s, ok := byChat.Load(chat); ok && f.Type == "ack" {
			s.(*side).acks <- struct{}{}
		}
	})
	for _, f := range []map[string]any{{"type": "hello"}, {"type": "presence", "state": "online", "capacity": 50}} {
		if err := console.write(ctx, f); err != nil {
			return nil, nil, err
		}
	}
	time.Sleep(300 * time.Millisecond) // until the server has the presence
	for i := range b.chats {
		var made struct {
			Chat  struct{ ID string } `json:"chat"`
			Token string              `json:"token"`
		}
		if _, err := b.post("/api/v1/chats", "", map[string]string{"name": fmt.Sprintf("Load %d", i), "email": fmt.Sprintf("load%d@example.com", i), "question": "load"}, &made); err != nil {
			return nil, nil, err
		}
		ws, err := b.dial(ctx, "/ws/chat", nil)
		if err != nil {
			return nil, nil, err
		}
		customer := &side{chat: made.Chat.ID, token: made.Token, sock: ws, acks: make(chan struct{}, 1024)}
		champion := &side{chat: made.Chat.ID, sock: console, acks: make(chan struct{}, 1024)}
		byChat.Store(made.Chat.ID, champion)
		go read(ctx, ws, led, func(f frame, _ string) {
			if f.Type == "ack" {
				customer.acks <- struct{}{}
			}
		})
		if err := ws.write(ctx, map[string]any{"type": "hello", "token": made.Token}); err != nil {
			return nil, nil, err
		}
		if err := console.write(ctx, map[string]any{"type": "accept", "chat": made.Chat.ID}); err != nil {
			return nil, nil, err
		}
		sides = append(sides, customer, champion)
	}
	for end := time.Now().Add(20 * time.Second); accepted.Load() < int64(b.chats); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			return nil, nil, fmt.Errorf("only %d of %d chats were taken", accepted.Load(), b.chats)
		}
	}
	return sides, consoles, nil
}

func read(ctx context.Context, s *sock, led *ledger, also func(f frame, chat string)) {
	for {
		_, raw, err := s.ws.Read(ctx)
		if err != nil {
			return
		}
		var f frame
		if json.Unmarshal(raw, &f) != nil {
			led.errs.Add(1)
			continue
		}
		switch f.Type {
		case "ack":
			led.acknowledged(f.ID, f.Seq)
		case "message":
			led.delivered(f.ID)
		case "error":
			led.errs.Add(1)
		}
		also(f, strings.Trim(string(f.Chat), `"`))
	}
}

// load sends until the end: closed loop, or open loop at a rate shared by all sides.
func (b *bench) load(ctx context.Context, sides []*side, led *ledger, end time.Time) {
	var wg sync.WaitGroup
	for i, s := range sides {
		wg.Go(func() {
			pause := time.Duration(0)
			next := time.Now()
			if b.rate > 0 {
				pause = time.Duration(float64(len(sides)) / b.rate * float64(time.Second))
				next = next.Add(pause * time.Duration(i) / time.Duration(len(sides)))
			}
			for {
				if pause > 0 {
					time.Sleep(time.Until(next))
				}
				if time.Now().After(end) {
					return
				}
				id := uuid.NewString()
				at := time.Now()
				if pause > 0 {
					at = next // an open loop counts from when it should have been sent
					next = next.Add(pause)
				}
				led.begin(id, s.chat, at)
				f := map[string]any{"type": "send", "id": id, "body": "The backup of our office server does not get past 47 %."}
				if s.token == "" {
					f["chat"] = s.chat
				}
				if s.sock.write(ctx, f) != nil {
					led.errs.Add(1)
					return
				}
				if pause == 0 {
					select {
					case <-s.acks:
					case <-time.After(10 * time.Second):
						led.errs.Add(1)
						return
					}
				}
			}
		})
	}
	wg.Wait()
}
