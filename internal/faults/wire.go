package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"time"

	"github.com/coder/websocket"
)

const (
	password    = "a long password"
	answerIn    = 4 * time.Second // then a client tries another server, as the product's own do
	dialIn      = 3 * time.Second
	requestIn   = 12 * time.Second
	maxReadSize = 1 << 22
)

// A frame is what servers send, as far as it matters here.
type frame struct {
	Type string `json:"type"`
	ID   string `json:"id"`
	Seq  int64  `json:"seq"`
	Code string `json:"code"`
	Body string `json:"body"`
	From struct{ Kind string }
	Chat json.RawMessage `json:"chat"`
	Me   struct{ ID string }
	List []chatView `json:"queue"`
	Mine []chatView `json:"chats"`
}

type chatView struct {
	ID       string               `json:"id"`
	State    string               `json:"state"`
	Seq      int64                `json:"seq"`
	Champion *struct{ ID string } `json:"champion"`
}

// about is the chat that a console's frame is about; of a whole chat, the chat.
func (f *frame) about() chatView {
	var v chatView
	if json.Unmarshal(f.Chat, &v.ID) != nil {
		_ = json.Unmarshal(f.Chat, &v) // a chat without an id is none
	}
	return v
}

// A wire is one socket.
type wire struct{ ws *websocket.Conn }

func (w *world) dial(ctx context.Context, n int, path, cookie string) (*wire, error) {
	ctx, cancel := context.WithTimeout(ctx, dialIn)
	defer cancel()
	d := w.nodes[n%len(w.nodes)]
	ws, _, err := websocket.Dial(ctx, "ws://"+d.clients.addr()+path, &websocket.DialOptions{
		Subprotocols: []string{"chatnow.v1"}, HTTPHeader: http.Header{"Cookie": {cookie}}})
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(maxReadSize)
	return &wire{ws}, nil
}

func (s *wire) send(ctx context.Context, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	return s.ws.Write(ctx, websocket.MessageText, raw)
}

func (s *wire) read(ctx context.Context) (frame, error) {
	var f frame
	_, raw, err := s.ws.Read(ctx)
	if err != nil {
		return f, err
	}
	return f, json.Unmarshal(raw, &f)
}

func (s *wire) close() { _ = s.ws.CloseNow() }

// credentials of a request: a cookie, a token, a key.
type credentials struct{ cookie, token, key string }

// ask makes one request of a server by its relay, or past it.
func (w *world) ask(ctx context.Context, n int, method, path string, c credentials, in, out any) (int, []*http.Cookie, error) {
	ctx, cancel := context.WithTimeout(ctx, requestIn)
	defer cancel()
	var raw []byte
	if in != nil {
		var err error
		if raw, err = json.Marshal(in); err != nil {
			return 0, nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+w.nodes[n%len(w.nodes)].clients.addr()+path, bytes.NewReader(raw))
	if err != nil {
		return 0, nil, err
	}
	req.Close = true // a line that was cut must not be used again
	req.Header.Set("Content-Type", "application/json")
	for name, v := range map[string]string{"Cookie": c.cookie, "Idempotency-Key": c.key} {
		if v != "" {
			req.Header.Set(name, v)
		}
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, nil, err
	}
	if res.StatusCode < 300 && out != nil {
		if err := json.Unmarshal(body, out); err != nil {
			return 0, nil, fmt.Errorf("%s %s: %w", method, path, err)
		}
	}
	return res.StatusCode, res.Cookies(), nil
}

// signIn gives a cookie; it tries every server until ctx ends.
func (w *world) signIn(ctx context.Context, email string) (string, error) {
	for n := 0; ; n++ {
		code, cookies, err := w.ask(ctx, n, http.MethodPost, "/api/v1/session", credentials{}, map[string]string{"email": email, "password": password}, nil)
		if err == nil && code == http.StatusOK && len(cookies) > 0 {
			return cookies[0].Name + "=" + cookies[0].Value, nil
		}
		if err == nil && code < 500 {
			return "", fmt.Errorf("sign in of %s: %d", email, code)
		}
		if !wait(ctx, 200*time.Millisecond) {
			return "", ctx.Err()
		}
	}
}

// alwaysOpen writes a calendar without a closed hour, as an administrator would, and lets the chats of
// a champion who is gone go on soon.
func (w *world) alwaysOpen(ctx context.Context, cookie string) error {
	var doc map[string]any
	code, _, err := w.ask(ctx, 0, http.MethodGet, "/api/v1/settings", credentials{cookie: cookie}, nil, &doc)
	if err != nil || code != http.StatusOK {
		return fmt.Errorf("read the settings: %d %w", code, err)
	}
	if inner, is := doc["settings"].(map[string]any); is {
		doc = inner
	}
	all := map[string]any{}
	for _, d := range []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} {
		all[d] = [][2]string{{"00:00", "24:00"}}
	}
	doc["hours"] = all
	if policy, is := doc["policy"].(map[string]any); is {
		policy["champion_gone_after"], policy["unstaffed_missed_after"] = "5s", "1h"
	}
	code, _, err = w.ask(ctx, 0, http.MethodPut, "/api/v1/settings", credentials{cookie: cookie}, doc, nil)
	if err != nil || code >= 300 {
		return fmt.Errorf("write the settings: %d %w", code, err)
	}
	return nil
}

// runWith runs a program to its end with in as its standard input.
func runWith(ctx context.Context, in *os.File, path string, args ...string) error {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin = in
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", path, err, out)
	}
	return nil
}
