package e2e

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"chatnow/internal/postgres"
)

// A backup is made while messages flow, and a new server is made of it: what had been acknowledged before is there, once
// and in order; no chat has a hole; files are the same bytes. A file that is damaged, or a place that is not empty, is
// refused before anything is touched.
func TestABackupUnderLoadMakesANewServer(t *testing.T) {
	dir := reachable(t)
	bin := build(t)
	old := &program{t: t, bin: bin, addr: freeAddress(t), data: filepath.Join(dir, "old"), stderr: filepath.Join(dir, "log")}
	old.start()
	defer func() { old.kill() }()
	url := databaseOf(t, old)
	hours(t, url, true)
	addStaff(t, url, "priya@example.com", "Priya Raman", "admin")
	onDuty(t, old.addr)
	cookie := cookieOf(t, old.addr, "priya@example.com")
	customer := newReader(t, "http://"+old.addr)
	content := strings.Repeat("os.name=Windows\n", 5000)
	_, said := customer.sendFile("service.log", content)
	upload := idOf(t, said)

	load := func(n int) (ws []*writer, stop func()) {
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range n {
			w := begin(t, old.addr)
			ws = append(ws, w)
			wg.Go(func() { w.run(ctx) })
		}
		return ws, func() { cancel(); wg.Wait() }
	}
	before, stop := load(3)
	counter := open(t, url)
	count := func() (n int) {
		if err := counter.Get(&n, `SELECT count(*) FROM messages`); err != nil {
			t.Fatal(err)
		}
		return n
	}
	eventually(t, "load", func() bool { return count() > 200 })
	stop()
	during, stop := load(3)
	eventually(t, "more load", func() bool { return count() > 400 })
	file := filepath.Join(dir, "chatnow.backup")
	command := func(data string, args ...string) (string, error) {
		cmd := exec.Command(bin, append(args, "--data", data)...)
		cmd.Env = append(os.Environ(), "DATABASE_URL=")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if said, err := command(old.data, "backup", file); err != nil || !strings.Contains(said, "1 uploads") {
		t.Fatalf("backup: %v %s", err, said)
	}
	stop()
	if said, err := command(old.data, "backup", file); err == nil || !strings.Contains(said, "is there already") {
		t.Errorf("a second backup overwrites the first: %s", said)
	}
	if said, err := command(old.data, "restore", file); err == nil || !strings.Contains(said, "a server runs on this data") {
		t.Errorf("restored over a running server: %s", said)
	}

	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, bytes := range map[string][]byte{"cut": raw[:len(raw)/2], "flipped": flip(raw)} {
		bad := filepath.Join(dir, name)
		if err := os.WriteFile(bad, bytes, 0o600); err != nil {
			t.Fatal(err)
		}
		data := filepath.Join(dir, "of-"+name)
		if said, err := command(data, "restore", bad); err == nil {
			t.Errorf("a %s backup is taken: %s", name, said)
		}
		if _, err := os.Stat(data); err == nil {
			t.Errorf("a %s backup leaves a data folder", name)
		}
	}

	fresh := &program{t: t, bin: bin, addr: freeAddress(t), data: filepath.Join(dir, "fresh"), stderr: filepath.Join(dir, "fresh-log")}
	if said, err := command(fresh.data, "restore", file); err != nil || !strings.Contains(said, "Restored as of") {
		t.Fatalf("restore: %v %s", err, said)
	}
	if said, err := command(fresh.data, "restore", file); err == nil || !strings.Contains(said, "is not empty") {
		t.Errorf("restored twice: %s", said)
	}
	fresh.start()
	defer func() { fresh.kill() }()
	db := open(t, databaseOf(t, fresh))
	acked := 0
	for i, w := range append(before, during...) {
		var rows []struct {
			Seq int64  `db:"seq"`
			ID  string `db:"id"`
		}
		if err := db.Select(&rows, `SELECT seq, id FROM messages WHERE chat_id = $1 ORDER BY seq`, w.chat); err != nil {
			t.Fatal(err)
		}
		found := map[string]int64{}
		for n, r := range rows {
			if r.Seq != int64(n+1) {
				t.Fatalf("chat %s has a hole before %d", w.chat, r.Seq)
			}
			found[r.ID] = r.Seq
		}
		for id, seq := range w.acked {
			if at := found[id]; at != seq && (i < len(before) || at != 0) {
				t.Fatalf("%s was acknowledged as %d before the backup and is found as %d", id, seq, at)
			}
			acked++
		}
	}
	if acked < 400 {
		t.Errorf("only %d messages were acknowledged", acked)
	}
	if got, said := ask(t, http.MethodGet, "http://"+fresh.addr+"/api/v1/uploads/"+upload, "", "Cookie", cookie); got != 200 || said != content {
		t.Errorf("the upload: %d, %d bytes of %d", got, len(said), len(content))
	}
}

// flip changes one bit in the middle.
func flip(b []byte) []byte {
	out := append([]byte{}, b...)
	out[len(out)/2] ^= 1
	return out
}

func databaseOf(t *testing.T, p *program) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(p.data, "database.url"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(raw))
}

func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !f(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func open(t *testing.T, url string) *sqlx.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), url, postgres.Options{MaxConns: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}
