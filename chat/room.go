package chat

import (
	"sync"

	"chatnow/chat/protocol"
)

// ringSize is how many messages a room remembers. Who is further behind reads the table.
const ringSize = 64

// A room is one chat as this node follows it: the newest messages, ready encoded, and the
// connections that follow. The table is the truth; a room may forget everything at any time.
type room struct {
	id string

	mu        sync.Mutex
	head      int64   // number of the newest message known here
	ring      []entry // without gaps, ending at head
	followers []*follow
}

// entry is one remembered message, encoded once for all customers' and once for all consoles' sockets.
type entry struct {
	msg      Stored
	customer []byte
	console  []byte
}

// frame gives the encoded message for one audience. The room's lock is held.
func (e *entry) frame(chat string, to Audience) []byte {
	if to == ForStaff {
		if e.console == nil {
			e.console = protocol.AppendMessage(make([]byte, 0, 200+len(e.msg.Body)), chat, &e.msg.Message)
		}
		return e.console
	}
	if e.customer == nil {
		e.customer = protocol.AppendMessage(make([]byte, 0, 160+len(e.msg.Body)), "", &e.msg.Message)
	}
	return e.customer
}

// A follow is one connection's place in one chat.
type follow struct {
	room     *room
	conn     *conn
	audience Audience
	cursor   int64 // last number sent; only the connection's drain moves it

	// Guarded by conn.mu:
	own      map[int64]struct{} // numbers this connection wrote itself: it got an ack instead
	queued   bool               // stands in conn.dirty
	gone     bool
	readOnly bool // a champion who only looks on
}

// Rooms is every chat that somebody follows on this node.
type Rooms struct {
	mu sync.RWMutex
	m  map[string]*room
}

func newRooms() *Rooms { return &Rooms{m: map[string]*room{}} }

func (rs *Rooms) get(id string) *room {
	rs.mu.RLock()
	defer rs.mu.RUnlock()
	return rs.m[id]
}

// enter makes a connection follow a chat from cursor on. Follow first, read second: from now on
// it is woken, and its drain merges by number.
func (rs *Rooms) enter(id string, c *conn, to Audience, cursor int64) *follow {
	rs.mu.Lock()
	r := rs.m[id]
	if r == nil {
		r = &room{id: id}
		rs.m[id] = r
	}
	f := &follow{room: r, conn: c, audience: to, cursor: cursor}
	r.mu.Lock()
	r.followers = append(r.followers, f)
	r.mu.Unlock()
	rs.mu.Unlock()
	return f
}

// leave ends a follow; the last one out closes the room.
func (rs *Rooms) leave(f *follow) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := f.room
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, other := range r.followers {
		if other == f {
			last := len(r.followers) - 1
			r.followers[i] = r.followers[last]
			r.followers[last] = nil
			r.followers = r.followers[:last]
			break
		}
	}
	if len(r.followers) == 0 && rs.m[r.id] == r {
		delete(rs.m, r.id)
	}
}

// published tells a chat's followers of committed messages, which come in order.
func (rs *Rooms) published(id string, ms []Stored) {
	if r := rs.get(id); r != nil {
		r.add(ms)
		r.wake()
	}
}

// add remembers messages. A hole empties the memory: the followers then read the table.
func (r *room) add(ms []Stored) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range ms {
		switch {
		case m.Seq <= r.head:
			continue
		case m.Seq != r.head+1:
			r.ring = r.ring[:0]
		case len(r.ring) == ringSize:
			copy(r.ring, r.ring[ringSize/2:])
			clear(r.ring[ringSize/2:])
			r.ring = r.ring[:ringSize/2]
		}
		r.ring = append(r.ring, entry{msg: m})
		r.head = m.Seq
	}
}

// behind notes that the chat is at seq, from somebody who knows; the messages are in the table.
func (r *room) behind(seq int64) {
	r.mu.Lock()
	if seq > r.head {
		r.ring, r.head = r.ring[:0], seq
	}
	r.mu.Unlock()
}

func (r *room) wake() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.followers {
		f.conn.dirtied(f)
	}
}

// since gives the frames after a follower's cursor from memory, but not what its connection wrote itself.
// known is false where the memory does not reach back that far and the table must be read.
func (r *room) since(f *follow, out [][]byte) (frames [][]byte, last int64, own map[int64]struct{}, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.head <= f.cursor {
		return out, f.cursor, nil, r.head > 0 // an empty room knows nothing yet
	}
	if len(r.ring) == 0 || r.ring[0].msg.Seq > f.cursor+1 {
		return out, f.cursor, nil, false
	}
	own = f.takeOwn() // under the room's lock: a number is noted as own before its room hears of it
	for i := int(f.cursor + 1 - r.ring[0].msg.Seq); i < len(r.ring); i++ {
		e := &r.ring[i]
		if _, mine := own[e.msg.Seq]; !mine {
			out = append(out, e.frame(r.id, f.audience))
		}
	}
	return out, r.head, own, true
}

// takeOwn takes the numbers that the connection wrote itself and that its cursor has not passed.
func (f *follow) takeOwn() map[int64]struct{} {
	f.conn.mu.Lock()
	defer f.conn.mu.Unlock()
	own := f.own
	f.own = nil
	return own
}

// tell gives a frame for each audience to the room's connections, but not to except. A nil frame is
// for nobody. Such frames may be dropped by a connection that has too much to do already.
func (rs *Rooms) tell(id string, customer, console []byte, except *conn, droppable bool) {
	r := rs.get(id)
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.followers {
		frame := customer
		if f.audience == ForStaff {
			frame = console
		}
		if frame != nil && f.conn != except {
			f.conn.push(frame, droppable)
		}
	}
}

// ids lists the chats that customers follow here.
func (rs *Rooms) ids(to Audience) []string {
	rs.mu.RLock()
	defer rs.mu.RUnlock()
	var out []string
	for id, r := range rs.m {
		r.mu.Lock()
		for _, f := range r.followers {
			if f.audience == to {
				out = append(out, id)
				break
			}
		}
		r.mu.Unlock()
	}
	return out
}

// seed tells an empty room where the chat stands, after somebody has read the table to its end, so that
// the next one is served from memory.
func (r *room) seed(ms []Stored, cursor int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.head == 0 && cursor > 0 {
		r.head = cursor
		if n := min(len(ms), ringSize/2); n > 0 {
			for _, m := range ms[len(ms)-n:] {
				r.ring = append(r.ring, entry{msg: m})
			}
		}
	}
}
