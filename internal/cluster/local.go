package cluster

import (
	"context"
	"sync"

	"github.com/google/uuid"
)

// Local is the bus of a single process: a function call.
type Local struct {
	mu   sync.RWMutex
	subs map[string][]func(Hint)
	node string
}

// NewLocal makes a bus for one process.
func NewLocal() *Local { return &Local{subs: map[string][]func(Hint){}, node: uuid.NewString()} }

// Publish calls the subscribers.
func (l *Local) Publish(_ context.Context, hints ...Hint) {
	for _, h := range hints {
		h.Local = true
		l.mu.RLock()
		subs := l.subs[h.Topic]
		l.mu.RUnlock()
		for _, f := range subs {
			f(h)
		}
	}
}

// Subscribe registers f; nothing is ever lost in one process.
func (l *Local) Subscribe(topic string, f func(Hint), _ func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.subs[topic] = append(append([]func(Hint){}, l.subs[topic]...), f)
}

// Run waits for the end.
func (l *Local) Run(ctx context.Context) error { <-ctx.Done(); return nil }

// Node is this process's id.
func (l *Local) Node() string { return l.node }

// Alone is true: there is nobody else to tell.
func (l *Local) Alone() bool { return true }
