package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/nats-io/nats.go"
)

// subject is what all nodes of all databases on one NATS would share, so the database's name is in it.
const subject = "chatnow.hints."

// overNATS carries envelopes by NATS, which spares the database a commit for each. What it loses, the
// numbers show.
type overNATS struct {
	conn    *nats.Conn
	subject string
	again   chan struct{} // the line is back, or something was dropped
}

// NewNATS makes a bus on NATS at address; leases stay in the database. It does not wait for NATS: while
// that cannot be reached, nodes find out by reading. database tells apart what shares one NATS.
func NewNATS(db *sqlx.DB, address, database string, log *slog.Logger) (*Shared, error) {
	if u, err := url.Parse(address); err != nil || (u.Scheme != "nats" && u.Scheme != "tls") || u.Host == "" {
		return nil, fmt.Errorf("CHATNOW_NATS_URL should look like nats://host:4222")
	}
	n := &overNATS{subject: subject + database, again: make(chan struct{}, 1)}
	back := func() {
		select {
		case n.again <- struct{}{}:
		default: // it will be seen anyway
		}
	}
	var err error
	n.conn, err = nats.Connect(address, nats.Name("chatnow"), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1),
		nats.ReconnectWait(250*time.Millisecond), nats.ReconnectJitter(250*time.Millisecond, 250*time.Millisecond), nats.Timeout(2*time.Second),
		nats.PingInterval(5*time.Second), nats.MaxPingsOutstanding(2),
		nats.ReconnectBufSize(-1), // what cannot be sent is an error, and sent again under a new number
		nats.ConnectHandler(func(*nats.Conn) { back() }), nats.ReconnectHandler(func(*nats.Conn) { back() }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("NATS is gone; nodes find out by reading", "err", err)
			}
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			log.Debug("NATS dropped something", "err", err)
			back()
		}))
	if err != nil {
		return nil, fmt.Errorf("CHATNOW_NATS_URL: %w", err)
	}
	return newShared(db, n, log), nil
}

func (n *overNATS) close() { n.conn.Close() }

func (n *overNATS) tell(ctx context.Context, _ querier, payloads []string) error {
	for _, p := range payloads {
		if err := n.conn.Publish(n.subject, []byte(p)); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
	}
	return n.conn.FlushWithContext(ctx) // the server has them
}

func (n *overNATS) listen(ctx context.Context, up func(), take func(string)) {
	said := make(chan *nats.Msg, maxOutgoing)
	if _, err := n.conn.ChanSubscribe(n.subject, said); err != nil {
		return // only of a closed connection
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.again:
			up()
		case m := <-said:
			take(string(m.Data))
		}
	}
}
