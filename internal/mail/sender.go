package mail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/lib/pq"
	gomail "github.com/wneessen/go-mail"
)

const (
	lookEvery = 500 * time.Millisecond
	claimFor  = sendWithin + 30*time.Second // a node that does not record within it is taken for dead
	maxPause  = 5 * time.Minute             // between two tries
	giveUp    = 5 * 24 * time.Hour          // then a mail has failed, as with any mail server
	atOnce    = 8                           // deliveries
	slowAfter = time.Second                 // then a delivery no longer holds up the others
	maxSlow   = 32
	endWithin = 3 * time.Second // for deliveries under way when the program ends
)

// Config is what an operator can set about mail.
type Config struct {
	SMTPURL string   // empty: mails stay readable in the outbox
	From    string   // an address, with or without a name; empty: support@ and the host of BaseURL
	BaseURL *url.URL // begins every link; its host ends every Message-ID
	Log     *slog.Logger
}

// Sender sends what is in the outbox. Any number of them may run on one database.
type Sender struct {
	*Outbox
	cfg   Config
	from  *mail.Address
	relay *relay // nil: nothing is sent

	fast, slow chan struct{} // a delivery under way holds one of them
}

// NewSender checks the configuration.
func NewSender(o *Outbox, cfg Config) (*Sender, error) {
	s := &Sender{Outbox: o, cfg: cfg, fast: make(chan struct{}, atOnce), slow: make(chan struct{}, maxSlow)}
	if cfg.From == "" {
		cfg.From = "support@" + domain(cfg.BaseURL)
	}
	var err error
	if s.from, err = mail.ParseAddress(cfg.From); err != nil || unfit(s.from.Name) || unfit(s.from.Address) {
		return nil, fmt.Errorf("CHATNOW_MAIL_FROM: %q is no e-mail address", cfg.From)
	}
	if cfg.SMTPURL != "" {
		if s.relay, err = parseRelay(cfg.SMTPURL, domain(cfg.BaseURL)); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// domain is the host of the base URL; a bare IP address is no name that mail could use.
func domain(base *url.URL) string {
	host := base.Hostname()
	if _, err := netip.ParseAddr(host); err == nil || host == "" {
		return "localhost"
	}
	return host
}

// Run sends until ctx ends, and returns when the last delivery has ended.
func (s *Sender) Run(ctx context.Context) error {
	if s.relay == nil {
		<-ctx.Done()
		return nil
	}
	sending, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var wg sync.WaitGroup
	defer func() {
		patience := time.AfterFunc(endWithin, stop)
		defer patience.Stop()
		wg.Wait()
	}()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		for {
			n, err := s.round(ctx, sending, &wg)
			if err != nil && ctx.Err() == nil {
				s.cfg.Log.WarnContext(ctx, "look into the outbox", "err", err)
			}
			if n == 0 || ctx.Err() != nil {
				break
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// round claims as many mails as there is room for, and starts their deliveries.
func (s *Sender) round(ctx, sending context.Context, wg *sync.WaitGroup) (int, error) {
	select {
	case s.fast <- struct{}{}: // wait for room for one, so that a claim does not wait for its delivery
		<-s.fast
	case <-ctx.Done():
		return 0, nil
	}
	room := cap(s.fast) - len(s.fast) // only this goroutine takes
	mails, err := s.claim(ctx, room)
	if err != nil {
		return 0, err
	}
	for _, m := range mails {
		s.fast <- struct{}{}
		wg.Go(func() { s.deliver(sending, m) })
	}
	return len(mails), nil
}

const mailColumns = `o.id, o.kind, o.to_email, o.to_name, COALESCE(o.ticket, 0) AS ticket, o.data, o.tries, o.queued_at,
	o.queued_at < clock_timestamp() - make_interval(secs => $3) AS old,
	EXISTS (SELECT FROM addresses a WHERE a.email = o.to_email AND a.verified_at IS NOT NULL) AS proved`

// claim takes due mails for this sender. The condition is asked again on the locked row; another
// sender skips it.
func (s *Sender) claim(ctx context.Context, room int) ([]row, error) {
	// An end in between would leave mails claimed that nobody sends until their claim runs out.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	var out []row
	err := s.db.SelectContext(ctx, &out, `UPDATE outbox o SET tries = tries + 1, claimed = true, next_at = clock_timestamp() + make_interval(secs => $2)
		WHERE o.state = 'waiting' AND o.id IN (SELECT id FROM outbox WHERE state = 'waiting' AND next_at <= clock_timestamp()
			ORDER BY next_at LIMIT $1 FOR UPDATE SKIP LOCKED)
		RETURNING `+mailColumns, room, claimFor.Seconds(), giveUp.Seconds())
	if err != nil {
		return nil, fmt.Errorf("claim mails: %w", err)
	}
	return out, nil
}

// deliver sends one mail and records how it went. A delivery that takes long gives its place to the
// next mail, so that one stalled server does not hold up the others.
func (s *Sender) deliver(ctx context.Context, m row) {
	done := make(chan struct{})
	moved := make(chan bool, 1)
	go func() {
		patience := time.NewTimer(slowAfter)
		defer patience.Stop()
		select {
		case <-done:
			moved <- false
			return
		case <-patience.C:
		}
		select {
		case s.slow <- struct{}{}:
			<-s.fast
			moved <- true
		case <-done:
			moved <- false
		}
	}()
	s.record(ctx, m, s.transmit(ctx, m))
	close(done)
	if <-moved {
		<-s.slow
	} else {
		<-s.fast
	}
}

func (s *Sender) transmit(ctx context.Context, m row) error {
	if m.Old {
		return &refused{errors.New("it waited for more than five days")}
	}
	msg, err := s.compose(m)
	if err != nil {
		return &refused{err}
	}
	return s.relay.send(ctx, msg)
}

// messageID is the same at every try.
func (s *Sender) messageID(m row) string { return m.ID + "@" + domain(s.cfg.BaseURL) }

// compose makes the mail (contract.md section 3).
func (s *Sender) compose(m row) (*gomail.Msg, error) {
	words, err := render(m, s.rules(), s.cfg.BaseURL)
	if err != nil {
		return nil, err
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	from := *s.from
	if from.Name == "" {
		from.Name = s.rules().Product
	}
	msg.FromMailAddress(&from)
	to := &mail.Address{Address: m.To}
	if m.Proved {
		to.Name = m.ToName
	}
	msg.ToMailAddress(to)
	msg.Subject(words.Subject)
	msg.SetMessageIDWithValue(s.messageID(m))
	msg.SetDateWithValue(m.QueuedAt.UTC())
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")
	msg.SetGenHeader("X-Chatnow-Event", m.Kind)
	if m.Ticket != 0 {
		msg.SetGenHeader("X-Chatnow-Ticket", fmt.Sprint(m.Ticket))
		msg.SetGenHeader(gomail.HeaderReferences, fmt.Sprintf("<ticket-%d@%s>", m.Ticket, domain(s.cfg.BaseURL))) // one thread for each ticket
	}
	msg.SetBodyString(gomail.TypeTextPlain, words.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, words.HTML)
	return msg, nil
}

// record keeps how a try went, trying again while the database is away and the claim holds; beyond
// that the mail is sent again, under the same Message-ID. It is fenced by the number of the try.
func (s *Sender) record(ctx context.Context, m row, result error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	query, args := s.outcome(m, result)
	for {
		_, err := s.db.ExecContext(ctx, query, args...)
		if err == nil {
			return
		}
		s.cfg.Log.WarnContext(ctx, "record mail", "mail", m.ID, "err", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}

func (s *Sender) outcome(m row, result error) (query string, args []any) {
	const which = ` WHERE id = $1 AND tries = $2 AND state = 'waiting'`
	var never *refused
	switch {
	case result == nil: // a token that has left need not be kept
		return `UPDATE outbox SET state = 'sent', claimed = false, sent_at = clock_timestamp(), problem = '', data = data - $3::text[]` + which,
			[]any{m.ID, m.Tries, pq.StringArray{"token", "path"}}
	case errors.As(result, &never):
		return `UPDATE outbox SET state = 'failed', claimed = false, problem = $3` + which, []any{m.ID, m.Tries, explain(result)}
	}
	return `UPDATE outbox SET claimed = false, problem = $3, next_at = clock_timestamp() + make_interval(secs => $4)` + which,
		[]any{m.ID, m.Tries, explain(result), pause(s.rules().RetryFirst, m.Tries).Seconds()}
}

// pause doubles with every try.
func pause(first time.Duration, tries int) time.Duration {
	p := first
	for i := 1; i < tries && p < maxPause; i++ {
		p *= 2
	}
	return min(p, max(first, maxPause))
}
