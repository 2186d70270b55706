package cluster

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"go.uber.org/goleak"

	"chatnow/internal/pgtest"
	"chatnow/internal/postgres"
)

// The private server of the tests lives as long as the process; all else has to end.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("os/exec.(*Cmd).Start.func2"), goleak.IgnoreAnyFunction("os/exec.(*Cmd).Wait"))
}

func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("it never came: %s", what)
}

// ear remembers what a subscriber is told.
type ear struct {
	mu    sync.Mutex
	hints []Hint
	lost  int
}

func (e *ear) on(b Bus, topic string) *ear {
	b.Subscribe(topic, func(h Hint) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.hints = append(e.hints, h)
	}, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.lost++
	})
	return e
}

func (e *ear) keys() (keys []string, lost int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, h := range e.hints {
		keys = append(keys, h.Key)
	}
	return keys, e.lost
}

func (e *ear) heard(key string) bool {
	keys, _ := e.keys()
	return slices.Contains(keys, key)
}

type node struct {
	*Shared
	stop func() // an orderly end
}

// start runs a bus on the database until the test ends or stop is called.
func start(t *testing.T, db *sqlx.DB, dsn string) node {
	t.Helper()
	p, err := NewPostgres(db, dsn, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return run(t, p)
}

// run lets a bus live until the test ends or stop is called.
func run(t *testing.T, p *Shared) node {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	var once sync.Once
	stop := func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("run: %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return node{p, stop}
}

func database(t *testing.T) (*sqlx.DB, string) {
	dsn := pgtest.URL(t)
	db, err := postgres.Open(t.Context(), dsn, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db, dsn
}

// pair starts two nodes that know of each other.
func pair(t *testing.T) (a, b node, db *sqlx.DB) {
	db, dsn := database(t)
	a, b = start(t, db, dsn), start(t, db, dsn)
	meet(t, a, b)
	return a, b, db
}

// meet waits until hints flow both ways.
func meet(t *testing.T, a, b node) {
	t.Helper()
	ofA, ofB := new(ear).on(a, "meet"), new(ear).on(b, "meet")
	eventually(t, "two nodes that hear each other", func() bool {
		a.Publish(t.Context(), Hint{Topic: "meet", Key: a.Node()})
		b.Publish(t.Context(), Hint{Topic: "meet", Key: b.Node()})
		return ofA.heard(b.Node()) && ofB.heard(a.Node())
	})
}

func TestASlowSubscriberHoldsUpNobody(t *testing.T) {
	l := NewLocal()
	gate := make(chan struct{})
	var lost atomic.Int64
	l.Subscribe("slow", func(Hint) { <-gate }, func() { lost.Add(1) })
	quick := new(ear).on(l, "quick")
	for i := range 3 * maxQueued {
		l.Publish(t.Context(), Hint{Topic: "slow", Key: fmt.Sprint(i)})
	}
	l.Publish(t.Context(), Hint{Topic: "quick", Key: "q"})
	eventually(t, "the hint of another topic", func() bool { return quick.heard("q") })
	close(gate)
	eventually(t, "that hints were lost", func() bool { return lost.Load() > 0 })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Run(ctx); err != nil { // waits for the subscribers
		t.Fatal(err)
	}
}

func TestHintsArriveOnceAndInOrder(t *testing.T) {
	a, b, _ := pair(t)
	own, other := new(ear).on(a, "chat"), new(ear).on(b, "chat")
	var want []string
	for i := range 3000 {
		want = append(want, fmt.Sprint(i))
		a.Publish(t.Context(), Hint{Topic: "chat", Key: want[i], Body: []byte("m")})
		if i%100 == 0 {
			eventually(t, "room", func() bool { a.Shared.mu.Lock(); defer a.Shared.mu.Unlock(); return len(a.waiting) < 2000 })
		}
	}
	for who, e := range map[string]*ear{"own": own, "other": other} {
		eventually(t, "the last hint", func() bool { return e.heard("2999") })
		if keys, lost := e.keys(); !slices.Equal(keys, want) || lost > 0 {
			t.Errorf("%s: %d hints, lost %d times", who, len(keys), lost)
		}
	}
	if !own.hints[0].Local || other.hints[0].Local || string(other.hints[0].Body) != "m" {
		t.Errorf("own %+v, other %+v", own.hints[0], other.hints[0])
	}
}

func TestLargeBodiesStayBehind(t *testing.T) {
	a, b, _ := pair(t)
	other := new(ear).on(b, "chat")
	small := bytes.Repeat([]byte("s"), 3000)
	a.Publish(t.Context(), Hint{Topic: "chat", Key: "large", Body: bytes.Repeat([]byte("x"), 6000)},
		Hint{Topic: "chat", Key: "1", Body: small}, Hint{Topic: "chat", Key: "2", Body: small}, Hint{Topic: "chat", Key: "3", Body: small})
	eventually(t, "the last hint", func() bool { return other.heard("3") })
	if keys, lost := other.keys(); !slices.Equal(keys, []string{"large", "1", "2", "3"}) || lost > 0 || len(other.hints[0].Body) != 0 || !bytes.Equal(other.hints[3].Body, small) {
		t.Errorf("%v, lost %d times", keys, lost)
	}
	a.Publish(t.Context(), Hint{Topic: "chat", Key: strings.Repeat("k", 9000)}, Hint{Topic: "chat", Key: "after"})
	eventually(t, "the hint after one that cannot be told", func() bool { return other.heard("after") })
	if _, lost := other.keys(); lost == 0 {
		t.Error("a hint was left out and nobody was told")
	}
}

func TestEnvelopesFit(t *testing.T) {
	node := NewLocal().Node()
	for _, n := range []int{1, 50, 500} {
		var hints []Hint
		for i := range n {
			hints = append(hints, Hint{Topic: "chat", Key: fmt.Sprint(i), Body: bytes.Repeat([]byte{0xff}, i*13%7000)})
		}
		payloads, last := pack(node, 41, hints)
		if int(last) != 41+len(payloads) {
			t.Errorf("%d envelopes end with number %d", len(payloads), last)
		}
		for _, p := range payloads {
			if len(p) > maxPayload {
				t.Errorf("%d bytes", len(p))
			}
		}
	}
}

func TestABrokenConnectionIsToldAndMended(t *testing.T) {
	a, b, db := pair(t)
	other := new(ear).on(b, "chat")
	var cut int
	if err := db.Get(&cut, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()`); err != nil || cut < 2 {
		t.Fatalf("cut %d connections, %v", cut, err)
	}
	eventually(t, "that hints were lost", func() bool { _, lost := other.keys(); return lost > 0 })
	eventually(t, "hints after the break", func() bool {
		a.Publish(t.Context(), Hint{Topic: "chat", Key: "again"})
		return other.heard("again")
	})
}

func TestWhatIsPublishedDuringABreakIsNotForgotten(t *testing.T) {
	a, b, db := pair(t)
	other := new(ear).on(b, "chat")
	// The sender's connection alone breaks; the listeners stay.
	if _, err := db.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database() AND query NOT LIKE 'LISTEN%'`); err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		a.Publish(t.Context(), Hint{Topic: "chat", Key: fmt.Sprint(i)})
	}
	eventually(t, "the last hint", func() bool { return other.heard("49") })
	keys, _ := other.keys()
	for i := range 50 {
		if !slices.Contains(keys, fmt.Sprint(i)) {
			t.Errorf("hint %d is missing", i)
		}
	}
}

// A NOTIFY costs the database dear, so a node that is alone sends none.
func TestANodeThatIsAloneIsSilent(t *testing.T) {
	db, dsn := database(t)
	a := start(t, db, dsn)
	eventually(t, "to be alone", a.Alone)
	dsn, err := postgres.Address(dsn)
	if err != nil {
		t.Fatal(err)
	}
	l := pq.NewListener(dsn, time.Second, time.Second, nil)
	defer func() {
		_ = l.Close()
		for range l.Notify {
		}
	}()
	if err := l.Listen(channel); err != nil {
		t.Fatal(err)
	}
	own := new(ear).on(a, "chat")
	a.Publish(t.Context(), Hint{Topic: "chat", Key: "alone"})
	eventually(t, "the hint on the node itself", func() bool { return own.heard("alone") })
	b := start(t, db, dsn) // its hello is the first that is heard
	for n := range l.Notify {
		if n != nil && strings.Contains(n.Extra, "alone") {
			t.Fatalf("a told %s", n.Extra)
		}
		if n != nil && strings.Contains(n.Extra, b.Node()) {
			break
		}
	}
	eventually(t, "company", func() bool { return !a.Alone() && !b.Alone() })
}

func TestANodeThatDiesStopsCounting(t *testing.T) {
	db, dsn := database(t)
	a := start(t, db, dsn)
	var dead string // it never renews
	if err := db.Get(&dead, `INSERT INTO nodes (id, expires_at) VALUES (gen_random_uuid(), now() + interval '3 seconds') RETURNING id`); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other to be counted", func() bool { return a.others.Load() == 1 })
	eventually(t, "the other's lease to run out", a.Alone)
	b := start(t, db, dsn)
	meet(t, a, b)
	b.stop()
	var n int
	if err := db.Get(&n, `SELECT count(*) FROM nodes WHERE id = $1`, b.Node()); err != nil || n != 0 {
		t.Errorf("%d leases of a node that ended, %v", n, err)
	}
	eventually(t, "to be alone after an orderly end", a.Alone)
}

// A node that was frozen beyond its lease was not told things: it reads.
func TestANodeThatThawsReads(t *testing.T) {
	a, b, db := pair(t)
	other := new(ear).on(b, "chat")
	if _, err := db.Exec(`UPDATE nodes SET expires_at = now() - interval '1 second' WHERE id = $1`, b.Node()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "that hints were lost", func() bool { _, lost := other.keys(); return lost > 0 })
	meet(t, a, b)
}

func TestWhatIsPublishedAtTheEndReachesTheOthers(t *testing.T) {
	a, b, _ := pair(t)
	other := new(ear).on(b, "chat")
	a.Publish(t.Context(), Hint{Topic: "chat", Key: "before"})
	a.stop()
	a.Publish(t.Context(), Hint{Topic: "chat", Key: "after"})
	eventually(t, "both hints", func() bool { return other.heard("before") && other.heard("after") })
}
