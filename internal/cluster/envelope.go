package cluster

import "encoding/json"

// maxPayload is what a NOTIFY may carry: PostgreSQL takes 7,999 bytes.
const maxPayload = 7999

// envelope is what one NOTIFY holds. The numbers of a node's envelopes have no gaps, so that a
// listener finds out that it missed one; numbers also keep PostgreSQL from joining two equal ones.
type envelope struct {
	Node   string `json:"n"`
	Number int64  `json:"s"`
	Word   string `json:"w,omitempty"`  // hello or welcome
	To     string `json:"to,omitempty"` // whom a welcome is for
	Hints  []Hint `json:"h,omitempty"`
}

// What nodes say to each other beside hints.
const (
	hello   = "hello"   // I have just come, or come back: count me
	welcome = "welcome" // counted: what you missed until now, read
)

// pack writes hints into as few envelopes as hold them, in order. A hint whose body is too large goes
// without it; one that is too large even then is left out, and its number with it, so that listeners
// read again. It gives the payloads and the last number that was used.
func pack(node string, last int64, hints []Hint) (payloads []string, used int64) {
	room := maxPayload - len(`{"n":"","s":-9223372036854775808,"h":[]}`) - len(node)
	var batch []Hint
	size := 0
	flush := func() {
		if len(batch) > 0 {
			last++
			payloads = append(payloads, seal(envelope{Node: node, Number: last, Hints: batch}))
			batch, size = nil, 0
		}
	}
	for _, h := range hints {
		n := length(h)
		if n > room {
			h.Body = nil
			n = length(h)
		}
		if n > room {
			flush()
			last++
			continue
		}
		if size+n > room {
			flush()
		}
		batch = append(batch, h)
		size += n
	}
	flush()
	return payloads, last
}

func length(h Hint) int { return len(seal(h)) + len(",") }

// seal writes what JSON cannot refuse: texts, numbers and bytes.
func seal(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}
