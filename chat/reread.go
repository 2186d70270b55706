package chat

import (
	"context"
	"sync"
	"time"

	"chatnow/internal/cluster"
	"chatnow/internal/fault"
)

// rereads are the chats that are being read because another node has changed them: one read at a time for each, and
// once more when a hint came meanwhile, so that a flood of hints, or a database that is away, costs a read a chat.
type rereads struct {
	mu sync.Mutex
	m  map[string]*reread
}

type reread struct{ again, state bool } // state: not only messages

// heard takes another node's hint: "m" for messages, "s" for a change of state. What it says is read from the table.
func (d *Desk) heard(h cluster.Hint) {
	if h.Local || len(h.Body) == 0 || d.rooms.get(h.Key) == nil {
		return
	}
	r := &d.rereads
	r.mu.Lock()
	defer r.mu.Unlock()
	state := h.Body[0] == 's'
	if under := r.m[h.Key]; under != nil {
		under.again, under.state = true, under.state || state
		return
	}
	if r.m == nil {
		r.m = map[string]*reread{}
	}
	r.m[h.Key] = &reread{state: state}
	if !d.sockets.spawn(func() { d.reread(h.Key) }) {
		delete(r.m, h.Key)
	}
}

// reread reads a chat until no hint came meanwhile. It may have been the last word for a long time, so a database that
// is away is asked again for as long as anybody here follows the chat.
func (d *Desk) reread(id string) {
	r := &d.rereads
	pause := 100 * time.Millisecond
	for {
		r.mu.Lock()
		under := r.m[id]
		state := under.state
		under.again, under.state = false, false
		r.mu.Unlock()
		ctx, cancel := context.WithTimeout(d.sockets.ctx, 5*time.Second)
		c, err := get(ctx, d.db, false, `c.id = $1`, id)
		cancel()
		if err == nil {
			pause = 100 * time.Millisecond
			if room := d.rooms.get(id); room != nil {
				room.behind(c.Seq)
				room.wake()
			}
			if state {
				d.show(c)
			}
		}
		failed := err != nil && fault.KindOf(err) != fault.Missing && d.rooms.get(id) != nil && d.sockets.ctx.Err() == nil
		r.mu.Lock()
		if failed {
			under.state = under.state || state
		} else if !under.again {
			delete(r.m, id)
			r.mu.Unlock()
			return
		}
		r.mu.Unlock()
		if failed {
			select {
			case <-time.After(pause):
			case <-d.sockets.ctx.Done():
			}
			pause = min(2*pause, 2*time.Second)
		}
	}
}
