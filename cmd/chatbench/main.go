// Command chatbench drives the real protocol against a running server on this
// machine: so many chats at once, a customer and a champion in each, both
// directions. It prints durable delivered messages a second and the latencies, and
// checks afterwards that everything acknowledged can be read back once and in
// order; if not, it fails.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"
)

var (
	base     = flag.String("url", "http://127.0.0.1:8080", "server, with CHATNOW_RATE_LIMITS=off, open and on loopback")
	email    = flag.String("email", "", "a champion's e-mail address")
	password = flag.String("password", "", "the champion's password")
	chats    = flag.Int("chats", 64, "chats at once, up to 256")
	rate     = flag.Float64("rate", 0, "messages a second in all (open loop); 0: each side sends as soon as it has its ack (closed loop)")
	length   = flag.Duration("for", 10*time.Second, "how long, up to 10 minutes")
)

func main() {
	if err := command(); err != nil {
		fmt.Fprintln(os.Stderr, "chatbench:", err)
		os.Exit(1)
	}
}

func command() error {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "faults":
			return breakThings(os.Args[2:])
		case "nats":
			return serveNATS(os.Args[2:])
		}
	}
	flag.Parse()
	return run()
}

// A side is one end of one chat.
type side struct {
	chat  string
	token string // of the customer; empty for the champion
	sock  *sock
	acks  chan struct{}
}

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

type sock struct {
	ws *websocket.Conn
	mu sync.Mutex
}

func (s *sock) write(ctx context.Context, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ws.Write(ctx, websocket.MessageText, raw)
}

type frame struct {
	Type string          `json:"type"`
	ID   string          `json:"id"`
	Seq  int64           `json:"seq"`
	Chat json.RawMessage `json:"chat"`
	Code string          `json:"code"`
}

func dial(ctx context.Context, path string, header http.Header) (*sock, error) {
	ws, _, err := websocket.Dial(ctx, strings.Replace(*base, "http", "ws", 1)+path, &websocket.DialOptions{Subprotocols: []string{"chatnow.v1"}, HTTPHeader: header})
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(1 << 22)
	return &sock{ws: ws}, nil
}

func post(path string, cookie string, in, out any) (*http.Response, error) {
	raw, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequest(http.MethodPost, *base+path, bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if cookie != "" {
		req.Header.Set("Cookie", cookie)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		return res, fmt.Errorf("%s answers %s", path, res.Status)
	}
	return res, json.NewDecoder(res.Body).Decode(out)
}

func run() error {
	if *chats < 1 || *chats > 256 || *length > 10*time.Minute || !strings.Contains(*base, "//127.0.0.1") && !strings.Contains(*base, "//localhost") {
		return errors.New("1 to 256 chats, up to 10 minutes, on loopback only")
	}
	ctx, cancel := context.WithTimeout(context.Background(), *length+time.Minute)
	defer cancel()
	res, err := post("/api/v1/session", "", map[string]string{"email": *email, "password": *password}, &struct{}{})
	if err != nil {
		return err
	}
	cookie := res.Cookies()[0].Name + "=" + res.Cookies()[0].Value
	led := &ledger{sent: map[string]time.Time{}, acked: map[string]int64{}, chatOf: map[string]string{}}
	sides, consoles, err := begin(ctx, cookie, led)
	if err != nil {
		return err
	}
	defer func() {
		for _, s := range append(consoles, socks(sides)...) {
			_ = s.ws.CloseNow()
		}
	}()
	start := time.Now()
	load(ctx, sides, led, start.Add(*length))
	took := time.Since(start)
	time.Sleep(500 * time.Millisecond) // the last deliveries are on their way; the clock has stopped
	report(led, took)
	return verify(sides, led)
}

func socks(sides []*side) []*sock {
	var out []*sock
	for _, s := range sides {
		out = append(out, s.sock)
	}
	return out
}

// begin opens the chats and takes them all, over one console socket for each 32 chats.
func begin(ctx context.Context, cookie string, led *ledger) ([]*side, []*sock, error) {
	var sides []*side
	var consoles []*sock
	byChat := &sync.Map{}
	var accepted atomic.Int64
	origin := http.Header{"Cookie": {cookie}, "Origin": {*base}}
	console, err := dial(ctx, "/ws/console", origin)
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
	for i := range *chats {
		var made struct {
			Chat  struct{ ID string } `json:"chat"`
			Token string              `json:"token"`
		}
		if _, err := post("/api/v1/chats", "", map[string]string{"name": fmt.Sprintf("Load %d", i), "email": fmt.Sprintf("load%d@example.com", i), "question": "load"}, &made); err != nil {
			return nil, nil, err
		}
		ws, err := dial(ctx, "/ws/chat", nil)
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
	for end := time.Now().Add(20 * time.Second); accepted.Load() < int64(*chats); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			return nil, nil, fmt.Errorf("only %d of %d chats were taken", accepted.Load(), *chats)
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
func load(ctx context.Context, sides []*side, led *ledger, end time.Time) {
	var wg sync.WaitGroup
	for i, s := range sides {
		wg.Go(func() {
			pause := time.Duration(0)
			next := time.Now()
			if *rate > 0 {
				pause = time.Duration(float64(len(sides)) / *rate * float64(time.Second))
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

func report(led *ledger, took time.Duration) {
	led.mu.Lock()
	defer led.mu.Unlock()
	show := func(name string, d []time.Duration) {
		slices.Sort(d)
		if len(d) == 0 {
			return
		}
		at := func(q float64) string {
			return fmt.Sprintf("%.1f", float64(d[min(len(d)-1, int(q*float64(len(d))))].Microseconds())/1000)
		}
		fmt.Printf("%-9s p50 %s  p95 %s  p99 %s  max %s ms\n", name, at(0.50), at(0.95), at(0.99), at(1))
	}
	fmt.Printf("%d chats, %s: %d acknowledged, %.0f durable delivered messages/s, %d errors\n", *chats, took.Round(time.Millisecond), len(led.acked), float64(len(led.deliver))/took.Seconds(), led.errs.Load())
	show("ack", led.ack)
	show("delivery", led.deliver)
}

// verify reads every chat back: what was acknowledged is there once, under its number, without a hole.
func verify(sides []*side, led *ledger) error {
	led.mu.Lock()
	defer led.mu.Unlock()
	seen := map[string]int64{}
	for _, s := range sides {
		if s.token == "" {
			continue
		}
		for after := int64(0); ; {
			req, err := http.NewRequest(http.MethodGet, fmt.Sprintf("%s/api/v1/chats/%s/messages?after=%d&limit=100", *base, s.chat, after), nil)
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
	fmt.Printf("verified: all %d acknowledged messages are there once and in order\n", len(led.acked))
	return nil
}
