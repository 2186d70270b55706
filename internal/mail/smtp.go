package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	gosmtp "github.com/wneessen/go-mail/smtp"
)

// sendWithin bounds one delivery from the first byte to the last: a server that stalls at any point
// costs one mail this long, and no more.
const sendWithin = 45 * time.Second

// relay is the mail server that takes our mails.
type relay struct {
	host      string
	port      int
	user      string
	pass      string
	implicit  bool // TLS from the first byte
	policy    gomail.TLSPolicy
	helo      string
	tlsConfig *tls.Config
	within    time.Duration // of one delivery
}

// parseRelay reads smtp://user:pass@host:port and smtps://…. With smtp, TLS is used when the server
// offers it; ?tls=required insists, ?tls=off never asks. A password is never sent in the clear, except to this machine.
func parseRelay(link, helo string) (*relay, error) {
	u, err := url.Parse(link)
	if err != nil || (u.Scheme != "smtp" && u.Scheme != "smtps") || u.Hostname() == "" {
		return nil, errors.New("CHATNOW_SMTP_URL should look like smtp://user:password@host:587 or smtps://user:password@host:465")
	}
	r := &relay{host: u.Hostname(), user: u.User.Username(), implicit: u.Scheme == "smtps", policy: gomail.TLSOpportunistic, helo: helo, port: 25, within: sendWithin}
	r.pass, _ = u.User.Password()
	if r.implicit {
		r.port = 465
	} else if r.user != "" {
		r.port = 587
	}
	if p := u.Port(); p != "" {
		if r.port, err = strconv.Atoi(p); err != nil {
			return nil, fmt.Errorf("CHATNOW_SMTP_URL: %q is no port", p)
		}
	}
	switch u.Query().Get("tls") {
	case "":
	case "off":
		r.policy = gomail.NoTLS
	case "required":
		r.policy = gomail.TLSMandatory
	default:
		return nil, errors.New("CHATNOW_SMTP_URL: tls is off or required")
	}
	r.tlsConfig = &tls.Config{ServerName: r.host, MinVersion: tls.VersionTLS12}
	return r, nil
}

// auths are tried in this order, as the server offers them. In the clear, only those go that do not
// show the password, or to this machine.
func (r *relay) auths() []gomail.SMTPAuthType {
	out := []gomail.SMTPAuthType{gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1}
	here := r.host == "localhost"
	if ip, err := netip.ParseAddr(r.host); err == nil && ip.IsLoopback() {
		here = true
	}
	if here {
		return append(out, gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc, gomail.SMTPAuthCramMD5)
	}
	return append(out, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthCramMD5)
}

// brief is a connection whose deadline nobody can move beyond its own.
type brief struct {
	net.Conn
	end time.Time
}

func (b brief) SetDeadline(t time.Time) error {
	if t.IsZero() || t.After(b.end) {
		t = b.end
	}
	return b.Conn.SetDeadline(t)
}

// dial connects and, for smtps, shakes hands.
func (r *relay) dial(ctx context.Context, end time.Time) func(context.Context, string, string) (net.Conn, error) {
	return func(dialing context.Context, network, address string) (net.Conn, error) {
		raw, err := (&net.Dialer{}).DialContext(dialing, network, address)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(ctx, func() { _ = raw.Close() }) // the end of the program, or of its patience
		conn := net.Conn(brief{raw, end})
		if err := conn.SetDeadline(end); err != nil {
			return nil, errors.Join(err, raw.Close())
		}
		if !r.implicit {
			return conn, nil
		}
		secured := tls.Client(conn, r.tlsConfig)
		if err := secured.HandshakeContext(dialing); err != nil {
			return nil, errors.Join(err, raw.Close())
		}
		return secured, nil
	}
}

// connect says hello to the server, and who we are where it asks.
func (r *relay) connect(ctx context.Context, end time.Time) (*gomail.Client, *gosmtp.Client, error) {
	options := []gomail.Option{gomail.WithPort(r.port), gomail.WithTimeout(r.within), gomail.WithTLSConfig(r.tlsConfig),
		gomail.WithTLSPolicy(r.policy), gomail.WithHELO(r.helo), gomail.WithDialContextFunc(r.dial(ctx, end)), gomail.WithoutNoop(), gomail.WithoutRset()}
	if r.user != "" {
		options = append(options, gomail.WithUsername(r.user), gomail.WithPassword(r.pass), gomail.WithOpportunisticSMTPAuth(r.auths()...))
	}
	client, err := gomail.NewClient(r.host, options...)
	if err != nil {
		return nil, nil, fmt.Errorf("set up mail client: %w", err)
	}
	server, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("reach mail server: %w", err) // also a wrong password: mended by an operator, not by giving mails up
	}
	return client, server, nil
}

// Reach tries whether a mail server can be reached, and takes the user and password; no mail goes.
func Reach(ctx context.Context, link string, base *url.URL) error {
	r, err := parseRelay(link, domain(base))
	if err != nil {
		return err
	}
	end := time.Now().Add(min(r.within, 10*time.Second))
	ctx, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	_, server, err := r.connect(ctx, end)
	if err != nil {
		return err
	}
	return server.Close()
}

// refused is a mail that the server will never take.
type refused struct{ cause error }

func (r *refused) Error() string { return r.cause.Error() }
func (r *refused) Unwrap() error { return r.cause }

// send gives one mail to the server. A *refused error is for ever; any other may pass.
func (r *relay) send(ctx context.Context, m *gomail.Msg) error {
	end := time.Now().Add(r.within) // of a socket: no time of the product
	ctx, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	client, server, err := r.connect(ctx, end)
	if err != nil {
		return err
	}
	defer func() { _ = server.Close() }()
	err = client.SendWithSMTPClient(server, m)
	if err == nil || m.IsDelivered() {
		if server.UpdateDeadline(time.Second) == nil {
			_ = server.Quit() // it has the mail; what it says now changes nothing
		}
		return nil
	}
	var said *gomail.SendError
	if !errors.As(err, &said) {
		return err
	}
	switch code := said.ErrorCode(); {
	case code == 530 || code == 534 || code == 535 || code == 538: // who are we: as above
		return err
	case code >= 500:
		return &refused{err}
	}
	return err
}

// explain makes one line of an error for the outbox, without our own Message-ID in it.
func explain(err error) string {
	line, _, _ := strings.Cut(strings.Join(strings.Fields(err.Error()), " "), ", affected message ID")
	return strings.ToValidUTF8(strings.ReplaceAll(line, "\x00", ""), "\ufffd")
}
