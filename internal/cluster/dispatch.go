package cluster

import (
	"context"
	"sync"
)

// maxQueued is how many hints may wait for a topic's subscribers. A subscriber that falls further
// behind is told that it lost some, and reads: nobody waits for it.
const maxQueued = 4096

// dispatcher hands hints to subscribers: each topic in order, one after another, in a goroutine that
// lives while there is something to hand over. A publisher never waits.
type dispatcher struct {
	mu      sync.Mutex
	topics  map[string]*topic
	working int // goroutines that hand over
	idle    sync.Cond
	closed  bool
}

type topic struct {
	subs    []subscriber
	waiting []Hint
	lost    bool
	busy    bool
}

type subscriber struct {
	hear func(Hint)
	lost func()
}

func newDispatcher() *dispatcher {
	d := &dispatcher{topics: map[string]*topic{}}
	d.idle.L = &d.mu
	return d
}

func (d *dispatcher) subscribe(name string, s subscriber) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.topics[name]
	if t == nil {
		t = &topic{}
		d.topics[name] = t
	}
	t.subs = append(append([]subscriber{}, t.subs...), s)
}

// post queues a hint for the subscribers of its topic.
func (d *dispatcher) post(h Hint) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.topics[h.Topic]
	if t == nil || d.closed {
		return
	}
	if len(t.waiting) >= maxQueued {
		t.waiting, t.lost = nil, true // what is read again holds all of it
	} else {
		t.waiting = append(t.waiting, h)
	}
	d.start(t)
}

// allLost tells every subscriber that hints may have been missed. Asked for again before it is done,
// it is done once.
func (d *dispatcher) allLost() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	for _, t := range d.topics {
		t.lost = true
		d.start(t)
	}
}

// start begins handing over, unless it is under way. The caller holds the lock.
func (d *dispatcher) start(t *topic) {
	if t.busy {
		return
	}
	t.busy = true
	d.working++
	go d.work(t)
}

func (d *dispatcher) work(t *topic) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for t.lost || len(t.waiting) > 0 {
		subs, hints, lost := t.subs, t.waiting, t.lost
		t.waiting, t.lost = nil, false
		d.mu.Unlock()
		for _, s := range subs {
			if lost && s.lost != nil {
				s.lost()
			}
		}
		for _, h := range hints {
			for _, s := range subs {
				s.hear(h)
			}
		}
		d.mu.Lock()
	}
	t.busy = false
	d.working--
	d.idle.Broadcast()
}

// close takes no more, and waits until what was taken is handed over.
func (d *dispatcher) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for d.working > 0 {
		d.idle.Wait()
	}
}

// run is the life of a dispatcher on its own.
func (d *dispatcher) run(ctx context.Context) {
	<-ctx.Done()
	d.close()
}
