package faults

import (
	"context"
	"fmt"
	"slices"
)

// A verdict is what was found about one invariant.
type verdict struct {
	Name, Says string
	Wrong      []string // the first that broke it
	Count      int      // how many did
}

func (v *verdict) broke(format string, args ...any) {
	if v.Count++; len(v.Wrong) < 5 {
		v.Wrong = append(v.Wrong, fmt.Sprintf(format, args...))
	}
}

// Numbers of the invariants in a list of verdicts.
const (
	i1 = iota
	i2
	i3
	i4
	i5
	i6
	i7
	i8
	live
)

func newVerdicts() []*verdict {
	return []*verdict{
		{Name: "I1", Says: "what was acknowledged is in all four readings, under its number"},
		{Name: "I2", Says: "nothing is there twice"},
		{Name: "I3", Says: "nothing is there that was not begun"},
		{Name: "I4", Says: "what was refused is absent"},
		{Name: "I5", Says: "numbers run 1, 2, 3 … without holes, the same for all readers"},
		{Name: "I6", Says: "each sender's own order is kept"},
		{Name: "I7", Says: "bytes are what was sent"},
		{Name: "I8", Says: "nobody was shown what is not his"},
		{Name: "live", Says: "who stayed saw every message, once on each connection, without a reload"},
	}
}

// judge holds the readings against the ledger.
func judge(vs []*verdict, ops map[string]*op, talks []*talk, read map[string]reading) {
	asked := map[string]string{} // chat → question
	for _, t := range talks {
		asked[t.id] = t.question
	}
	for _, name := range readers {
		found := map[string]line{}
		for _, t := range talks {
			judgeChat(vs, name, t, read[name][t.id], ops, found)
		}
		for _, o := range ops {
			if o.Kind != opMessage {
				continue
			}
			m, there := found[o.ID]
			if o.Answer == ok && (!there || m.Seq != o.Seq) {
				vs[i1].broke("%s: %s of %s was acknowledged as %d and stands at %d", name, o.ID, o.Who, o.Seq, m.Seq)
			}
			if o.Answer == refused && there {
				vs[i4].broke("%s: %s of %s was refused and stands at %d", name, o.ID, o.Who, m.Seq)
			}
		}
	}
	for chat, lines := range read["SQL"] {
		if q, known := asked[chat]; !known && len(lines) > 0 && !begunAs(ops, lines[0].Body) {
			vs[i3].broke("chat %s was not begun: %q", chat, q)
		}
		for _, name := range readers[:3] {
			if other := read[name][chat]; asked[chat] != "" && !slices.Equal(other, lines) {
				vs[i5].broke("chat %s: %s gives %d messages, SQL %d, or others", chat, name, len(other), len(lines))
			}
		}
	}
}

// begunAs reports whether somebody asked this question: one whose answer was lost has no talk.
func begunAs(ops map[string]*op, question string) bool {
	for _, o := range ops {
		if o.Kind == opChat && o.Text == question {
			return true
		}
	}
	return false
}

func judgeChat(vs []*verdict, name string, t *talk, lines []line, ops map[string]*op, found map[string]line) {
	if len(lines) == 0 || lines[0].Body != t.question {
		vs[i1].broke("%s: chat %s does not begin with its question", name, t.id)
	}
	latest := map[string]int{} // by sender: the place of his last message among all that was begun
	for i, m := range lines {
		if m.Seq != int64(i+1) {
			vs[i5].broke("%s: chat %s has %d where %d should be", name, t.id, m.Seq, i+1)
		}
		if m.Kind == "system" || i == 0 {
			continue
		}
		if _, twice := found[m.ID]; twice {
			vs[i2].broke("%s: %s is there twice", name, m.ID)
		}
		found[m.ID] = m
		o := ops[m.ID]
		switch {
		case o == nil || o.Kind != opMessage:
			vs[i3].broke("%s: %s in chat %s was not begun", name, m.ID, t.id)
			continue
		case o.Chat != t.id:
			vs[i8].broke("%s: %s is of chat %s and stands in %s", name, m.ID, o.Chat, t.id)
		case o.Text != m.Body:
			vs[i7].broke("%s: %s was %q and is %q", name, m.ID, o.Text, m.Body)
		}
		if o.n < latest[o.Who] {
			vs[i6].broke("%s: %s of %s stands after a later one", name, m.ID, o.Who)
		}
		latest[o.Who] = o.n
	}
}

// judgeLive holds what people saw meanwhile against the table.
func judgeLive(vs []*verdict, customers []*customer, champions []*champion, table reading) {
	for _, c := range customers {
		for _, what := range c.alien {
			vs[i8].broke("%s was shown %s", c.name, what)
		}
		for _, t := range c.talks {
			compare(vs[live], c.name, t.id, t.view, table[t.id])
			if !t.over && t.view.through != int64(len(table[t.id])) { // an ended chat's socket is gone
				vs[live].broke("%s saw chat %s up to %d of %d", c.name, t.id, t.view.through, len(table[t.id]))
			}
		}
	}
	for _, c := range champions {
		for chat, v := range c.views {
			compare(vs[live], c.name, chat, v, table[chat])
			if c.mine[chat] && v.through != int64(len(table[chat])) {
				vs[live].broke("%s saw chat %s up to %d of %d", c.name, chat, v.through, len(table[chat]))
			}
		}
	}
}

func compare(v *verdict, who, chat string, seen *view, table []line) {
	for _, what := range seen.wrong {
		v.broke("%s, chat %s: %s", who, chat, what)
	}
	for seq, id := range seen.seen {
		if seq < 1 || seq > int64(len(table)) || table[seq-1].ID != id {
			v.broke("%s, chat %s: saw %s as %d", who, chat, id, seq)
		}
	}
}

// judgeRest holds chats, tickets and notes against the ledger: each once, if it was begun.
func (w *world) judgeRest(ctx context.Context, vs []*verdict, l *ledger) error {
	for kind, query := range map[string]string{
		opChat: `SELECT question FROM chats`, opTicket: `SELECT subject FROM tickets`, opNote: `SELECT body FROM notes`,
	} {
		var texts []string
		if err := w.db.SelectContext(ctx, &texts, query); err != nil {
			return err
		}
		count := map[string]int{}
		for _, t := range texts {
			count[t]++
		}
		for _, o := range l.order {
			if o.Kind != kind {
				continue
			}
			n := count[o.Text]
			delete(count, o.Text)
			switch {
			case o.Answer == ok && n == 0:
				vs[i1].broke("%s %s was answered and is not there", kind, o.ID)
			case o.Answer == refused && n > 0:
				vs[i4].broke("%s %s was refused and is there", kind, o.ID)
			case n > 1:
				vs[i2].broke("%s %s is there %d times", kind, o.ID, n)
			}
		}
		for text := range count {
			vs[i3].broke("%s was not begun: %q", kind, text)
		}
	}
	return nil
}
