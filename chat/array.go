package chat

import (
	"slices"
	"strconv"
)

// A literal is one of PostgreSQL's array literals in the making, in a buffer that is used again: at thousands
// of messages a second these are what a batch allocates.
type literal []byte

func begin(l literal) literal { return append(l[:0], '{') }
func (l literal) next() literal {
	if len(l) > 1 {
		return append(l, ',')
	}
	return l
}
func (l literal) end() string { return string(append(l, '}')) }

// plain appends what needs no quotes: a uuid or a word.
func (l literal) plain(s string) literal { return append(l.next(), s...) }

func (l literal) number(n int) literal { return strconv.AppendInt(l.next(), int64(n), 10) }

// id appends a uuid; the empty one is NULL.
func (l literal) id(s string) literal {
	if s == "" {
		s = "NULL"
	}
	return l.plain(s)
}

func (l literal) truth(b bool) literal {
	if b {
		return l.plain("t")
	}
	return l.plain("f")
}

// text appends a quoted text.
func (l literal) text(s string) literal {
	l = append(l.next(), '"')
	for i := range len(s) {
		if c := s[i]; c == '"' || c == '\\' {
			l = append(l, '\\')
		}
		l = append(l, s[i])
	}
	return append(l, '"')
}

// messageArgs are the array parameters that both append functions have.
type messageArgs struct{ chats, ids, senders, senderIDs, names, bodies literal }

func (a *messageArgs) fill(batch []*Entry) {
	a.chats, a.ids, a.senders = begin(a.chats), begin(a.ids), begin(a.senders)
	a.senderIDs, a.names, a.bodies = begin(a.senderIDs), begin(a.names), begin(a.bodies)
	for _, e := range batch {
		a.chats, a.ids, a.senders = a.chats.plain(e.Chat), a.ids.text(e.ID), a.senders.number(int(e.Sender))
		a.senderIDs, a.names, a.bodies = a.senderIDs.id(e.SenderID), a.names.text(e.Name), a.bodies.text(e.Body)
	}
}

// A share is what a batch brings to one chat.
type share struct {
	count      int
	champion   string // who writes; empty: only the customer
	last       string // body
	byCustomer bool
	before     int64 // the chat's last number, once it is known
}

// chatArgs are the parameters of append_plain beyond those.
type chatArgs struct {
	places, chats, counts, champions, previews, byCustomer, byChampion literal

	order  []string // the chats
	shares map[string]*share
	seen   map[[2]string]struct{} // chat and id
}

// fill groups a batch by chat. It reports whether the batch may be plain: no message in it twice, and no two
// champions in one chat.
func (a *chatArgs) fill(batch []*Entry) bool {
	if a.shares == nil {
		a.shares, a.seen = map[string]*share{}, map[[2]string]struct{}{}
	}
	clear(a.shares)
	clear(a.seen)
	a.order, a.places = a.order[:0], begin(a.places)
	for _, e := range batch {
		mark := [2]string{e.Chat, e.ID}
		if _, twice := a.seen[mark]; twice {
			return false
		}
		a.seen[mark] = struct{}{}
		s := a.shares[e.Chat]
		if s == nil {
			s = &share{}
			a.shares[e.Chat] = s
			a.order = append(a.order, e.Chat)
		}
		switch {
		case e.Sender != FromChampion:
			s.byCustomer = s.byCustomer || e.Sender == FromCustomer
		case s.champion != "" && s.champion != e.SenderID:
			return false
		default:
			s.champion = e.SenderID
		}
		s.count++
		s.last = e.Body
		a.places = a.places.number(s.count)
	}
	slices.Sort(a.order)
	a.chats, a.counts, a.champions = begin(a.chats), begin(a.counts), begin(a.champions)
	a.previews, a.byCustomer, a.byChampion = begin(a.previews), begin(a.byCustomer), begin(a.byChampion)
	for _, chat := range a.order {
		s := a.shares[chat]
		a.chats, a.counts, a.champions = a.chats.plain(chat), a.counts.number(s.count), a.champions.id(s.champion)
		a.previews, a.byCustomer, a.byChampion = a.previews.text(preview(s.last)), a.byCustomer.truth(s.byCustomer), a.byChampion.truth(s.champion != "")
	}
	return true
}

// preview is what lists show of a message: its first 140 characters.
func preview(body string) string {
	n := 0
	for i := range body {
		if n == 140 {
			return body[:i]
		}
		n++
	}
	return body
}
