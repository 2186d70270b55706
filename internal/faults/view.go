package faults

import "fmt"

// A view is what one person saw of one chat while it was going on, over all connections.
type view struct {
	seen    map[int64]string // number → id
	through int64            // everything up to here was seen
	after   int64            // what hello named on this connection
	here    map[int64]bool   // numbers that came as messages on this connection
	wrong   []string
}

func newView() *view { return &view{seen: map[int64]string{}, here: map[int64]bool{}} }

// connected begins a connection that resumes after what was seen, or after, if that is less.
func (v *view) connected(after int64) {
	v.after = after
	clear(v.here)
}

func (v *view) message(seq int64, id string) {
	if v.here[seq] || seq <= v.after {
		v.note("%d came twice on one connection", seq)
	}
	v.here[seq] = true
	v.know(seq, id)
}

// know takes a number from a message or from an answer.
func (v *view) know(seq int64, id string) {
	if old, known := v.seen[seq]; known && old != id {
		v.note("%d was %s and became %s", seq, old, id)
	}
	v.seen[seq] = id
	for v.seen[v.through+1] != "" {
		v.through++
	}
}

func (v *view) note(format string, args ...any) {
	if len(v.wrong) < 10 {
		v.wrong = append(v.wrong, fmt.Sprintf(format, args...))
	}
}
