package cluster

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// Leases by database time, so that nodes with wrong clocks agree. A node renews well before it ends.
const (
	leaseFor   = 8 * time.Second
	renewEvery = 2 * time.Second
	channel    = "chatnow"
	maxPayload = 7900 // NOTIFY takes 7,999 bytes
)

// Postgres carries hints by NOTIFY on the common database. A NOTIFY makes commits wait for each other,
// so there is one for each Publish, and none while no other node is alive.
type Postgres struct {
	*Local
	db     *sqlx.DB
	dsn    string
	log    *slog.Logger
	others atomic.Int32

	mu   sync.Mutex
	lost []func()
}

// NewPostgres makes the bus. dsn is for the connection that listens.
func NewPostgres(db *sqlx.DB, dsn string, log *slog.Logger) *Postgres {
	p := &Postgres{Local: NewLocal(), db: db, dsn: dsn, log: log}
	p.others.Store(1) // until the table says otherwise
	return p
}

// envelope is what one NOTIFY holds.
type envelope struct {
	Node  string `json:"n"`
	Hints []Hint `json:"h"`
}

// Alone reports whether there is nobody else to tell.
func (p *Postgres) Alone() bool { return p.others.Load() == 0 }

// Publish tells this node at once, and the others if there are any.
func (p *Postgres) Publish(ctx context.Context, hints ...Hint) {
	p.Local.Publish(ctx, hints...)
	if p.Alone() || len(hints) == 0 {
		return
	}
	p.notify(context.WithoutCancel(ctx), hints)
}

func (p *Postgres) notify(ctx context.Context, hints []Hint) {
	payload, err := json.Marshal(envelope{p.node, hints})
	if err != nil {
		return
	}
	if len(payload) > maxPayload { // first the bodies go, then the batch is split
		bare := make([]Hint, len(hints))
		for i, h := range hints {
			bare[i] = Hint{Topic: h.Topic, Key: h.Key}
		}
		if payload, err = json.Marshal(envelope{p.node, bare}); err != nil {
			return
		}
		if len(payload) > maxPayload && len(hints) > 1 {
			p.notify(ctx, hints[:len(hints)/2])
			p.notify(ctx, hints[len(hints)/2:])
			return
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if _, err := p.db.ExecContext(ctx, `SELECT pg_notify($1, $2)`, channel, string(payload)); err != nil {
		p.log.Debug("tell other nodes", "err", err) // they find out by reading
	}
}

// Subscribe also remembers what to do after hints may have been missed.
func (p *Postgres) Subscribe(topic string, f func(Hint), lost func()) {
	p.Local.Subscribe(topic, f, nil)
	p.mu.Lock()
	defer p.mu.Unlock()
	if lost != nil {
		p.lost = append(p.lost, lost)
	}
}

// Run renews this node's lease and gives the others' hints to the subscribers, until ctx ends.
func (p *Postgres) Run(ctx context.Context) error {
	missed := make(chan struct{}, 1)
	l := pq.NewListener(p.dsn, 100*time.Millisecond, 5*time.Second, func(ev pq.ListenerEventType, err error) {
		if ev == pq.ListenerEventReconnected {
			select {
			case missed <- struct{}{}:
			default:
			}
		}
	})
	defer l.Close()
	if err := l.Listen(channel); err != nil && ctx.Err() == nil {
		p.log.Warn("listen to other nodes", "err", err) // the listener goes on trying
	}
	p.renew(ctx)
	p.notify(ctx, []Hint{{Topic: "node"}}) // who thought to be alone learns otherwise now
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			p.resign()
			return nil
		case <-tick.C:
			p.renew(ctx)
		case <-missed:
			p.allLost()
		case n := <-l.Notify:
			if n == nil {
				p.allLost()
				continue
			}
			p.take(n.Extra)
		}
	}
}

func (p *Postgres) take(payload string) {
	var e envelope
	if err := json.Unmarshal([]byte(payload), &e); err != nil || e.Node == p.node {
		return
	}
	p.others.CompareAndSwap(0, 1) // somebody is there, whatever the last look said
	for _, h := range e.Hints {
		h.Local = false
		p.Local.mu.RLock()
		subs := p.Local.subs[h.Topic]
		p.Local.mu.RUnlock()
		for _, f := range subs {
			f(h)
		}
	}
}

func (p *Postgres) allLost() {
	p.mu.Lock()
	lost := append([]func(){}, p.lost...)
	p.mu.Unlock()
	for _, f := range lost {
		f()
	}
}

// renew extends the lease, clears the dead and counts the living.
func (p *Postgres) renew(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, renewEvery)
	defer cancel()
	var others int32
	err := p.db.GetContext(ctx, &others, `
		WITH mine AS (
			INSERT INTO nodes (id, expires_at) VALUES ($1, now() + make_interval(secs => $2))
			ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at
		), dead AS (DELETE FROM nodes WHERE expires_at < now() - interval '1 hour')
		SELECT count(*) FROM nodes WHERE id <> $1 AND expires_at > now()`, p.node, leaseFor.Seconds())
	if err != nil {
		return // the next look
	}
	p.others.Store(others)
}

// resign ends the lease, so that the others need not wait for it to run out.
func (p *Postgres) resign() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if _, err := p.db.ExecContext(ctx, `DELETE FROM nodes WHERE id = $1`, p.node); err != nil {
		p.log.Debug("resign", "err", err) // it runs out by itself
	}
}
