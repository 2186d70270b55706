package chat

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/coder/websocket"

	"chatnow/chat/protocol"
	"chatnow/internal/accounts"
	"chatnow/internal/web"
)

// Limits of a connection. One that reads too slowly is cut off and resumes; nobody waits for it.
const (
	maxQueued    = 1024
	maxDroppable = 64 // typing and the like only while little else waits
	writeWithin  = 10 * time.Second
	helloWithin  = 10 * time.Second
	maxInFlight  = 64 // messages of one connection on their way to disk
	maxBad       = 20 // bad frames, then the socket is closed with 1008
	page         = 500
)

// A conn is one socket. A goroutine reads it; another writes, only while there is something to write.
type conn struct {
	ws     *websocket.Conn
	cork   *web.Cork
	desk   *Desk
	me     *accounts.Person // of a console; nil for a customer. Set before the connection is on the list
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	queue   [][]byte
	dirty   []*follow
	follows map[string]*follow
	writing bool
	closed  bool
	flight  chan struct{} // tokens for messages on their way to disk
	bad     int
}

func newConn(d *Desk, ws *websocket.Conn, cork *web.Cork) *conn {
	c := &conn{ws: ws, cork: cork, desk: d, follows: map[string]*follow{}}
	c.ctx, c.cancel = context.WithCancel(d.sockets.ctx)
	return c
}

// push queues a frame. A full queue means that the other side does not read: it is cut off.
func (c *conn) push(frame []byte, droppable bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || (droppable && len(c.queue) > maxDroppable) {
		return
	}
	if len(c.queue) >= maxQueued {
		c.closed = true
		c.cancel() // the reader sees it, and cleans up
		return
	}
	c.queue = append(c.queue, frame)
	c.kick()
}

func (c *conn) fail(e *protocol.Error) { c.push(protocol.AppendError(nil, e), false) }

// dirtied notes that a chat has something new for this connection.
func (c *conn) dirtied(f *follow) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || f.queued || f.gone {
		return
	}
	f.queued = true
	c.dirty = append(c.dirty, f)
	c.kick()
}

// wrote notes that this connection itself wrote a number: it gets an ack for it and no message.
func (c *conn) wrote(f *follow, seq int64, ack []byte) {
	c.mu.Lock()
	if f.own == nil {
		f.own = map[int64]struct{}{}
	}
	f.own[seq] = struct{}{}
	c.mu.Unlock()
	c.push(ack, false)
}

// kick starts the writer if none runs. The lock is held.
func (c *conn) kick() {
	if c.writing || c.closed {
		return
	}
	c.writing = true
	if !c.desk.sockets.spawn(c.drain) {
		c.closed = true
	}
}

// drain writes until there is nothing left to write. What waits together leaves in one write.
func (c *conn) drain() {
	for {
		c.mu.Lock()
		if c.closed || (len(c.queue) == 0 && len(c.dirty) == 0) {
			c.writing = false
			c.mu.Unlock()
			return
		}
		queue, dirty := c.queue, c.dirty
		c.queue, c.dirty = nil, nil
		for _, f := range dirty {
			f.queued = false
		}
		c.mu.Unlock()
		if err := c.send(queue, dirty); err != nil {
			c.mu.Lock()
			c.closed, c.writing = true, false
			c.mu.Unlock()
			c.cancel()
			return
		}
	}
}

func (c *conn) send(queue [][]byte, dirty []*follow) (err error) {
	if c.cork != nil && len(queue)+len(dirty) > 1 {
		c.cork.Hold()
		defer func() { err = errors.Join(err, c.cork.Release()) }()
	}
	for _, frame := range queue {
		if err := c.write(frame); err != nil {
			return err
		}
	}
	for _, f := range dirty {
		if err := c.catchUp(f); err != nil {
			return err
		}
	}
	return nil
}

func (c *conn) write(frame []byte) error {
	ctx, cancel := context.WithTimeout(c.ctx, writeWithin)
	defer cancel()
	return c.ws.Write(ctx, websocket.MessageText, frame)
}

// catchUp sends what is above the cursor: from memory when that reaches back far enough, from the
// table otherwise. Only this goroutine moves the cursor, so nothing is sent twice and nothing left out.
func (c *conn) catchUp(f *follow) error {
	for {
		var space [8][]byte
		frames, last, own, known := f.room.since(f, space[:0])
		if known {
			for _, frame := range frames {
				if err := c.write(frame); err != nil {
					return err
				}
			}
			f.cursor = last
			c.keepOwn(f, own)
			return nil
		}
		ms, err := readMessages(c.ctx, c.desk.db, f.room.id, f.cursor, page)
		own = f.takeOwn() // after the reading: what was written by then is in it
		if err != nil {
			c.keepOwn(f, own)
			if c.ctx.Err() != nil {
				return c.ctx.Err()
			}
			c.desk.later(func() { c.dirtied(f) }) // the database will be back; nothing is lost meanwhile
			return nil
		}
		for i := range ms {
			if _, mine := own[ms[i].Seq]; !mine {
				chat := ""
				if f.audience == ForStaff {
					chat = f.room.id
				}
				if err := c.write(protocol.AppendMessage(nil, chat, &ms[i].Message)); err != nil {
					return err
				}
			}
			f.cursor = ms[i].Seq
		}
		c.keepOwn(f, own)
		if len(ms) < page {
			f.room.seed(ms, f.cursor)
			return nil
		}
	}
}

// keepOwn puts back the own numbers that are still ahead of the cursor.
func (c *conn) keepOwn(f *follow, own map[int64]struct{}) {
	for seq := range own {
		if seq <= f.cursor {
			delete(own, seq)
		}
	}
	if len(own) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.own == nil {
		f.own = own
		return
	}
	for seq := range own {
		f.own[seq] = struct{}{}
	}
}

func (c *conn) enter(id string, to Audience, cursor int64) *follow {
	c.mu.Lock()
	old := c.follows[id]
	c.mu.Unlock()
	if old != nil {
		return old
	}
	f := c.desk.rooms.enter(id, c, to, cursor)
	c.mu.Lock()
	c.follows[id] = f
	c.mu.Unlock()
	c.dirtied(f)
	return f
}

func (c *conn) leave(id string) {
	c.mu.Lock()
	f := c.follows[id]
	delete(c.follows, id)
	if f != nil {
		f.gone = true
	}
	c.mu.Unlock()
	if f != nil {
		c.desk.rooms.leave(f)
	}
}

func (c *conn) following(id string) *follow {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.follows[id]
}

// shut leaves all rooms and closes the socket.
func (c *conn) shut(code websocket.StatusCode, reason string) {
	c.mu.Lock()
	c.closed = true
	ids := make([]string, 0, len(c.follows))
	for id := range c.follows {
		ids = append(ids, id)
	}
	c.mu.Unlock()
	for _, id := range ids {
		c.leave(id)
	}
	if code != 0 {
		_ = c.ws.Close(code, reason)
	}
	_ = c.ws.CloseNow()
	c.cancel()
}
