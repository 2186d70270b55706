// Package cluster carries what nodes tell each other. The tables are the truth and
// the bus is a hint: a hint that is lost, doubled or late costs a query, never a
// message.
package cluster

import "context"

// A Hint is a short word about something that changed.
type Hint struct {
	Topic string `json:"t"`           // "chat", "queue", "staff", "settings", "ticket", "session"
	Key   string `json:"k,omitempty"` // which one: an id, or empty
	Body  []byte `json:"b,omitempty"` // what changed, if it is short enough to say; may be missing
	// Local is true for a hint that this node gave itself.
	Local bool `json:"-"`
	// Others is set on a hint that this node itself need not hear.
	Others bool `json:"-"`
}

// A Bus gives hints to every node, its own included.
type Bus interface {
	// Publish tells all nodes. It is called after the commit and never fails: at
	// worst the others find out by reading.
	Publish(ctx context.Context, hints ...Hint)
	// Subscribe calls f for every hint with the topic, one after another, in order of
	// arrival; f must not wait for anything. lost is called after hints may have been
	// missed (a broken connection), so that everything is read again.
	Subscribe(topic string, f func(Hint), lost func())
	// Run carries hints until ctx ends.
	Run(ctx context.Context) error
	// Node is this node's id, a UUID.
	Node() string
}
