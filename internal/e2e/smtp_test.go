package e2e

import (
	"errors"
	"io"
	"net"
	"net/mail"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"

	"chatnow/internal/app"
	"chatnow/internal/pgtest"
)

// postOffice is a mail server that takes everything.
type postOffice struct {
	mu    sync.Mutex
	mails []*mail.Message
	texts []string
}

func (p *postOffice) NewSession(*smtp.Conn) (smtp.Session, error) { return &delivery{p}, nil }

type delivery struct{ p *postOffice }

func (d *delivery) Mail(string, *smtp.MailOptions) error { return nil }
func (d *delivery) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "gone@") {
		return &smtp.SMTPError{Code: 550, Message: "There is no such mailbox"}
	}
	return nil
}
func (d *delivery) Reset()        {}
func (d *delivery) Logout() error { return nil }
func (d *delivery) Data(r io.Reader) error {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(m.Body)
	if err != nil {
		return err
	}
	d.p.mu.Lock()
	defer d.p.mu.Unlock()
	d.p.mails, d.p.texts = append(d.p.mails, m), append(d.p.texts, strings.ReplaceAll(string(body), "=\r\n", ""))
	return nil
}

func (p *postOffice) of(event string) (*mail.Message, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, m := range p.mails {
		if m.Header.Get("X-Chatnow-Event") == event {
			return m, p.texts[i]
		}
	}
	return nil, ""
}

// link waits for a mail of an event and gives the path of a link in it. The outbox forgets secrets as soon
// as they have left.
func (p *postOffice) link(o *office, event, begins string) string {
	o.t.Helper()
	o.eventually(event, func() bool { m, _ := p.of(event); return m != nil })
	_, text := p.of(event)
	return o.path(strings.ReplaceAll(text, "=3D", "="), begins)
}

func openPostOffice(t *testing.T) (box *postOffice, url string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	box = &postOffice{}
	relay := smtp.NewServer(box)
	served := make(chan error, 1)
	go func() { served <- relay.Serve(l) }()
	t.Cleanup(func() {
		if err := errors.Join(relay.Close(), <-served); err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			t.Error(err)
		}
	})
	return box, "smtp://" + l.Addr().String()
}

// The whole product with a mail server: every mail of a life leaves once, marked as contract.md says,
// with links that lead to pages that there are.
func TestMailsOfALifeLeave(t *testing.T) {
	box, relay := openPostOffice(t)
	db := pgtest.URL(t)
	s := serve(t, db, func(cfg *app.Config) { cfg.SMTPURL = relay })
	addStaff(t, db, "ada@example.com", "Ada", "admin")
	o := &office{s, "http://" + s.cfg.Listen, cookieOf(t, s.cfg.Listen, "ada@example.com")}
	o.policy(map[string]any{"solved_closes_after": "1ms", "reminders": []string{"1ms"}})

	number := o.ticket("chris@example.com") // his zone is Europe/Berlin
	chris := newReader(t, o.base)
	chris.form("/account/link", "email", "chris@example.com")
	say := func(body string) {
		t.Helper()
		if got, said := ask(t, "POST", o.base+"/api/v1/tickets/"+strconv.FormatInt(number, 10)+"/comments", body, "Cookie", o.admin); got != 201 {
			t.Fatalf("%d %s", got, said)
		}
	}
	say(`{"body":"We look into it.","status":"open"}`)
	say(`{"body":"Which version?","status":"pending"}`)
	o.eventually("the reminder", func() bool { m, _ := box.of("reminder"); return m != nil })
	say(`{"body":"Update, please.","status":"solved"}`)
	for _, event := range []string{"received", "signin_link", "answered", "pending", "reminder", "solved", "survey"} {
		o.eventually(event, func() bool { m, _ := box.of(event); return m != nil })
		m, text := box.of(event)
		if m.Header.Get("Auto-Submitted") != "auto-generated" || !strings.HasPrefix(m.Header.Get("Content-Type"), "multipart/alternative") || m.Header.Get("Message-ID") == "" {
			t.Errorf("%s: %v", event, m.Header)
		}
		if event != "signin_link" && m.Header.Get("X-Chatnow-Ticket") != strconv.FormatInt(number, 10) {
			t.Errorf("%s is about ticket %q", event, m.Header.Get("X-Chatnow-Ticket"))
		}
		if !strings.Contains(text, o.base) {
			t.Errorf("%s leads nowhere:\n%s", event, text)
		}
	}
	if _, text := box.of("pending"); !strings.Contains(text, "Which version?") || !strings.Contains(text, "CET") && !strings.Contains(text, "CEST") {
		t.Errorf("what is asked, and his own zone:\n%s", text)
	}
	_, text := box.of("signin_link")
	text = strings.ReplaceAll(text, "=3D", "=")
	if got, at, body := chris.form("/account/signin", "token", token(strings.Fields(o.path(text, "/account/signin"))[0])); got != 200 || at != "/tickets" || !strings.Contains(body, "Backup stands still") {
		t.Fatalf("%d %s", got, at)
	}
	_, text = box.of("survey")
	if got, _, body := chris.open(o.path(strings.ReplaceAll(text, "=3D", "="), "/survey/")); got != 200 || !strings.Contains(body, "How satisfied") {
		t.Fatalf("%d\n%s", got, body)
	}
	// A mail that is refused for good is told to champions on the ticket.
	gone := strconv.FormatInt(o.ticket("gone@example.com"), 10)
	o.eventually("the refusal on the ticket", func() bool {
		_, said := ask(t, "GET", o.base+"/api/v1/tickets/"+gone, "", "Cookie", o.admin)
		return strings.Contains(said, `"mail_problem":"received: `) && strings.Contains(said, "no such mailbox")
	})
	box.mu.Lock()
	defer box.mu.Unlock()
	seen := map[string]bool{}
	for _, m := range box.mails {
		if id := m.Header.Get("Message-ID"); seen[id] {
			t.Errorf("%s left twice", id)
		} else {
			seen[id] = true
		}
	}
}
