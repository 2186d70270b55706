package protocol

import (
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"
)

// Kinds of people in a chat.
const (
	System   = "system"
	Customer = "customer"
	Champion = "champion"
)

// From says who wrote something.
type From struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
}

// A Message is one entry of a chat's log.
type Message struct {
	Seq  int64
	ID   string
	From From
	Body string
	At   time.Time
}

// The hot frames are appended by hand: one message is encoded once, whoever follows the chat.

// AppendMessage appends a message frame; chat is empty for customers.
func AppendMessage(b []byte, chat string, m *Message) []byte {
	b = open(b, "message", chat)
	b = append(b, `,"seq":`...)
	b = strconv.AppendInt(b, m.Seq, 10)
	b = append(b, `,"id":`...)
	b = appendString(b, m.ID)
	b = appendFrom(b, m.From)
	b = append(b, `,"body":`...)
	b = appendString(b, m.Body)
	b = append(b, `,"at":"`...)
	b = appendTime(b, m.At)
	return append(b, `"}`...)
}

// AppendAck appends the answer to a committed message.
func AppendAck(b []byte, chat, id string, seq int64, at time.Time) []byte {
	b = open(b, "ack", chat)
	b = append(b, `,"id":`...)
	b = appendString(b, id)
	if seq > 0 { // a note has none
		b = append(b, `,"seq":`...)
		b = strconv.AppendInt(b, seq, 10)
	}
	b = append(b, `,"at":"`...)
	b = appendTime(b, at)
	return append(b, `"}`...)
}

// AppendTyping appends a typing frame.
func AppendTyping(b []byte, chat string, from From, on bool) []byte {
	b = open(b, "typing", chat)
	b = append(b, `,"on":`...)
	b = strconv.AppendBool(b, on)
	b = appendFrom(b, from)
	return append(b, '}')
}

// AppendRead appends a read frame; by is "customer" or "champion".
func AppendRead(b []byte, chat, by string, seq int64) []byte {
	b = open(b, "read", chat)
	b = append(b, `,"seq":`...)
	b = strconv.AppendInt(b, seq, 10)
	b = append(b, `,"by":`...)
	b = appendString(b, by)
	return append(b, '}')
}

// AppendNote appends a note frame. There is no variant for customers.
func AppendNote(b []byte, chat, id string, from From, body string, at time.Time, afterSeq int64) []byte {
	b = open(b, "note", chat)
	b = append(b, `,"id":`...)
	b = appendString(b, id)
	b = appendFrom(b, from)
	b = append(b, `,"body":`...)
	b = appendString(b, body)
	b = append(b, `,"at":"`...)
	b = appendTime(b, at)
	b = append(b, `","after_seq":`...)
	b = strconv.AppendInt(b, afterSeq, 10)
	return append(b, '}')
}

// AppendError appends an error frame.
func AppendError(b []byte, e *Error) []byte {
	b = open(b, "error", e.Chat)
	b = append(b, `,"code":`...)
	b = appendString(b, e.Code)
	b = append(b, `,"detail":`...)
	b = appendString(b, e.Detail)
	if e.ID != "" {
		b = append(b, `,"id":`...)
		b = appendString(b, e.ID)
	}
	return append(b, '}')
}

// Tick lets scripts notice a dead link: browsers hide pings from them.
var Tick = []byte(`{"type":"tick"}`)

// Bye announces that the server closes the socket, and when to come back.
func Bye(reason string, retry time.Duration) []byte {
	return []byte(`{"type":"bye","reason":"` + reason + `","retry_ms":` + strconv.FormatInt(retry.Milliseconds(), 10) + `}`)
}

// Encode makes any other frame: v's members after the type. v must encode as an object.
func Encode(kind string, v map[string]any) []byte {
	v["type"] = kind
	b, err := json.Marshal(v)
	if err != nil { // only types of the product come here
		panic(err)
	}
	return b
}

func open(b []byte, kind, chat string) []byte {
	b = append(b, `{"type":"`...)
	b = append(b, kind...)
	b = append(b, '"')
	if chat != "" {
		b = append(b, `,"chat":"`...)
		b = append(b, chat...)
		b = append(b, '"')
	}
	return b
}

func appendFrom(b []byte, f From) []byte {
	b = append(b, `,"from":{"kind":"`...)
	b = append(b, f.Kind...)
	b = append(b, `","name":`...)
	b = appendString(b, f.Name)
	return append(b, '}')
}

func appendTime(b []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
}

const hexDigits = "0123456789abcdef"

// appendString appends a JSON string. Text is valid UTF-8 by the time it comes here.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			i++
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}
