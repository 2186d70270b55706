package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"chatnow/internal/pgtest"
	"chatnow/internal/postgres"
)

func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("it never came: %s", what)
}

func rules() Rules {
	return Rules{Product: "CrashPlan for Small Business", RetryFirst: 50 * time.Millisecond}
}

// sender makes one whose links begin with https://help.test.
func sender(t *testing.T, db *sqlx.DB, smtpURL string) *Sender {
	t.Helper()
	o := New(db, time.Now)
	o.Rules = rules
	s, err := NewSender(o, Config{SMTPURL: smtpURL, BaseURL: parsed(t, "https://help.test"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func run(t *testing.T, s *Sender) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("run: %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

func queue(t *testing.T, o *Outbox, ms ...Message) {
	t.Helper()
	for _, m := range ms {
		if err := postgres.InTx(t.Context(), o.db, func(tx *sqlx.Tx) error { return o.Queue(t.Context(), tx, m) }); err != nil {
			t.Fatal(err)
		}
	}
}

func to(address string) Message {
	return Message{Key: address, Kind: "answered", To: address, Ticket: 1043, Data: map[string]any{"answer": "Try again."}}
}

type state struct {
	State   string `db:"state"`
	Tries   int    `db:"tries"`
	Problem string `db:"problem"`
	Claimed bool   `db:"claimed"`
	Wait    string `db:"wait"`
}

func of(t *testing.T, db *sqlx.DB, key string) (s state) {
	t.Helper()
	if err := db.Get(&s, `SELECT state, tries, problem, claimed, (next_at - clock_timestamp())::text AS wait FROM outbox WHERE key = $1`, key); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAMailAsItArrives(t *testing.T) {
	db, sink := pgtest.New(t), newSink(t, options{})
	s := sender(t, db, "smtp://"+sink.addr)
	db.MustExec(`WITH p AS (INSERT INTO people (name, role) VALUES ('Zoë', 'customer') RETURNING id)
		INSERT INTO addresses (email, person_id, verified_at) SELECT 'zoe@example.com', id, now() FROM p`)
	queue(t, s.Outbox, Message{Key: "k", Kind: "solved", To: "Zoe@Example.com", ToName: "Zoë", Ticket: 1043, Data: map[string]any{
		"subject": "Backup <b>stops</b>", "answer": "Update & restart.\nThen wait.", "closes_at": "2026-11-26T20:05:00Z", "timezone": "Europe/Berlin"}})
	run(t, s)
	eventually(t, "the mail", func() bool { return len(sink.received()) == 1 })
	m := sink.received()[0]
	var id string
	if err := db.Get(&id, `SELECT id FROM outbox`); err != nil {
		t.Fatal(err)
	}
	dec := new(mime.WordDecoder)
	subject, err := dec.DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != "Ticket 1043: Backup <b>stops</b> is solved" {
		t.Errorf("subject %q, %v", subject, err)
	}
	for name, want := range map[string]string{"Auto-Submitted": "auto-generated", "X-Chatnow-Ticket": "1043", "X-Chatnow-Event": "solved", "Message-Id": "<" + id + "@help.test>"} {
		if got := m.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	from, err := m.Header.AddressList("From")
	if err != nil || from[0].Address != "support@help.test" || from[0].Name != "CrashPlan for Small Business" {
		t.Errorf("from %v, %v", from, err)
	}
	receiver, err := m.Header.AddressList("To")
	if err != nil || len(receiver) != 1 || receiver[0].Address != "zoe@example.com" || receiver[0].Name != "Zoë" {
		t.Errorf("to %v, %v", receiver, err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("%s, %v", kind, err)
	}
	parts := map[string]string{}
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := r.NextPart() // decodes quoted-printable
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := strings.Cut(p.Header.Get("Content-Type"), ";")
		parts[kind] = strings.ReplaceAll(string(raw), "\r\n", "\n")
	}
	for _, want := range []string{"Hello Zoë,", "Update & restart.\nThen wait.", "Thursday 26 November, 9:05 PM CET", "https://help.test/tickets/1043?answer=help", "https://help.test/tickets/1043?answer=solved"} {
		if !strings.Contains(parts["text/plain"], want) {
			t.Errorf("the text lacks %q:\n%s", want, parts["text/plain"])
		}
	}
	for _, want := range []string{"Update &amp; restart.\nThen wait.", `href="https://help.test/tickets/1043?answer=help"`, "9:05 PM CET"} {
		if !strings.Contains(parts["text/html"], want) {
			t.Errorf("the HTML lacks %q:\n%s", want, parts["text/html"])
		}
	}
	eventually(t, "the record", func() bool { return of(t, db, "k").State == "sent" })
}

func TestEveryKindIsWritten(t *testing.T) {
	data := `{"subject":"<script>alert(1)</script>","answer":"<i>{{.}}</i>","closes_at":"2026-11-26T20:05:00Z","solves_at":"2026-11-26T20:05:00Z",
		"update_due_at":"2026-11-26T20:05:00Z","token":"a b&c","former":1001,"transcript":"Zoe: <b>hi</b>"}`
	for _, kind := range Kinds {
		for _, proved := range []bool{true, false} {
			for _, data := range []string{data, "{}"} {
				r := rules()
				r.Zone = time.UTC
				c, err := render(row{Kind: kind, To: "zoe@example.com", ToName: "Zoe", Ticket: 1043, Data: []byte(data), Proved: proved}, r, parsed(t, "https://help.test/"))
				if err != nil {
					t.Fatalf("%s: %v", kind, err)
				}
				all := c.Subject + c.Text + c.HTML
				for _, bad := range []string{"no value", "<script", "<i>{{", "<b>hi", "ZgotmplZ"} {
					if strings.Contains(c.HTML, bad) || strings.Contains(all, "no value") {
						t.Errorf("%s contains %q:\n%s", kind, bad, all)
					}
				}
				if c.Subject == "" || strings.ContainsAny(c.Subject, "\r\n") || strings.Contains(c.HTML, "<img") {
					t.Errorf("%s: subject %q", kind, c.Subject)
				}
				for _, word := range strings.FieldsFunc(all, func(r rune) bool { return strings.ContainsRune(" \n\"<>", r) }) {
					if strings.Contains(word, "://") && !strings.HasPrefix(word, "https://help.test/") {
						t.Errorf("%s links to %s", kind, word)
					}
				}
				if !proved && (strings.Contains(all, "alert(1)") || strings.Contains(all, "Zoe")) {
					t.Errorf("%s tells a stranger what somebody wrote:\n%s", kind, all)
				}
			}
		}
	}
	if got := link("https://help.test", "verify", "//evil.test/", ""); got != "" {
		t.Errorf("a link leaves: %s", got)
	}
	if got := link("https://help.test", "survey", "", "a/b?c"); got != "https://help.test/survey/a%2Fb%3Fc" {
		t.Errorf("survey at %s", got)
	}
}

func TestWhatServersSayDecides(t *testing.T) {
	db, sink := pgtest.New(t), newSink(t, options{})
	s := sender(t, db, "smtp://"+sink.addr)
	s.relay.within = 5 * time.Second
	addresses := []string{"421-once@x.test", "450-once@x.test", "stall-once@x.test", "drop-a@x.test", "550-a@x.test", "554-a@x.test", "450-ever@x.test", "fine@x.test"}
	for _, a := range addresses {
		queue(t, s.Outbox, to(a))
	}
	run(t, s)
	for _, a := range []string{"421-once@x.test", "450-once@x.test", "stall-once@x.test", "drop-a@x.test", "fine@x.test"} {
		eventually(t, a+" is sent", func() bool { return of(t, db, a).State == "sent" })
	}
	for _, a := range []string{"550-a@x.test", "554-a@x.test"} {
		eventually(t, a+" has failed", func() bool { return of(t, db, a).State == "failed" })
		if st := of(t, db, a); st.Tries != 1 || !strings.Contains(st.Problem, a[:3]) {
			t.Errorf("%s: %+v", a, st)
		}
	}
	eventually(t, "more tries", func() bool { return of(t, db, "450-ever@x.test").Tries >= 3 })
	if st := of(t, db, "450-ever@x.test"); st.State != "waiting" || !strings.Contains(st.Problem, "Come back later") {
		t.Errorf("refused for now: %+v", st)
	}
	if ids := sink.ids("drop-a@"); len(ids) != 2 || ids[0] != ids[1] {
		t.Errorf("the answer was lost: %v", ids)
	}
	for _, a := range []string{"421-once@x.test", "450-once@x.test", "stall-once@x.test", "fine@x.test"} {
		if ids := sink.ids(a); len(ids) != 1 {
			t.Errorf("%s arrived %d times", a, len(ids))
		}
	}
}

func TestStalledMailsDoNotHoldUpTheOthers(t *testing.T) {
	db, sink := pgtest.New(t), newSink(t, options{})
	s := sender(t, db, "smtp://"+sink.addr)
	for i := range 3 * atOnce {
		queue(t, s.Outbox, to(fmt.Sprintf("stall-%d@x.test", i)))
	}
	queue(t, s.Outbox, to("fine@x.test"))
	run(t, s)
	eventually(t, "the mail behind them", func() bool { return of(t, db, "fine@x.test").State == "sent" })
	if n := len(sink.received()); n != 1 {
		t.Errorf("%d mails: none stalled", n)
	}
}

func TestAServerThatIsAwayLosesNothing(t *testing.T) {
	db, sink := pgtest.New(t), newSink(t, options{})
	sink.down = true
	s := sender(t, db, "smtp://"+sink.addr)
	for i := range 30 {
		queue(t, s.Outbox, to(fmt.Sprintf("a%d@x.test", i)))
	}
	stop := run(t, s)
	eventually(t, "a try", func() bool { return of(t, db, "a29@x.test").Tries > 0 })
	stop()
	sink.mu.Lock()
	sink.down = false
	sink.mu.Unlock()
	db.MustExec(`UPDATE outbox SET next_at = now()`)
	run(t, sender(t, db, "smtp://"+sink.addr))
	eventually(t, "all mails", func() bool { return len(sink.received()) == 30 })
	for i := range 30 {
		if ids := sink.ids(fmt.Sprintf("a%d@", i)); len(ids) != 1 {
			t.Errorf("a%d arrived %d times", i, len(ids))
		}
	}
}

func TestTwoNodesSendEachMailOnce(t *testing.T) {
	db, sink := pgtest.New(t), newSink(t, options{})
	a, b := sender(t, db, "smtp://"+sink.addr), sender(t, db, "smtp://"+sink.addr)
	for i := range 200 {
		queue(t, a.Outbox, to(fmt.Sprintf("a%d@x.test", i)))
	}
	run(t, a)
	run(t, b)
	eventually(t, "all records", func() bool {
		var n int
		err := db.Get(&n, `SELECT count(*) FROM outbox WHERE state = 'sent' AND tries = 1 AND NOT claimed`)
		return err == nil && n == 200
	})
	ids := map[string]bool{}
	for _, m := range sink.received() {
		ids[m.Header.Get("Message-ID")] = true
	}
	if len(ids) != 200 || len(sink.received()) != 200 {
		t.Errorf("%d mails, %d ids", len(sink.received()), len(ids))
	}
}

// A node dies after the server has taken the mail and before that is recorded.
func TestAMailOfADeadNodeIsTakenUpUnderTheSameID(t *testing.T) {
	db, sink := pgtest.New(t), newSink(t, options{})
	dead := sender(t, db, "smtp://"+sink.addr)
	queue(t, dead.Outbox, to("a@x.test"))
	mails, err := dead.claim(t.Context(), 10)
	if err != nil || len(mails) != 1 {
		t.Fatalf("%v, %v", mails, err)
	}
	if err := dead.transmit(t.Context(), mails[0]); err != nil {
		t.Fatal(err)
	}
	other := sender(t, db, "smtp://"+sink.addr)
	if again, err := other.claim(t.Context(), 10); err != nil || len(again) != 0 {
		t.Fatalf("claimed twice: %v, %v", again, err)
	}
	db.MustExec(`UPDATE outbox SET next_at = now()`) // the claim runs out
	run(t, other)
	eventually(t, "the record", func() bool { return of(t, db, "a@x.test").State == "sent" })
	if ids := sink.ids("a@x.test"); len(ids) != 2 || ids[0] != ids[1] {
		t.Errorf("%v", ids)
	}
	// What the dead node would still say is not heard.
	dead.record(t.Context(), mails[0], &refused{errors.New("late")})
	if st := of(t, db, "a@x.test"); st.State != "sent" {
		t.Errorf("a late word: %+v", st)
	}
}

func TestAnOrderlyEndRecordsWhatIsUnderWay(t *testing.T) {
	db, sink := pgtest.New(t), newSink(t, options{})
	s := sender(t, db, "smtp://"+sink.addr)
	queue(t, s.Outbox, to("stall-a@x.test"))
	stop := run(t, s)
	eventually(t, "the delivery", func() bool { return of(t, db, "stall-a@x.test").Claimed })
	began := time.Now()
	stop()
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("the end took %v", took)
	}
	if st := of(t, db, "stall-a@x.test"); st.State != "waiting" || st.Claimed {
		t.Errorf("%+v", st)
	}
}
