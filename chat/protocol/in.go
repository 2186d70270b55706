// Package protocol is chatnow.v1: every frame that clients and server exchange,
// its limits, its decoding and its encoding. It knows no socket and no database.
package protocol

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"chatnow/internal/text"
)

// Version is the WebSocket subprotocol.
const Version = "chatnow.v1"

// Limits of what a client may send.
const (
	MaxFrame = 64 << 10 // bytes; a larger frame closes the socket with 1009
	maxID    = 64       // bytes of an id made by a client
)

// Types of frames that clients send.
const (
	Hello    = "hello"
	Send     = "send"
	Typing   = "typing"
	Read     = "read"
	End      = "end"
	Presence = "presence" // from here on: console only
	Accept   = "accept"
	Transfer = "transfer"
	Note     = "note"
	Follow   = "follow"
	Unfollow = "unfollow"
)

// Codes of error frames.
const (
	BadFrame    = "bad_frame"
	TooFast     = "too_fast"
	NotAllowed  = "not_allowed"
	Unavailable = "unavailable" // try again with the same id
	Ended       = "ended"
	NotYours    = "not_yours"
	UnknownChat = "unknown_chat"
	IDReused    = "id_reused"
	Taken       = "taken"
	NotOnDuty   = "not_on_duty"
	BadAfter    = "bad_after"
)

// A Frame is what a client sent. Which fields count depends on Type; Decode has checked those.
type Frame struct {
	Type     string          `json:"type"`
	Chat     string          `json:"chat"`
	Token    string          `json:"token"`
	After    json.RawMessage `json:"after"`
	ID       string          `json:"id"`
	Body     string          `json:"body"`
	On       bool            `json:"on"`
	Seq      int64           `json:"seq"`
	State    string          `json:"state"`
	Capacity *int            `json:"capacity"`
	To       string          `json:"to"`
}

// An Error is answered with an error frame and harms nobody else.
type Error struct{ Code, Detail, ID, Chat string }

func (e *Error) Error() string { return e.Code + ": " + e.Detail }

func bad(f Frame, format string, args ...any) *Error {
	id := f.ID
	if !printable(id, maxID) {
		id = ""
	}
	return &Error{Code: BadFrame, Detail: fmt.Sprintf(format, args...), ID: id}
}

// Decode reads one text frame. Console frames may name a chat; a customer's chat is known from hello.
// Unknown members are ignored, so that a newer client can talk to an older server.
func Decode(raw []byte, console bool) (Frame, *Error) {
	var f Frame
	if !text.Readable(raw) {
		return f, bad(f, "A frame is UTF-8, without half surrogate pairs.")
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		return Frame{}, bad(Frame{}, "A frame is one JSON object with a type.")
	}
	switch f.Type {
	case Hello:
		if !console && len(f.Token) > 200 {
			return f, bad(f, "token: this is none.")
		}
	case Send, Note:
		if f.Type == Note && !console {
			return f, &Error{Code: NotAllowed, Detail: "Notes are for champions.", ID: f.ID}
		}
		if !printable(f.ID, maxID) {
			return f, bad(Frame{}, "id: make a UUID for each message.")
		}
		if strings.TrimSpace(f.Body) == "" {
			return f, bad(f, "body: there is nothing in it.")
		}
		if !text.Storable(f.Body) {
			return f, bad(f, "body: the character U+0000 cannot be stored.")
		}
	case Typing, End:
	case Read:
		if f.Seq < 0 {
			return f, bad(f, "seq: a whole number from 0.")
		}
	case Presence, Accept, Transfer, Follow, Unfollow:
		if !console {
			return f, &Error{Code: NotAllowed, Detail: "This is for champions.", ID: f.ID}
		}
		if f.Type == Presence {
			if f.State != "online" && f.State != "away" && f.State != "offline" {
				return f, bad(f, "state: online, away or offline.")
			}
			if f.Capacity != nil && (*f.Capacity < 1 || *f.Capacity > 50) {
				return f, bad(f, "capacity: 1 to 50.")
			}
		}
	case "":
		return f, bad(f, "type: a frame needs one.")
	default:
		return f, bad(f, "type: there is no such frame.")
	}
	if console && f.Type != Hello && f.Type != Presence && !IsID(f.Chat) {
		return f, &Error{Code: UnknownChat, Detail: "There is no such chat.", ID: f.ID}
	}
	return f, nil
}

// printable reports whether s is 1 to n visible ASCII characters.
func printable(s string, n int) bool {
	if s == "" || len(s) > n {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// IsID reports whether s is a UUID as the server writes it: lower case with hyphens.
func IsID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f':
		default:
			return false
		}
	}
	return true
}

// CustomerAfter reads hello's "after" for a customer: a whole number from 0; left out is 0.
func (f Frame) CustomerAfter() (int64, *Error) {
	if len(f.After) == 0 || bytes.Equal(f.After, []byte("null")) {
		return 0, nil
	}
	var n int64
	if err := json.Unmarshal(f.After, &n); err != nil || n < 0 {
		return 0, &Error{Code: BadAfter, Detail: "after: a whole number from 0."}
	}
	return n, nil
}

// ConsoleAfter reads hello's "after" for a champion: the last number seen, by chat.
func (f Frame) ConsoleAfter() (map[string]int64, *Error) {
	if len(f.After) == 0 || bytes.Equal(f.After, []byte("null")) {
		return nil, nil
	}
	wrong := &Error{Code: BadAfter, Detail: `after: {"<chat>": n, …} with whole numbers from 0.`}
	var m map[string]int64
	if err := json.Unmarshal(f.After, &m); err != nil {
		var zero int64 // a program may say 0 for "nothing yet"
		if json.Unmarshal(f.After, &zero) == nil && zero == 0 {
			return nil, nil
		}
		return nil, wrong
	}
	for chat, n := range m {
		if n < 0 || !IsID(chat) {
			return nil, wrong
		}
	}
	return m, nil
}
