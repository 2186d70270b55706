package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/uuid"

	"chatnow/internal/postgres"
)

// A program is the real binary with its private PostgreSQL, which can be killed.
type program struct {
	t            *testing.T
	bin, addr    string
	data, stderr string
	cmd          *exec.Cmd
}

func (p *program) start() {
	out, err := os.OpenFile(p.stderr, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer out.Close()
	p.cmd = exec.Command(p.bin, "serve", "--listen", p.addr, "--data", p.data, "--rate-limits", "off")
	p.cmd.Stdout, p.cmd.Stderr = out, out
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		res, err := http.Get("http://" + p.addr + "/readyz")
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(end) {
			said, _ := os.ReadFile(p.stderr)
			p.t.Fatalf("not ready within 30 s: %s", said)
		}
	}
}

func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

func build(t *testing.T) string {
	bin := filepath.Join(t.TempDir(), "chatnow")
	if out, err := exec.Command("go", "build", "-o", bin, "chatnow/cmd/chatnow").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

// reachable makes a folder that PostgreSQL's own account can enter: a test's folder is closed to others.
func reachable(t *testing.T) string {
	dir, err := os.MkdirTemp("", "chatnow-kill-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// The server is killed twenty times in mid-load, its PostgreSQL with it. Every acknowledged message is
// there afterwards, once, under the number that was acknowledged, and no chat has a hole.
func TestKilledTwentyTimesInMidLoad(t *testing.T) {
	const kills, writers = 20, 8
	dir := reachable(t)
	p := &program{t: t, bin: build(t), addr: freeAddress(t), data: filepath.Join(dir, "data"), stderr: filepath.Join(dir, "log")}
	p.start()
	defer func() { p.kill() }()
	raw, err := os.ReadFile(filepath.Join(p.data, "database.url"))
	if err != nil {
		t.Fatal(err)
	}
	url := strings.TrimSpace(string(raw))
	hours(t, url, true)
	addStaff(t, url, "priya@example.com", "Priya Raman", "champion")
	onDuty(t, p.addr)

	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var ws []*writer
	for range writers {
		w := begin(t, p.addr)
		ws = append(ws, w)
		wg.Go(func() { w.run(ctx) })
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	for range kills {
		time.Sleep(time.Duration(100+random.IntN(400)) * time.Millisecond) // the load runs; the moment is random
		p.kill()
		p.start()
	}
	stop()
	wg.Wait()
	db, err := postgres.Open(t.Context(), url, postgres.Options{MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	acked := 0
	for _, w := range ws {
		acked += len(w.acked)
		var rows []struct {
			Seq int64  `db:"seq"`
			ID  string `db:"id"`
		}
		if err := db.Select(&rows, `SELECT seq, id FROM messages WHERE chat_id = $1 ORDER BY seq`, w.chat); err != nil {
			t.Fatal(err)
		}
		found := map[string]int64{}
		for i, r := range rows {
			if r.Seq != int64(i+1) {
				t.Fatalf("chat %s has a hole before %d", w.chat, r.Seq)
			}
			found[r.ID] = r.Seq
		}
		last := int64(0)
		for _, id := range w.order {
			seq, ok := w.acked[id]
			if !ok {
				continue
			}
			if found[id] != seq || seq <= last {
				t.Fatalf("chat %s: %s was acknowledged as %d and stands at %d, after %d", w.chat, id, seq, found[id], last)
			}
			last = seq
		}
	}
	if acked < kills {
		t.Fatalf("only %d messages were acknowledged: there was no load", acked)
	}
	t.Logf("%d acknowledged messages over %d kills: all there, once, in order", acked, kills)
}

// onDuty makes a champion available for a moment, so that chats may begin.
func onDuty(t *testing.T, addr string) {
	res, err := http.Post("http://"+addr+"/api/v1/session", "application/json", strings.NewReader(`{"email":"priya@example.com","password":"a long password"}`))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("sign in: %s", res.Status)
	}
	ws, _, err := websocket.Dial(t.Context(), "ws://"+addr+"/ws/console", &websocket.DialOptions{
		Subprotocols: []string{"chatnow.v1"}, HTTPHeader: http.Header{"Cookie": {res.Cookies()[0].Name + "=" + res.Cookies()[0].Value}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	for _, f := range []string{`{"type":"hello"}`, `{"type":"presence","state":"online","capacity":4}`} {
		if err := ws.Write(t.Context(), websocket.MessageText, []byte(f)); err != nil {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		res, err := http.Get("http://" + addr + "/api/v1/availability")
		if err != nil {
			t.Fatal(err)
		}
		var a struct{ Chat string }
		err = json.NewDecoder(res.Body).Decode(&a)
		_ = res.Body.Close()
		if err == nil && (a.Chat == "available" || a.Chat == "busy") {
			return
		}
	}
	t.Fatal("nobody is on duty")
}

// A writer is a customer who sends one message after another, and sends again what was not acknowledged.
type writer struct {
	addr, chat, token string
	order             []string
	acked             map[string]int64
}

func begin(t *testing.T, addr string) *writer {
	res, err := http.Post("http://"+addr+"/api/v1/chats", "application/json", strings.NewReader(`{"name":"Ines","email":"ines@example.com","question":"load"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var made struct {
		Chat  struct{ ID string }
		Token string
	}
	if err := json.NewDecoder(res.Body).Decode(&made); err != nil || made.Token == "" {
		t.Fatalf("begin a chat: %s %v", res.Status, err)
	}
	return &writer{addr: addr, chat: made.Chat.ID, token: made.Token, acked: map[string]int64{}}
}

func (w *writer) run(ctx context.Context) {
	id := uuid.NewString()
	for ctx.Err() == nil {
		w.session(ctx, &id)
		select { // the server is on its way back
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// session sends over one connection until it breaks; id is the message that is not acknowledged yet.
func (w *writer) session(ctx context.Context, id *string) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, "ws://"+w.addr+"/ws/chat", &websocket.DialOptions{Subprotocols: []string{"chatnow.v1"}})
	if err != nil {
		return
	}
	defer ws.CloseNow()
	if ws.Write(ctx, websocket.MessageText, fmt.Appendf(nil, `{"type":"hello","token":%q,"after":1000000}`, w.token)) != nil {
		return
	}
	for {
		if n := len(w.order); n == 0 || w.order[n-1] != *id {
			w.order = append(w.order, *id)
		}
		if ws.Write(ctx, websocket.MessageText, fmt.Appendf(nil, `{"type":"send","id":%q,"body":"message %d"}`, *id, len(w.order))) != nil {
			return
		}
		for acked := false; !acked; {
			_, raw, err := ws.Read(ctx)
			if err != nil {
				return
			}
			var f struct {
				Type, ID string
				Seq      int64
			}
			if json.Unmarshal(raw, &f) != nil || f.Type == "error" {
				return
			}
			if f.Type == "ack" && f.ID == *id {
				w.acked[*id] = f.Seq
				*id, acked = uuid.NewString(), true
			}
		}
	}
}
