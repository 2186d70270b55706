package web

import (
	"net"
	"net/http"
	"sync"
)

// fresh are connections on which nothing has been asked yet: browsers open them in advance. http.Server waits five
// seconds for their first byte before it ends; nobody loses anything when they are closed at once.
type fresh struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
	over  bool
}

// note is the server's ConnState.
func (f *fresh) note(c net.Conn, state http.ConnState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case state != http.StateNew:
		delete(f.conns, c)
	case f.over:
		_ = c.Close()
	default:
		if f.conns == nil {
			f.conns = map[net.Conn]struct{}{}
		}
		f.conns[c] = struct{}{}
	}
}

// end closes them, and every one that is still to come.
func (f *fresh) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.over = true
	for c := range f.conns {
		_ = c.Close()
	}
	f.conns = nil
}
