package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"chatnow/internal/fault"
	"chatnow/internal/pgtest"
	"chatnow/internal/postgres"
)

func TestPausesGrow(t *testing.T) {
	var got []time.Duration
	for tries := 1; tries <= 6; tries++ {
		got = append(got, pause(30*time.Second, tries))
	}
	if want := []time.Duration{30e9, 60e9, 120e9, 240e9, 300e9, 300e9}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	if got := pause(time.Hour, 9); got != time.Hour {
		t.Errorf("a long first pause becomes %v", got)
	}
}

func TestTLSAndPasswords(t *testing.T) {
	web := httptest.NewTLSServer(nil) // for its certificate
	defer web.Close()
	pool := x509.NewCertPool()
	pool.AddCert(web.Certificate())
	server := &tls.Config{Certificates: web.TLS.Certificates}
	for name, tc := range map[string]struct {
		o       options
		link    string
		known   bool
		problem string
	}{
		"in the clear, to this machine": {options{password: "pw"}, "smtp://chatnow:pw@", false, ""},
		"starttls":                      {options{tls: server, password: "pw"}, "smtp://chatnow:pw@", true, ""},
		"tls":                           {options{tls: server, implicit: true, password: "pw"}, "smtps://chatnow:pw@", true, ""},
		"a wrong password":              {options{password: "pw"}, "smtp://chatnow:no@", false, "Authentication failed"},
		"no password":                   {options{password: "pw"}, "smtp://", false, "Who are you?"},
		"an unknown certificate":        {options{tls: server}, "smtp://", false, "certificate"},
		"no tls where it must be":       {options{}, "smtp://", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			db, sink := pgtest.New(t), newSink(t, tc.o)
			link := tc.link + sink.addr
			if name == "no tls where it must be" {
				link, tc.problem = link+"?tls=required", "STARTTLS"
			}
			s := sender(t, db, link)
			if tc.known {
				s.relay.tlsConfig.RootCAs = pool
			}
			queue(t, s.Outbox, to("a@x.test"))
			run(t, s)
			if tc.problem == "" {
				eventually(t, "the mail", func() bool { return of(t, db, "a@x.test").State == "sent" })
				return
			}
			// An operator can mend it: the mail waits, and says why.
			eventually(t, "a second try", func() bool { return of(t, db, "a@x.test").Tries > 1 })
			if st := of(t, db, "a@x.test"); st.State != "waiting" || !strings.Contains(st.Problem, tc.problem) {
				t.Errorf("%+v", st)
			}
		})
	}
}

func TestBadConfigurationsAreRefused(t *testing.T) {
	o := New(nil, time.Now)
	for _, cfg := range []Config{{SMTPURL: "localhost:25"}, {SMTPURL: "http://x"}, {SMTPURL: "smtp://"}, {SMTPURL: "smtp://x?tls=maybe"}, {From: "nobody"}, {From: "a@b\r\nBcc: c@d"}} {
		cfg.BaseURL = parsed(t, "http://127.0.0.1:8080")
		if _, err := NewSender(o, cfg); err == nil {
			t.Errorf("%+v is taken", cfg)
		}
	}
	s, err := NewSender(o, Config{BaseURL: parsed(t, "http://127.0.0.1:8080"), From: "Help Desk <help@example.com>"})
	if err != nil || s.from.Address != "help@example.com" || domain(s.cfg.BaseURL) != "localhost" {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestHeadersCannotBeInjected(t *testing.T) {
	o := New(pgtest.New(t), time.Now)
	for _, m := range []Message{
		{To: "a@x.test\r\nBcc: b@x.test"}, {To: "a@x.test\n"}, {To: "a@x.test, b@x.test"}, {To: "A <a@x.test>"}, {To: "a@x.test\x00"}, {To: ""},
		{To: "a@x.test", ToName: "A\r\nBcc: b@x.test"}, {To: "a@x.test", ToName: "A\x00"}, {To: "a@x.test", ToName: "\xff"},
	} {
		m.Key, m.Kind = "k", "received"
		err := postgres.InTx(t.Context(), o.db, func(tx *sqlx.Tx) error { return o.Queue(t.Context(), tx, m) })
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q, %q: %v", m.To, m.ToName, err)
		}
	}
	// What people wrote elsewhere must not undo its cause, and must not become a header.
	db, sink := o.db, newSink(t, options{})
	s := sender(t, db, "smtp://"+sink.addr)
	db.MustExec(`WITH p AS (INSERT INTO people (name, role) VALUES ('A', 'customer') RETURNING id)
		INSERT INTO addresses (email, person_id, verified_at) SELECT 'a@x.test', id, now() FROM p`)
	queue(t, s.Outbox, Message{Key: "k", Kind: "answered", To: "a@x.test", ToName: `"A" <b@x.test>,`, Ticket: 1, Data: map[string]any{"subject": "x\r\nBcc: b@x.test\x00\xff", "answer": "\x00"}})
	run(t, s)
	eventually(t, "the mail", func() bool { return len(sink.received()) == 1 })
	m := sink.received()[0]
	list, err := m.Header.AddressList("To")
	if err != nil || len(list) != 1 || list[0].Address != "a@x.test" || m.Header.Get("Bcc") != "" {
		t.Errorf("to %v (%v), bcc %q", list, err, m.Header.Get("Bcc"))
	}
}

func TestACauseIsMailedOnceAndOnlyIfItHappened(t *testing.T) {
	o := New(pgtest.New(t), time.Now)
	queue(t, o, to("a@x.test"), to("a@x.test"))
	failed := errors.New("the cause did not happen")
	err := postgres.InTx(t.Context(), o.db, func(tx *sqlx.Tx) error {
		if err := o.Queue(t.Context(), tx, to("b@x.test")); err != nil {
			return err
		}
		return failed
	})
	var n int
	if getErr := o.db.Get(&n, `SELECT count(*) FROM outbox`); getErr != nil || n != 1 || !errors.Is(err, failed) {
		t.Errorf("%d mails, %v, %v", n, getErr, err)
	}
}

func TestAStrangerIsNotFlooded(t *testing.T) {
	o := New(pgtest.New(t), time.Now)
	o.Rules = func() Rules { return Rules{ReceiptsPerDay: 1, LinksPerHour: 2, MailsPerDay: 5} }
	count := func(to, state string) (n int) {
		t.Helper()
		if err := o.db.Get(&n, `SELECT count(*) FROM outbox WHERE to_email = $1 AND state = $2`, to, state); err != nil {
			t.Fatal(err)
		}
		return n
	}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			err := postgres.InTx(context.Background(), o.db, func(tx *sqlx.Tx) error {
				return o.Queue(context.Background(), tx, Message{Key: fmt.Sprint(i), Kind: "received", To: "victim@x.test", Ticket: int64(i + 1)})
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if w, h := count("victim@x.test", "waiting"), count("victim@x.test", "held"); w != 1 || h != 19 {
		t.Errorf("a stranger gets %d, %d are held", w, h)
	}
	o.db.MustExec(`WITH p AS (INSERT INTO people (name, role) VALUES ('C', 'customer') RETURNING id)
		INSERT INTO addresses (email, person_id, verified_at) SELECT 'c@x.test', id, now() FROM p`)
	for i := range 4 {
		queue(t, o, Message{Key: fmt.Sprint("c", i), Kind: "received", To: "c@x.test", Ticket: 1}, Message{Key: fmt.Sprint("l", i), Kind: "reset", To: "d@x.test"})
	}
	queue(t, o, Message{Key: "c4", Kind: "solved", To: "c@x.test", Ticket: 1}, Message{Key: "c5", Kind: "solved", To: "c@x.test", Ticket: 1})
	if w, h := count("c@x.test", "waiting"), count("c@x.test", "held"); w != 5 || h != 1 {
		t.Errorf("a customer gets %d, %d are held", w, h)
	}
	if w, h := count("d@x.test", "waiting"), count("d@x.test", "held"); w != 2 || h != 2 {
		t.Errorf("%d links, %d are held", w, h)
	}
	o.db.MustExec(`UPDATE outbox SET queued_at = queued_at - interval '25 hours'`)
	queue(t, o, Message{Key: "next day", Kind: "received", To: "victim@x.test", Ticket: 99})
	if w := count("victim@x.test", "waiting"); w != 2 {
		t.Errorf("the next day: %d", w)
	}
}

func TestAMailThatNobodyTookForDaysHasFailed(t *testing.T) {
	db, sink := pgtest.New(t), newSink(t, options{})
	s := sender(t, db, "smtp://"+sink.addr)
	queue(t, s.Outbox, to("old@x.test"), to("new@x.test"))
	db.MustExec(`UPDATE outbox SET queued_at = queued_at - interval '6 days' WHERE key = 'old@x.test'`)
	run(t, s)
	eventually(t, "the new one", func() bool { return of(t, db, "new@x.test").State == "sent" })
	eventually(t, "the old one", func() bool { return of(t, db, "old@x.test").State == "failed" })
	if n := len(sink.received()); n != 1 {
		t.Errorf("%d mails", n)
	}
}
