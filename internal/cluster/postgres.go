package cluster

import (
	"context"
	"net"
	"time"

	"github.com/lib/pq"
)

// notify carries envelopes by NOTIFY on the common database. Commits with a NOTIFY wait for each other,
// which is why there is one for all that has gathered.
type notify struct{ dsn string }

const channel = "chatnow"

func (n *notify) close() {} // listen hangs up

func (n *notify) tell(ctx context.Context, q querier, payloads []string) error {
	_, err := q.ExecContext(ctx, `SELECT pg_notify($1, payload) FROM unnest($2::text[]) WITH ORDINALITY AS p (payload, n) ORDER BY n`,
		channel, pq.StringArray(payloads))
	return err
}

func (n *notify) listen(ctx context.Context, up func(), take func(string)) {
	l := pq.NewDialListener(newDialer(), n.dsn, 50*time.Millisecond, time.Second, nil)
	listening := make(chan struct{})
	go func() { // it waits for the database, and ends when the listener is closed
		if err := l.Listen(channel); err == nil {
			close(listening)
		}
	}()
	defer hangUp(l)
	for {
		select {
		case <-ctx.Done():
			return
		case <-listening:
			listening = nil
			up()
		case said := <-l.Notify:
			if said == nil { // it was cut off and is back
				up()
				continue
			}
			take(said.Extra)
		}
	}
}

// dialer finds out within some ten seconds that the other end is gone without a word.
type dialer struct{ *net.Dialer }

func newDialer() dialer {
	return dialer{&net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3}}}
}

// DialTimeout is what package pq asks for.
func (d dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	bounded := *d.Dialer
	bounded.Timeout = timeout
	return bounded.Dial(network, address)
}

// hangUp closes the listener and waits for its goroutine, which ends by closing the channel; it may be
// waiting for a database that does not answer, so not for long.
func hangUp(l *pq.Listener) {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_ = l.Close()
		for range l.Notify {
		}
	}()
	select {
	case <-closed:
	case <-time.After(2 * time.Second):
	}
}
