// Package tickets is requests around the clock: one door for everything that
// happens to a ticket (desk.go), whatever its origin, with the pure engine of
// package lifecycle behind it.
package tickets

import (
	"encoding/json"
	"time"

	"chatnow/internal/files"
	"chatnow/tickets/lifecycle"
)

// Ticket is a ticket as the database has it.
type Ticket struct {
	lifecycle.Ticket
	Subject        string
	RequesterID    string
	RequesterName  string
	RequesterEmail string
	RequesterZone  string // IANA name, or empty
	AssigneeName   string
	Origin         string // web, chat, mail, api
	Diagnostics    Diagnostics
	UpdatedAt      time.Time
	FollowUpOf     int64
	Chat           string
}

// Comment is one thing said on a ticket. What is not Public never reaches a customer.
type Comment struct {
	ID         string    `db:"id"`
	AuthorKind string    `db:"author_kind"`
	AuthorName string    `db:"author_name"`
	Body       string    `db:"body"`
	Public     bool      `db:"public"`
	At         time.Time `db:"at"`
	Ticket     int64     `db:"ticket"`
	Files      []files.Upload
}

// Entry is one line of a ticket's history.
type Entry struct {
	At        time.Time `db:"at"`
	ActorKind string    `db:"actor_kind"`
	ActorName string    `db:"actor_name"`
	Event     string    `db:"event"`
	From      string    `db:"from_value"`
	To        string    `db:"to_value"`
	Why       string    `db:"why"`
}

// View is a ticket as contract.md writes it. For a customer, internal comments and the history are
// left out here, once, for every road that leads outside.
func (t *Ticket) View(comments []Comment, history []Entry, staff bool) map[string]any {
	v := map[string]any{
		"number": t.Number, "status": t.Status, "priority": t.Priority, "subject": t.Subject,
		"requester": map[string]string{"name": t.RequesterName, "email": t.RequesterEmail},
		"assignee":  nil, "origin": t.Origin, "diagnostics": t.Diagnostics, "version": t.Version,
		"created_at": stamp(t.CreatedAt), "updated_at": stamp(t.UpdatedAt),
		"update_due_at": stamp(t.UpdateDueAt), "solves_at": stamp(t.SolvesAt), "closes_at": stamp(t.ClosesAt),
		"follow_up_of": orNull(t.FollowUpOf), "chat": nil, "comments": commentViews(t.Number, comments, staff), "escalations": []any{},
	}
	if t.Assignee != "" {
		v["assignee"] = map[string]string{"id": t.Assignee, "name": t.AssigneeName}
	}
	if t.Chat != "" {
		v["chat"] = t.Chat
	}
	if staff {
		v["history"] = historyViews(history)
		v["escalated"], v["merged_into"] = t.Escalated, orNull(t.MergedInto) // a customer is not told of somebody else's ticket
	}
	return v
}

func commentViews(number int64, comments []Comment, staff bool) []map[string]any {
	out := []map[string]any{}
	for _, c := range comments {
		if c.Public || staff {
			v := map[string]any{
				"id": c.ID, "author": map[string]string{"kind": c.AuthorKind, "name": c.AuthorName}, "body": c.Body,
				"public": c.Public, "attachments": fileViews(c.Files), "at": stamp(c.At),
			}
			if c.Ticket != number { // said on a ticket that went into this one
				v["ticket"] = c.Ticket
			}
			out = append(out, v)
		}
	}
	return out
}

func fileViews(list []files.Upload) []map[string]any {
	out := []map[string]any{}
	for _, f := range list {
		out = append(out, f.View())
	}
	return out
}

func historyViews(history []Entry) []map[string]any {
	out := []map[string]any{}
	for _, e := range history {
		out = append(out, map[string]any{
			"at": stamp(e.At), "actor": map[string]string{"kind": e.ActorKind, "name": e.ActorName},
			"event": e.Event, "from": e.From, "to": e.To, "why": e.Why,
		})
	}
	return out
}

func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func orNull(n int64) any {
	if n == 0 {
		return nil
	}
	return n
}

// Diagnostics is what helps to find the fault (M9–M18). Everything is optional.
type Diagnostics struct {
	Product      string   `json:"product"`
	OS           string   `json:"os"`
	OSVersion    string   `json:"os_version"`
	AppVersion   string   `json:"app_version"`
	Devices      []string `json:"devices"`
	Accounts     []string `json:"accounts"`
	Destinations []string `json:"destinations"`
	Logs         []string `json:"logs"`
	Screenshots  []string `json:"screenshots"`
	Description  string   `json:"description"`
}

// MarshalJSON writes lists that are never null.
func (d Diagnostics) MarshalJSON() ([]byte, error) {
	type plain Diagnostics
	p := plain(d)
	for _, list := range []*[]string{&p.Devices, &p.Accounts, &p.Destinations, &p.Logs, &p.Screenshots} {
		if *list == nil {
			*list = []string{}
		}
	}
	return json.Marshal(p)
}
