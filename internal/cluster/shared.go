package cluster

import (
	"context"
	"database/sql"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"

	"chatnow/internal/postgres"
)

const (
	maxOutgoing = 4096            // hints that may wait to be told to other nodes
	tellWithin  = 3 * time.Second // of one NOTIFY
	tellAgain   = 200 * time.Millisecond
)

// Shared carries hints between the nodes on one database, which keeps their leases. Whatever carries
// them, one goroutine sends what has gathered at once, and nothing while no other node is alive.
type Shared struct {
	*Local
	db      *sqlx.DB
	carrier carrier
	log     *slog.Logger
	others  atomic.Int32 // nodes alive beside this one

	mu      sync.Mutex
	waiting []Hint
	words   []envelope // hello and welcome
	gap     bool       // hints were left out: leave out a number too
	number  int64      // of the last envelope
	over    bool       // Run has ended
	wake    chan struct{}

	heard map[string]int64 // the last number of each other node; belongs to the listening goroutine
}

// carrier brings envelopes to the other nodes, at most once: the numbers tell who missed one.
type carrier interface {
	// tell sends envelopes in their order. After an error they may have arrived or not. q is a connection
	// to the database.
	tell(ctx context.Context, q querier, payloads []string) error
	// listen gives what others say to take, and calls up whenever it begins to hear, first or again,
	// until ctx ends. Both are called by one goroutine.
	listen(ctx context.Context, up func(), take func(payload string))
	close() // after the last envelope
}

// NewPostgres makes a bus on NOTIFY. dsn is for the one connection that listens.
func NewPostgres(db *sqlx.DB, dsn string, log *slog.Logger) (*Shared, error) {
	address, err := postgres.Address(dsn)
	if err != nil {
		return nil, err
	}
	return newShared(db, &notify{address}, log), nil
}

func newShared(db *sqlx.DB, c carrier, log *slog.Logger) *Shared {
	p := &Shared{Local: NewLocal(), db: db, carrier: c, log: log, wake: make(chan struct{}, 1), heard: map[string]int64{}}
	p.others.Store(1) // until the table says otherwise
	return p
}

// Alone reports whether there is nobody else to tell.
func (p *Shared) Alone() bool { return p.others.Load() == 0 }

// Publish tells this node at once, and leaves it to the sender to tell the others if there are any.
func (p *Shared) Publish(ctx context.Context, hints ...Hint) {
	p.Local.Publish(ctx, hints...)
	if len(hints) == 0 {
		return
	}
	p.mu.Lock()
	if p.Alone() && len(p.waiting) == 0 && !p.over {
		p.gap = true // should somebody listen after all, he finds out
		p.mu.Unlock()
		return
	}
	switch {
	case p.Alone():
		p.gap = true
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

func (p *Shared) ring() {
	select {
	case p.wake <- struct{}{}:
	default: // the sender will look anyway
	}
}

// say queues a word to the other nodes.
func (p *Shared) say(word, to string) {
	p.mu.Lock()
	if len(p.words) < maxOutgoing {
		p.words = append(p.words, envelope{Node: p.node, Word: word, To: to})
	}
	p.mu.Unlock()
	p.ring()
}

// flush tells the others what has gathered, with one NOTIFY statement. What could not be told stays.
func (p *Shared) flush(ctx context.Context, q querier) bool {
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
	err := p.carrier.tell(ctx, q, payloads)
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
func (p *Shared) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { p.send(ctx) })
	p.carrier.listen(ctx, func() { // nothing was heard until now
		clear(p.heard)
		p.say(hello, "") // who thought to be alone learns otherwise
		p.allLost()
	}, p.take)
	wg.Wait()
	p.close()
	p.carrier.close()
	return nil
}

// send is the one goroutine that writes: hints in their order, and the lease.
func (p *Shared) send(ctx context.Context) {
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

func (p *Shared) renew(ctx context.Context, line *line) {
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
func (p *Shared) resign(line *line) {
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	line.use(context.Background(), tellWithin, func(ctx context.Context, q querier) bool {
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
