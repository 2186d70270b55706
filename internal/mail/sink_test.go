package mail

import (
	"bytes"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/mail"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// sink is a real mail server in this process. What it does with a mail is told by the first part of
// the recipient's address, up to a hyphen: 421 and 450 and 550 at RCPT, 554 after the data, stall and
// drop after the final dot. What is told "once" happens to a recipient's first try.
type sink struct {
	addr string
	over chan struct{} // closed at the end: those who stall go on

	mu     sync.Mutex
	got    []*mail.Message
	bodies []string
	tries  map[string]int
	down   bool // refuses at the greeting
}

// options of a sink.
type options struct {
	tls      *tls.Config // STARTTLS, or from the first byte with implicit
	implicit bool
	password string // asked for when not empty
}

func newSink(t *testing.T, o options) *sink {
	t.Helper()
	s := &sink{over: make(chan struct{}), tries: map[string]int{}}
	srv := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.down {
			return nil, &smtp.SMTPError{Code: 421, Message: "Closed for today"}
		}
		plain := &session{sink: s, conn: c, in: o.password == ""}
		if o.password == "" {
			return plain, nil
		}
		return &guarded{plain, o.password}, nil
	}))
	srv.Domain, srv.AllowInsecureAuth, srv.ErrorLog = "sink.test", true, log.New(io.Discard, "", 0)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	if o.implicit {
		l = tls.NewListener(l, o.tls)
	} else {
		srv.TLSConfig = o.tls
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(l) }()
	t.Cleanup(func() { close(s.over); _ = srv.Close(); <-done })
	return s
}

func (s *sink) received() []*mail.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*mail.Message(nil), s.got...)
}

func (s *sink) ids(to string) (ids []string) {
	for _, m := range s.received() {
		if strings.Contains(m.Header.Get("To"), to) {
			ids = append(ids, m.Header.Get("Message-ID"))
		}
	}
	return ids
}

type session struct {
	*sink
	conn *smtp.Conn
	to   string
	in   bool
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

func (s *session) Mail(string, *smtp.MailOptions) error {
	if !s.in {
		return &smtp.SMTPError{Code: 530, Message: "Who are you?"}
	}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to = to
	s.tries[to]++
	how, rest, _ := strings.Cut(to, "-")
	if strings.HasPrefix(rest, "once") && s.tries[to] > 1 {
		return nil
	}
	switch how {
	case "421":
		return &smtp.SMTPError{Code: 421, Message: "Too busy"}
	case "450":
		return &smtp.SMTPError{Code: 450, Message: "Come back later"}
	case "550":
		return &smtp.SMTPError{Code: 550, Message: "Nobody of that name"}
	}
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	how, rest, _ := strings.Cut(s.to, "-")
	s.mu.Lock()
	first := s.tries[s.to] == 1
	s.mu.Unlock()
	if how == "stall" && (first || !strings.HasPrefix(rest, "once")) {
		<-s.over
		return io.ErrUnexpectedEOF
	}
	if how == "554" {
		return &smtp.SMTPError{Code: 554, Message: "This looks like spam"}
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.got, s.bodies = append(s.got, m), append(s.bodies, string(raw))
	s.mu.Unlock()
	if how == "drop" && first { // taken, and the answer is lost
		return s.conn.Conn().Close()
	}
	return nil
}

// guarded asks for a password.
type guarded struct {
	*session
	password string
}

func (g *guarded) AuthMechanisms() []string { return []string{sasl.Plain} }

func (g *guarded) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "chatnow" || password != g.password {
			return smtp.ErrAuthFailed
		}
		g.in = true
		return nil
	}), nil
}

func parsed(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
