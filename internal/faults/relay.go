package faults

import (
	"context"
	"net"
	"sync"
	"time"
)

// A relay is a line that can be cut, stilled and slowed.
type relay struct {
	l    net.Listener
	dial func() (net.Conn, error)
	wg   sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	cut   bool
	delay time.Duration
	still chan struct{} // nil, or closed when data flows again
	over  chan struct{}
}

func newRelay(dial func() (net.Conn, error)) (*relay, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &relay{l: l, dial: dial, conns: map[net.Conn]struct{}{}, over: make(chan struct{})}
	r.wg.Go(r.accept)
	return r, nil
}

func (r *relay) addr() string { return r.l.Addr().String() }

func (r *relay) accept() {
	for {
		c, err := r.l.Accept()
		if err != nil {
			return // closed
		}
		r.wg.Go(func() { r.join(c) })
	}
}

// join carries both ways until one end is gone.
func (r *relay) join(in net.Conn) {
	defer in.Close()
	if !r.keep(in) {
		return
	}
	defer r.forget(in)
	out, err := r.dial()
	if err != nil {
		return
	}
	defer out.Close()
	if !r.keep(out) {
		return
	}
	defer r.forget(out)
	var both sync.WaitGroup
	both.Go(func() { r.carry(out, in) })
	both.Go(func() { r.carry(in, out) })
	both.Wait()
}

func (r *relay) carry(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if !r.pass() {
				return
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// pass waits as long as the line is still or slow; it is false when the relay has ended.
func (r *relay) pass() bool {
	r.mu.Lock()
	still, delay := r.still, r.delay
	r.mu.Unlock()
	if still != nil {
		select {
		case <-still:
		case <-r.over:
			return false
		}
	}
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-r.over:
			return false
		}
	}
	return true
}

func (r *relay) keep(c net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cut {
		return false
	}
	r.conns[c] = struct{}{}
	return true
}

func (r *relay) forget(c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, c)
}

// sever ends all connections and lets no new ones through until heal.
func (r *relay) sever() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut = true
	for c := range r.conns {
		_ = c.Close() // its carrier sees it
	}
}

// silence keeps connections and lets nothing through until heal.
func (r *relay) silence() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.still == nil {
		r.still = make(chan struct{})
	}
}

func (r *relay) slow(by time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.delay = by
}

// heal makes the line good again; what was held back arrives now.
func (r *relay) heal() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut, r.delay = false, 0
	if r.still != nil {
		close(r.still)
		r.still = nil
	}
}

func (r *relay) close() {
	close(r.over)
	_ = r.l.Close()
	r.sever()
	r.wg.Wait()
}

// wait pauses, unless ctx ends.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
