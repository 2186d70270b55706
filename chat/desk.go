package chat

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"

	"chatnow/chat/protocol"
	"chatnow/internal/accounts"
	"chatnow/internal/cluster"
	"chatnow/internal/files"
	"chatnow/internal/postgres"
	"chatnow/internal/settings"
	"chatnow/internal/web"
	"chatnow/tickets"
)

// Desk is this node's side of all chats: its rooms, its sockets, its share of the queue.
type Desk struct {
	Files *files.Service

	db       *sqlx.DB
	srv      *web.Server
	settings *settings.Store
	people   *accounts.Service
	tickets  *tickets.Desk
	bus      cluster.Bus
	now      func() time.Time
	log      *slog.Logger

	entries *Log
	rooms   *Rooms
	floor   *floor
	sockets sockets
	rereads rereads
}

// NewDesk makes the desk. Run must be running while it serves.
func NewDesk(db *sqlx.DB, srv *web.Server, st *settings.Store, people *accounts.Service, tk *tickets.Desk, bus cluster.Bus, now func() time.Time, log *slog.Logger) *Desk {
	d := &Desk{db: db, srv: srv, settings: st, people: people, tickets: tk, bus: bus, now: now, log: log, rooms: newRooms()}
	d.entries = NewLog(db, now, log, d.committed)
	d.floor = newFloor(d)
	d.sockets.ctx, d.sockets.cancel = context.WithCancel(context.Background())
	d.sockets.conns = map[*conn]string{}
	bus.Subscribe("chat", d.heard, d.lost)
	bus.Subscribe("floor", func(cluster.Hint) { d.floor.wake() }, d.floor.wake)
	bus.Subscribe("session", func(cluster.Hint) { d.recheck() }, d.recheck)
	bus.Subscribe("ticket", d.floor.ticket, d.floor.lostTickets)
	st.OnChange(func(*settings.Snapshot) { d.floor.wake() })
	return d
}

// Observe is told of each commit of the log; call it before Run.
func (d *Desk) Observe(f func(messages int, took time.Duration)) { d.entries.observe = f }

// Sockets tells how many sockets of each kind are open on this node.
func (d *Desk) Sockets() map[string]int {
	d.sockets.mu.Lock()
	defer d.sockets.mu.Unlock()
	out := map[string]int{"customer": 0, "console": 0}
	for _, what := range d.sockets.conns {
		if strings.HasPrefix(what, consolePrefix) {
			out["console"]++
		} else {
			out["customer"]++
		}
	}
	return out
}

// Run keeps the log and the floor until ctx ends. Sockets are ended before, by Drain.
func (d *Desk) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, part := range []func(context.Context) error{d.entries.Run, d.floor.run, d.heartbeat} {
		wg.Go(func() {
			if err := part(ctx); err != nil {
				d.log.Error("chat", "err", err)
			}
		})
	}
	wg.Wait()
	return nil
}

var newMessages = []byte{'m'}

// committed hears of new messages from the log.
func (d *Desk) committed(chat string, ms []Stored) {
	d.rooms.published(chat, ms)
	d.bus.Publish(d.sockets.ctx, cluster.Hint{Topic: "chat", Key: chat, Body: newMessages, Others: true})
	d.floor.talked(chat)
}

// lost reads everything that is followed here again.
func (d *Desk) lost() {
	for _, to := range []Audience{ForCustomer, ForStaff} {
		for _, id := range d.rooms.ids(to) {
			d.heard(cluster.Hint{Key: id, Body: []byte{'s'}})
		}
	}
}

// show gives a chat's new state to those who follow it here.
func (d *Desk) show(c *Chat) {
	place := d.floor.place(c.ID)
	d.rooms.tell(c.ID, d.chatFrame(c, ForCustomer, place), d.chatFrame(c, ForStaff, place), nil, false)
}

func (d *Desk) chatFrame(c *Chat, to Audience, place Place) []byte {
	v := c.View(to, place)
	if to == ForCustomer && c.State == Missed {
		v["draft"] = map[string]string{"subject": subject(c.Question), "description": c.Question}
		v["ticket_url"] = "/tickets/new"
	}
	return protocol.Encode("chat", map[string]any{"chat": v})
}

// change applies an event to a chat under its row's lock, tells everybody, and gives the chat as it is
// then. more runs in the same transaction. ErrMoot comes back with the chat unchanged.
func (d *Desk) change(ctx context.Context, id string, ev Event, more func(tx *sqlx.Tx, c *Chat) error) (*Chat, error) {
	var c *Chat
	var said []Stored
	err := postgres.InTx(ctx, d.db, func(tx *sqlx.Tx) (err error) {
		if c, err = get(ctx, tx, true, `c.id = $1`, id); err != nil {
			return err
		}
		now := d.now().UTC().Truncate(time.Millisecond)
		next, lines, err := c.Session.Apply(ev, now)
		if err != nil {
			return err
		}
		c.Session = next
		if more != nil {
			if err := more(tx, c); err != nil {
				return err
			}
		}
		said, err = save(ctx, tx, c, lines, now)
		return err
	})
	if err != nil {
		return c, err
	}
	d.changed(ctx, c, said)
	return c, nil
}

// changed tells rooms, floor and the other nodes, after the commit.
func (d *Desk) changed(ctx context.Context, c *Chat, said []Stored) {
	if len(said) > 0 {
		d.rooms.published(c.ID, said)
	}
	d.show(c)
	d.bus.Publish(ctx, cluster.Hint{Topic: "chat", Key: c.ID, Body: []byte{'s'}}, cluster.Hint{Topic: "floor"})
}

// moot reports whether an event had simply nothing to do.
func moot(err error) bool { return errors.Is(err, ErrMoot) }

// sockets is the list of connections and of the goroutines that serve them.
type sockets struct {
	ctx      context.Context
	cancel   context.CancelFunc
	mu       sync.Mutex
	conns    map[*conn]string // what it is: a chat's id, or "console:" and a person's
	draining bool
	wg       sync.WaitGroup
}

// spawn runs f on the list; it is false when the list is closed.
func (s *sockets) spawn(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining && s.ctx.Err() != nil {
		return false
	}
	s.wg.Go(f)
	return true
}

func (s *sockets) add(c *conn, what string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return false
	}
	s.conns[c] = what
	return true
}

func (s *sockets) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

func (s *sockets) all() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		out = append(out, c)
	}
	return out
}

// later runs f in a moment, for what waits for the database to come back.
func (d *Desk) later(f func()) {
	d.sockets.spawn(func() {
		select {
		case <-time.After(500 * time.Millisecond):
			f()
		case <-d.sockets.ctx.Done():
		}
	})
}
