// Package chat is customers and champions talking: the durable log, the queue,
// who is on duty, and the sockets.
//
// A message is acknowledged when it is on disk (log.go). What a chat's life
// allows is a pure function (session.go). Who follows a chat is woken, and reads
// what is above his cursor from memory or from the table (room.go, conn.go).
package chat

import (
	"time"

	"chatnow/chat/protocol"
)

// Chat is one conversation as the database has it.
type Chat struct {
	ID string
	Session
	CustomerName   string
	CustomerEmail  string
	CustomerID     string // signed in when it began; else empty
	Product        string
	PageURL        string
	UserAgent      string
	Timezone       string // IANA name, or empty
	Question       string
	Seq            int64 // number of the last message
	CreatedAt      time.Time
	CustomerGoneAt time.Time // zero while a socket of the customer lives
	LastCustomerAt time.Time
	LastChampionAt time.Time
	Preview        string
	ReadCustomer   int64
	ReadChampion   int64
	Ticket         int64 // zero: none
	Change         int64 // grows with every change of state
}

// Over reports whether nothing more will be said in the chat.
func (c *Chat) Over() bool { return c.State == Ended || c.State == Missed }

// Note is a champion's remark beside a chat. It has no number, and no road to the customer.
type Note struct {
	ID, Author, Body string
	At               time.Time
	AfterSeq         int64
}

// Place is a waiting customer's place in the queue.
type Place struct {
	Position int
	Wait     time.Duration // expected
}

// Audience is whom a view of a chat is for.
type Audience int

// The audiences. What the staff sees of a chat, its customer does not all see.
const (
	ForCustomer Audience = iota
	ForStaff
)

// View is a chat as contract.md writes it.
func (c *Chat) View(to Audience, place Place) map[string]any {
	v := map[string]any{
		"id": c.ID, "state": c.State, "position": nil, "wait_seconds": nil,
		"customer":   map[string]any{"name": c.CustomerName, "email": c.CustomerEmail, "online": c.CustomerGoneAt.IsZero()},
		"champion":   nil,
		"product":    c.Product,
		"page_url":   c.PageURL,
		"question":   c.Question,
		"seq":        c.Seq,
		"ticket":     nil,
		"read":       map[string]int64{"customer": c.ReadCustomer, "champion": c.ReadChampion},
		"created_at": stamp(c.CreatedAt), "waiting_since": stamp(c.WaitingSince), "ended_at": stamp(c.EndedAt),
	}
	if c.Reason != "" {
		v["reason"] = c.Reason
	}
	if c.State == Queued && place.Position > 0 {
		v["position"], v["wait_seconds"] = place.Position, int(place.Wait.Seconds())
	}
	if c.Champion.ID != "" {
		v["champion"] = map[string]string{"id": c.Champion.ID, "name": c.Champion.Name}
	}
	if c.Ticket != 0 {
		v["ticket"] = c.Ticket
	}
	if to == ForStaff {
		v["offered_to"], v["offered_until"] = nil, stamp(c.OfferedUntil)
		if c.OfferedTo != "" {
			v["offered_to"] = c.OfferedTo
		}
		v["last_customer_at"], v["last_champion_at"] = stamp(c.LastCustomerAt), stamp(c.LastChampionAt)
		v["preview"], v["user_agent"] = c.Preview, c.UserAgent
	}
	return v
}

// stamp is a time as RFC 3339 in UTC, null for none.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z07:00")
}

// Sender is who writes into a log.
type Sender int16

// The kinds of senders, as the table keeps them.
const (
	FromSystem   Sender = 0
	FromCustomer Sender = 1
	FromChampion Sender = 2
)

func (s Sender) kind() string {
	switch s {
	case FromCustomer:
		return protocol.Customer
	case FromChampion:
		return protocol.Champion
	default:
		return protocol.System
	}
}
