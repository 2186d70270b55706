package cluster

import "encoding/json"

// maxHeard bounds what is remembered of nodes that came and went.
const maxHeard = 1000

// take hears one envelope of another node.
func (p *Shared) take(payload string) {
	var e envelope
	if err := json.Unmarshal([]byte(payload), &e); err != nil {
		p.log.Warn("another node says what cannot be read", "err", err)
		return
	}
	if e.Node == p.node {
		return // it has been told already
	}
	if e.Word == hello {
		p.others.CompareAndSwap(0, 1) // whatever the last look said
		p.say(welcome, e.Node)
	}
	last, known := p.heard[e.Node]
	if len(p.heard) > maxHeard {
		clear(p.heard)
	}
	p.heard[e.Node] = e.Number
	if (known && e.Number != last+1) || (e.Word == welcome && e.To == p.node) {
		p.allLost()
	}
	for _, h := range e.Hints {
		h.Local = false
		p.post(h)
	}
}
