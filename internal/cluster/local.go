package cluster

import (
	"context"

	"github.com/google/uuid"
)

// Local is the bus of a single process: queues in memory, one for each topic.
type Local struct {
	*dispatcher
	node string
}

// NewLocal makes a bus for one process. It works without Run, which only waits for the end.
func NewLocal() *Local { return &Local{dispatcher: newDispatcher(), node: uuid.NewString()} }

// Publish gives hints to the subscribers of this process, and does not wait for them.
func (l *Local) Publish(_ context.Context, hints ...Hint) {
	for _, h := range hints {
		if h.Others {
			continue
		}
		h.Local = true
		l.post(h)
	}
}

// Subscribe registers f; lost is called when f falls too far behind.
func (l *Local) Subscribe(topic string, f func(Hint), lost func()) {
	l.subscribe(topic, subscriber{hear: f, lost: lost})
}

// Run waits for the end of ctx, and then for the subscribers. Hints after that go nowhere.
func (l *Local) Run(ctx context.Context) error {
	l.run(ctx)
	return nil
}

// Node is this process's id.
func (l *Local) Node() string { return l.node }

// Alone is true: there is nobody else to tell.
func (l *Local) Alone() bool { return true }
