package cluster

import (
	"context"
	"database/sql"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"chatnow/internal/postgres"
)

const (
	channel     = "chatnow"
	maxOutgoing = 4096            // hints that may wait to be told to other nodes
	tellWithin  = 3 * time.Second // of one NOTIFY
	tellAgain   = 200 * time.Millisecond
)

// Postgres carries hints by NOTIFY on the common database. Commits with a NOTIFY wait for each other,
// so one goroutine sends what has gathered with one of them, and none while no other node is alive.
type Postgres struct {
	*Local
	db     *sqlx.DB
	dsn    string
	log    *slog.Logger
	others atomic.Int32 // nodes alive beside this one

	mu      sync.Mutex
	waiting []Hint
	words   []envelope // hello and welcome
	gap     bool       // hints were left out: leave out a number too
	number  int64      // of the last envelope
	over    bool       // Run has ended
	wake    chan struct{}

	heard map[string]int64 // the last number of each other node; belongs to the listening goroutine
}

// NewPostgres makes the bus. dsn is for the one connection that listens.
func NewPostgres(db *sqlx.DB, dsn string, log *slog.Logger) *Postgres {
	p := &Postgres{Local: NewLocal(), db: db, dsn: dsn, log: log, wake: make(chan struct{}, 1), heard: map[string]int64{}}
	p.others.Store(1) // until the table says otherwise
	return p
}

// Alone reports whether there is nobody else to tell.
func (p *Postgres) Alone() bool { return p.others.Load() == 0 }

// Publish tells this node at once, and leaves it to the sender to tell the others if there are any.
func (p *Postgres) Publish(ctx context.Context, hints ...Hint) {
	p.Local.Publish(ctx, hints...)
	if len(hints) == 0 {
		return
	}
	p.mu.Lock()
	switch {
	case p.Alone():
		p.gap = true // should somebody listen after all, he finds out
	case len(p.waiting)+len(hints) > maxOutgoing:
		p.waiting, p.gap = nil, true
	default:
		p.waiting = append(p.waiting, hints...)
	}
	over := p.over
	p.mu.Unlock()
	if over { // what is published while everything ends still reaches the others
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		p.flush(ctx, p.db)
		return
	}
	p.ring()
}

func (p *Postgres) ring() {
	select {
	case p.wake <- struct{}{}:
	default: // the sender will look anyway
	}
}

// say queues a word to the other nodes.
func (p *Postgres) say(word, to string) {
	p.mu.Lock()
	if len(p.words) < maxOutgoing {
		p.words = append(p.words, envelope{Node: p.node, Word: word, To: to})
	}
	p.mu.Unlock()
	p.ring()
}

// flush tells the others what has gathered, with one NOTIFY statement. What could not be told stays.
func (p *Postgres) flush(ctx context.Context, q querier) bool {
	p.mu.Lock()
	if p.Alone() && len(p.waiting) > 0 {
		p.waiting, p.gap = nil, true
	}
	hints, words, last := p.waiting, p.words, p.number
	if len(hints)+len(words) == 0 {
		p.mu.Unlock()
		return true
	}
	if p.gap {
		last++
	}
	var payloads []string
	for _, w := range words {
		last++
		w.Number = last
		payloads = append(payloads, seal(w))
	}
	more, last := pack(p.node, last, hints)
	payloads = append(payloads, more...)
	p.waiting, p.words, p.gap = nil, nil, false
	p.number = last
	p.mu.Unlock()
	_, err := q.ExecContext(ctx, `SELECT pg_notify($1, payload) FROM unnest($2::text[]) WITH ORDINALITY AS p (payload, n) ORDER BY n`,
		channel, pq.StringArray(payloads))
	if err == nil {
		return true
	}
	p.log.Debug("tell other nodes", "err", err)
	p.mu.Lock()
	defer p.mu.Unlock()
	// It may have arrived or not. Told again under new numbers, it costs the others a query at worst;
	// the numbers that were used are missing for whoever did not get them.
	p.words = append(words, p.words...)
	if len(p.waiting)+len(hints) <= maxOutgoing {
		p.waiting = append(hints, p.waiting...)
	} else {
		p.gap = true
	}
	return false
}

// Run keeps this node's lease, tells the others and hears them until ctx ends.
func (p *Postgres) Run(ctx context.Context) error {
	dsn, err := postgres.Address(p.dsn)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	wg.Go(func() { p.send(ctx) })
	p.listen(ctx, dsn)
	wg.Wait()
	p.close()
	return nil
}

// send is the one goroutine that writes: hints in their order, and the lease.
func (p *Postgres) send(ctx context.Context) {
	line := &line{db: p.db.DB}
	defer line.drop()
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	p.renew(ctx, line)
	for {
		again := (<-chan time.Time)(nil)
		if !line.use(ctx, tellWithin, func(ctx context.Context, q querier) bool { return p.flush(ctx, q) }) {
			again = time.After(tellAgain)
		}
		select {
		case <-ctx.Done():
			p.resign(line)
			return
		case <-tick.C:
			p.renew(ctx, line)
		case <-p.wake:
			if again != nil {
				select { // the database is not well: no hurry
				case <-again:
				case <-ctx.Done():
				}
			}
		case <-again:
		}
	}
}

func (p *Postgres) renew(ctx context.Context, line *line) {
	line.use(ctx, renewEvery, func(ctx context.Context, q querier) bool {
		others, lapsed, err := renewLease(ctx, q, p.node)
		if err != nil {
			p.log.Debug("renew lease", "err", err)
			p.others.Store(1) // nobody knows: tell whoever may be there
			return false
		}
		p.others.Store(others)
		if lapsed {
			p.say(hello, "")
		}
		return true
	})
}

// resign tells what is left to tell and ends the lease, so that the others need not wait for it to run out.
func (p *Postgres) resign(line *line) {
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	line.use(context.Background(), time.Second, func(ctx context.Context, q querier) bool {
		if !p.flush(ctx, q) {
			return false
		}
		if err := endLease(ctx, q, p.node); err != nil {
			p.log.Debug("end lease", "err", err) // it runs out by itself
			return false
		}
		return true
	})
}

// line is a connection kept out of the pool, so that hints and the lease need not queue behind requests.
type line struct {
	db   *sql.DB
	conn *sql.Conn
}

func (l *line) use(ctx context.Context, within time.Duration, f func(context.Context, querier) bool) bool {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if l.conn == nil {
		conn, err := l.db.Conn(ctx)
		if err != nil {
			return false
		}
		l.conn = conn
	}
	if f(ctx, l.conn) {
		return true
	}
	l.drop() // it may be broken
	return false
}

func (l *line) drop() {
	if l.conn != nil {
		_ = l.conn.Close()
		l.conn = nil
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

// listen hears the others until ctx ends.
func (p *Postgres) listen(ctx context.Context, dsn string) {
	l := pq.NewDialListener(newDialer(), dsn, 50*time.Millisecond, time.Second, nil)
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
			p.say(hello, "") // who thought to be alone learns otherwise
			p.allLost()      // nothing was heard until now
		case n := <-l.Notify:
			if n == nil { // it was cut off and is back
				clear(p.heard)
				p.say(hello, "")
				p.allLost()
				continue
			}
			p.take(n.Extra)
		}
	}
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
