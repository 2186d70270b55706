package chat

import (
	"context"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/lib/pq"

	"chatnow/chat/protocol"
	"chatnow/internal/cluster"
	"chatnow/internal/postgres"
)

const consolePrefix = "console:"

// renewLeases says for every champion and customer with a socket here that they are there.
func (d *Desk) renewLeases(ctx context.Context) error {
	var champions, chats []string
	d.sockets.mu.Lock()
	for _, what := range d.sockets.conns {
		if id, ok := strings.CutPrefix(what, consolePrefix); ok {
			champions = append(champions, id)
		} else {
			chats = append(chats, what)
		}
	}
	d.sockets.mu.Unlock()
	if len(champions) > 0 {
		if _, err := d.db.ExecContext(ctx, `INSERT INTO presence_leases (person_id, node_id, expires_at)
			SELECT DISTINCT p.id, $2::uuid, $3::timestamptz FROM unnest($1::uuid[]) AS p (id)
			ON CONFLICT (person_id, node_id) DO UPDATE SET expires_at = excluded.expires_at`,
			pq.StringArray(champions), d.bus.Node(), d.now().Add(leaseFor)); err != nil {
			return postgres.Kind(ctx, err)
		}
	}
	if len(chats) > 0 { // only those that somebody thought gone
		if _, err := d.db.ExecContext(ctx, `UPDATE chats SET customer_gone_at = NULL, customer_node = $2 WHERE id = ANY ($1::uuid[]) AND customer_gone_at IS NOT NULL`,
			pq.StringArray(chats), d.bus.Node()); err != nil {
			return postgres.Kind(ctx, err)
		}
	}
	// The customers of a node that died are gone since then.
	_, err := d.db.ExecContext(ctx, `UPDATE chats c SET customer_gone_at = $1 WHERE c.state IN ('queued', 'active') AND c.customer_gone_at IS NULL
		AND c.customer_node IS NOT NULL AND c.customer_node <> $2 AND NOT EXISTS (SELECT FROM nodes n WHERE n.id = c.customer_node AND n.expires_at > now())`,
		d.now(), d.bus.Node())
	return postgres.Kind(ctx, err)
}

// attend notes that a customer's socket came or went.
func (d *Desk) attend(ctx context.Context, chat string, here bool) {
	var err error
	if here {
		_, err = d.db.ExecContext(ctx, `UPDATE chats SET customer_gone_at = NULL, customer_node = $2 WHERE id = $1`, chat, d.bus.Node())
	} else if !d.anySocket(chat) {
		_, err = d.db.ExecContext(ctx, `UPDATE chats SET customer_gone_at = $3 WHERE id = $1 AND customer_node = $2 AND state IN ('queued', 'active')`, chat, d.bus.Node(), d.now())
	}
	if err != nil {
		d.log.Debug("note who is there", "err", err) // the next look at the floor mends it
		return
	}
	if c, err := get(ctx, d.db, false, `c.id = $1`, chat); err == nil {
		d.rooms.tell(chat, nil, d.chatFrame(c, ForStaff, d.floor.place(chat)), nil, true)
	}
}

func (d *Desk) anySocket(what string) bool {
	d.sockets.mu.Lock()
	defer d.sockets.mu.Unlock()
	for _, other := range d.sockets.conns {
		if other == what {
			return true
		}
	}
	return false
}

// setPresence keeps what a champion wants.
func (d *Desk) setPresence(ctx context.Context, person, state string, capacity *int) error {
	_, err := d.db.ExecContext(ctx, `INSERT INTO presence (person_id, state, capacity, changed_at)
		VALUES ($1, $2, COALESCE($3, (SELECT capacity FROM people WHERE id = $1)), $4)
		ON CONFLICT (person_id) DO UPDATE SET state = excluded.state, capacity = COALESCE($3, presence.capacity), changed_at = excluded.changed_at`,
		person, state, capacity, d.now())
	if err == nil {
		err = d.renewLeases(ctx)
	}
	d.floor.wake()
	d.bus.Publish(ctx, cluster.Hint{Topic: "floor"})
	return postgres.Kind(ctx, err)
}

// tellConsoles gives a frame to every champion here. A push may start a writer, which goes on the list of
// sockets, so the list is not held meanwhile.
func (d *Desk) tellConsoles(frame []byte) {
	var all []*conn
	d.sockets.mu.Lock()
	for c, what := range d.sockets.conns {
		if strings.HasPrefix(what, consolePrefix) {
			all = append(all, c)
		}
	}
	d.sockets.mu.Unlock()
	for _, c := range all {
		c.push(frame, false)
	}
}

const beatEvery = 20 * time.Second

// heartbeat ticks for scripts and pings for dead links, every 20 seconds.
func (d *Desk) heartbeat(ctx context.Context) error {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for _, c := range d.sockets.all() {
			c.push(protocol.Tick, true)
			d.sockets.spawn(func() {
				ctx, cancel := context.WithTimeout(c.ctx, writeWithin)
				defer cancel()
				if err := c.ws.Ping(ctx); err != nil {
					c.cancel()
				}
			})
		}
	}
}

// Drain tells every socket to come back elsewhere, closes them, and waits for their goroutines.
func (d *Desk) Drain() {
	d.sockets.mu.Lock()
	d.sockets.draining = true
	d.sockets.mu.Unlock()
	for i, c := range d.sockets.all() {
		// Spread over two seconds, so that they do not come back all at once.
		bye := protocol.Bye("restart", time.Duration(500+i*7%2000)*time.Millisecond)
		d.sockets.spawn(func() {
			ctx, cancel := context.WithTimeout(c.ctx, 2*time.Second)
			defer cancel()
			_ = c.ws.Write(ctx, websocket.MessageText, bye) // one who is gone needs no farewell
			end := time.AfterFunc(2*time.Second, c.cancel)
			defer end.Stop()
			_ = c.ws.Close(websocket.StatusServiceRestart, "restart")
		})
	}
	done := make(chan struct{})
	go func() { d.sockets.wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(4 * time.Second):
	}
	d.sockets.cancel()
	<-done
}
