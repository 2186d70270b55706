package web

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// A Cork holds back what is written to a connection, so that frames which wait
// for one socket together leave in one system call. It serves the sockets: a
// chat's tail of delivery halves by it.
type Cork struct {
	net.Conn
	mu   sync.Mutex
	held bool
	buf  []byte
}

// maxHeld bounds what is held back; beyond it, held bytes go out at once.
const maxHeld = 64 << 10

// Write holds or writes.
func (k *Cork) Write(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.held {
		return k.Conn.Write(p)
	}
	k.buf = append(k.buf, p...)
	if len(k.buf) >= maxHeld {
		return len(p), k.flush()
	}
	return len(p), nil
}

// Hold begins to hold back.
func (k *Cork) Hold() {
	k.mu.Lock()
	k.held = true
	k.mu.Unlock()
}

// Release writes what was held back, and holds nothing from then on.
func (k *Cork) Release() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.held = false
	return k.flush()
}

func (k *Cork) flush() error {
	if len(k.buf) == 0 {
		return nil
	}
	_, err := k.Conn.Write(k.buf)
	if cap(k.buf) > 4<<10 {
		k.buf = nil // an idle socket keeps no large buffer
	} else {
		k.buf = k.buf[:0]
	}
	return err
}

type corkListener struct{ net.Listener }

func (l corkListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &Cork{Conn: c}, nil
}

type corkKey struct{}

func corkContext(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, corkKey{}, c)
}

// CorkOf gives the cork of the request's connection, or nil behind another server (a test's, for one).
func CorkOf(r *http.Request) *Cork {
	k, _ := r.Context().Value(corkKey{}).(*Cork)
	return k
}
