package faults

import (
	"fmt"
	"slices"
	"testing"
)

const chatA, chatB = "chat-a", "chat-b"

// honest is what a server that keeps its word says: two chats, three messages each, one refused and one of which nobody
// knows.
func honest() (map[string]*op, []*talk, map[string]reading) {
	ops := map[string]*op{}
	all := map[string]reading{}
	talks := []*talk{{id: chatA, question: "question a"}, {id: chatB, question: "question b"}}
	lines := map[string][]line{}
	for _, t := range talks {
		ls := []line{{Seq: 1, ID: "q-" + t.id, Kind: "customer", Body: t.question}}
		for i := range 3 {
			id := fmt.Sprintf("%s-%d", t.id, i)
			ops[id] = &op{Kind: opMessage, ID: id, Who: "customer", Chat: t.id, Text: "text " + id, Answer: ok, Seq: int64(i + 2), n: i + 1}
			ls = append(ls, line{Seq: int64(i + 2), ID: id, Kind: "customer", Body: "text " + id})
		}
		lines[t.id] = ls
	}
	ops["no"] = &op{Kind: opMessage, ID: "no", Who: "customer", Chat: chatA, Text: "refused", Answer: refused, n: 9}
	ops["lost"] = &op{Kind: opMessage, ID: "lost", Who: "customer", Chat: chatA, Text: "unknown", Answer: unknown, n: 10}
	for _, r := range readers {
		all[r] = reading{chatA: slices.Clone(lines[chatA]), chatB: slices.Clone(lines[chatB])}
	}
	return ops, talks, all
}

// Each lie of a server is found, under the name of the promise that it breaks; an honest server breaks none.
func TestEachLieIsFound(t *testing.T) {
	everywhere := func(all map[string]reading, change func(reading)) {
		for _, r := range readers {
			change(all[r])
		}
	}
	for name, c := range map[string]struct {
		lie    func(all map[string]reading)
		broken int // -1: none
	}{
		"honest": {func(map[string]reading) {}, -1},
		"the unknown is there": {func(all map[string]reading) {
			everywhere(all, func(r reading) {
				r[chatA] = append(r[chatA], line{Seq: 5, ID: "lost", Kind: "customer", Body: "unknown"})
			})
		}, -1},
		"lost": {func(all map[string]reading) { everywhere(all, func(r reading) { r[chatA] = r[chatA][:3] }) }, i1},
		"renumbered": {func(all map[string]reading) {
			everywhere(all, func(r reading) { r[chatA][2].Seq, r[chatA][3].Seq = 4, 3 })
		}, i1},
		"doubled": {func(all map[string]reading) {
			everywhere(all, func(r reading) {
				r[chatA] = append(r[chatA], line{Seq: 5, ID: "chat-a-0", Kind: "customer", Body: "text chat-a-0"})
			})
		}, i2},
		"invented": {func(all map[string]reading) {
			everywhere(all, func(r reading) { r[chatA] = append(r[chatA], line{Seq: 5, ID: "x", Kind: "customer", Body: "x"}) })
		}, i3},
		"not refused": {func(all map[string]reading) {
			everywhere(all, func(r reading) {
				r[chatA] = append(r[chatA], line{Seq: 5, ID: "no", Kind: "customer", Body: "refused"})
			})
		}, i4},
		"a hole":      {func(all map[string]reading) { everywhere(all, func(r reading) { r[chatB][3].Seq = 9 }) }, i5},
		"two stories": {func(all map[string]reading) { all[readers[0]][chatB] = all[readers[0]][chatB][:3] }, i5},
		"order": {func(all map[string]reading) {
			everywhere(all, func(r reading) {
				r[chatA][1].ID, r[chatA][2].ID, r[chatA][1].Body, r[chatA][2].Body = r[chatA][2].ID, r[chatA][1].ID, r[chatA][2].Body, r[chatA][1].Body
			})
		}, i6},
		"other words": {func(all map[string]reading) { everywhere(all, func(r reading) { r[chatA][1].Body = "text chat-a-0 " }) }, i7},
		"leaked": {func(all map[string]reading) {
			everywhere(all, func(r reading) {
				r[chatB] = append(r[chatB], line{Seq: 5, ID: "chat-a-0", Kind: "customer", Body: "text chat-a-0"})
			})
		}, i8},
	} {
		ops, talks, all := honest()
		c.lie(all)
		vs := newVerdicts()
		judge(vs, ops, talks, all)
		for i, v := range vs {
			if c.broken == -1 && v.Count > 0 {
				t.Errorf("%s: %s is said to be broken: %v", name, v.Name, v.Wrong)
			}
			if i == c.broken && v.Count == 0 {
				t.Errorf("%s: %s is said to hold", name, v.Name)
			}
		}
	}
}

func TestASeedIsAPlan(t *testing.T) {
	one, two := Plan(7, 40, 2), Plan(7, 40, 2)
	if !slices.Equal(one, two) {
		t.Error("the same seed gives another plan")
	}
	if slices.Equal(one, Plan(8, 40, 2)) {
		t.Error("another seed gives the same plan")
	}
	seen := map[Kind]bool{}
	for _, f := range one[:len(kinds)] {
		seen[f.Kind] = true
	}
	if len(seen) != len(kinds) {
		t.Errorf("the first %d faults are of %d kinds", len(kinds), len(seen))
	}
}
