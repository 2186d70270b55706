package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"chatnow/internal/pgtest"
)

// A wire is a socket of the test's.
type wire struct {
	t  *testing.T
	ws *websocket.Conn
}

func dial(t *testing.T, addr, path, cookie string) *wire {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), "ws://"+addr+path, &websocket.DialOptions{Subprotocols: []string{"chatnow.v1"}, HTTPHeader: http.Header{"Cookie": {cookie}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	return &wire{t, ws}
}

func (w *wire) send(format string, args ...any) {
	w.t.Helper()
	if err := w.ws.Write(w.t.Context(), websocket.MessageText, fmt.Appendf(nil, format, args...)); err != nil {
		w.t.Fatal(err)
	}
}

// until reads frames until one has the type, and gives it.
func (w *wire) until(kind string) map[string]any {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	for {
		_, raw, err := w.ws.Read(ctx)
		if err != nil {
			w.t.Fatalf("waiting for %s: %v", kind, err)
		}
		var f map[string]any
		if err := json.Unmarshal(raw, &f); err != nil {
			w.t.Fatal(err)
		}
		if f["type"] == kind {
			return f
		}
	}
}

func cookieOf(t *testing.T, addr, email string) string {
	t.Helper()
	res, err := http.Post("http://"+addr+"/api/v1/session", "application/json", strings.NewReader(fmt.Sprintf(`{"email":%q,"password":"a long password"}`, email)))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatal(res.Status)
	}
	return res.Cookies()[0].Name + "=" + res.Cookies()[0].Value
}

func status(t *testing.T, method, url, bearer, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(raw)
}

func TestTheWire(t *testing.T) {
	url := pgtest.URL(t)
	s := serve(t, url)
	hours(t, url, true)
	addr := s.cfg.Listen
	api := "http://" + addr + "/api/v1"
	addStaff(t, url, "priya@example.com", "Priya Raman", "champion")
	addStaff(t, url, "jonas@example.com", "Jonas Lindqvist", "champion")
	var consoles []*wire
	for _, email := range []string{"priya@example.com", "jonas@example.com"} {
		c := dial(t, addr, "/ws/console", cookieOf(t, addr, email))
		c.send(`{"type":"hello"}`)
		c.until("welcome")
		c.send(`{"type":"presence","state":"online","capacity":4}`)
		c.until("staff")
		consoles = append(consoles, c)
	}
	onDuty(t, addr)

	t.Run("of two who accept, one has it and the other is told", func(t *testing.T) {
		for range 20 {
			w := begin(t, addr)
			var wg sync.WaitGroup
			won := make([]bool, 2)
			for i, c := range consoles {
				wg.Go(func() {
					c.send(`{"type":"accept","chat":%q}`, w.chat)
					for {
						_, raw, err := c.ws.Read(t.Context())
						if err != nil {
							t.Error(err)
							return
						}
						if strings.Contains(string(raw), w.chat) && strings.HasPrefix(string(raw), `{"type":"error"`) {
							if !strings.Contains(string(raw), `"taken"`) {
								t.Errorf("the loser hears %s", raw)
							}
							return
						}
						if strings.HasPrefix(string(raw), `{"chat":{`) && strings.Contains(string(raw), w.chat) && strings.Contains(string(raw), `"type":"chat"`) {
							won[i] = true
							return
						}
					}
				})
			}
			wg.Wait()
			if won[0] == won[1] {
				t.Fatalf("both or neither have it: %v", won)
			}
		}
	})
	t.Run("who accepts twice has it, and hears it once", func(t *testing.T) {
		w, c := begin(t, addr), consoles[0]
		c.send(`{"type":"accept","chat":%q}`, w.chat)
		c.send(`{"type":"accept","chat":%q}`, w.chat)
		c.send(`{"type":"send","chat":%q,"id":"5e0f4d2c-6a53-4d0c-8c87-0f6f1c2f7a11","body":"Here I am"}`, w.chat)
		heard := 0
		for {
			_, raw, err := c.ws.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var f struct {
				Type, ID string
				Chat     json.RawMessage
				Seq      int64
			}
			if err := json.Unmarshal(raw, &f); err != nil {
				t.Fatal(err)
			}
			if f.Type == "message" && strings.Contains(string(f.Chat), w.chat) && f.Seq == 1 {
				heard++
			}
			if f.Type == "ack" && f.ID == "5e0f4d2c-6a53-4d0c-8c87-0f6f1c2f7a11" {
				break
			}
		}
		if heard != 1 {
			t.Errorf("the first message came %d times", heard)
		}
	})

	t.Run("one id sent many times is one message", func(t *testing.T) {
		w := begin(t, addr)
		c := dial(t, addr, "/ws/chat", "")
		c.send(`{"type":"hello","token":%q}`, w.token)
		c.until("welcome")
		for range 50 {
			c.send(`{"type":"send","id":"same","body":"once"}`)
		}
		for range 50 {
			if f := c.until("ack"); f["seq"] != float64(2) {
				t.Fatalf("%v", f)
			}
		}
		c.send(`{"type":"send","id":"same","body":"something else"}`)
		if f := c.until("error"); f["code"] != "id_reused" {
			t.Fatalf("%v", f)
		}
		c.send(`{"type":"dance"}`)
		c.until("error")
		c.send(`{"type":"end"}`)
		c.until("chat")
		c.send(`{"type":"send","id":"late","body":"too late"}`)
		if f := c.until("error"); f["code"] != "ended" {
			t.Fatalf("%v", f)
		}
	})
	t.Run("foreign and unknown answer alike", func(t *testing.T) {
		a, b := begin(t, addr), begin(t, addr)
		foreign, foreignBody := status(t, "GET", api+"/chats/"+a.chat, b.token, "")
		unknown, unknownBody := status(t, "GET", api+"/chats/00000000-0000-4000-8000-000000000000", b.token, "")
		if foreign != 404 || unknown != 404 || foreignBody != unknownBody {
			t.Fatalf("%d %s and %d %s", foreign, foreignBody, unknown, unknownBody)
		}
		for _, path := range []string{"/chats", "/tickets", "/settings", "/staff", "/outbox", "/chats/" + a.chat + "/context"} {
			if got, _ := status(t, "GET", api+path, a.token, ""); got != 401 {
				t.Errorf("a customer's token reads %s: %d", path, got)
			}
		}
	})
	t.Run("a ticket of a chat, twice", func(t *testing.T) {
		w := begin(t, addr)
		body := `{"subject":"Backup","priority":"high","diagnostics":{"devices":["948688015614210048"]}}`
		first, one := status(t, "POST", api+"/chats/"+w.chat+"/ticket", w.token, body)
		second, two := status(t, "POST", api+"/chats/"+w.chat+"/ticket", w.token, body)
		if first != 201 || second != 200 || one != two {
			t.Fatalf("%d, %d\n%s\n%s", first, second, one, two)
		}
		wrong, said := status(t, "POST", api+"/chats/"+begin(t, addr).chat+"/ticket", w.token, body)
		if wrong != 404 {
			t.Fatalf("another's chat: %d %s", wrong, said)
		}
	})
	t.Run("too large, and upgrades elsewhere", func(t *testing.T) {
		w := begin(t, addr)
		c := dial(t, addr, "/ws/chat", "")
		c.send(`{"type":"hello","token":%q,"after":99}`, w.token)
		if f := c.until("welcome"); f["seq"] != float64(1) {
			t.Fatalf("%v", f)
		}
		c.send(`{"type":"send","id":"big","body":%q}`, strings.Repeat("x", 70_000))
		for {
			if _, _, err := c.ws.Read(t.Context()); err != nil {
				if websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
					t.Fatalf("closed with %v", err)
				}
				break
			}
		}
		for _, path := range []string{"/", "/console", "/api/v1/settings", "/api/v1/tickets", "/widget.js"} {
			_, res, err := websocket.Dial(t.Context(), "ws://"+addr+path, nil)
			if err == nil || res == nil || res.StatusCode != http.StatusBadRequest {
				t.Errorf("an upgrade at %s: %v", path, err)
			}
		}
	})
	t.Run("closed is closed everywhere", func(t *testing.T) {
		hours(t, url, false)
		got, body := status(t, "POST", api+"/chats", "", `{"name":"I","email":"i@example.com","question":"q"}`)
		if got != 409 || !strings.Contains(body, `"outside_hours"`) || !strings.Contains(body, `"opens_at":"`) || !strings.Contains(body, `"ticket_url"`) {
			t.Fatalf("%d %s", got, body)
		}
		if got, body := status(t, "POST", api+"/chats", "", `{"name":"","email":"x","nonsense":1}`); got != 422 || !strings.Contains(body, "nonsense") {
			t.Fatalf("%d %s", got, body)
		}
	})
}
