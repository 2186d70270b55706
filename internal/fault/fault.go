// Package fault holds the few kinds of error that the product knows.
//
// A use case returns one of them, wrapped with what was being done; package web
// alone turns the kind into a status and a problem document (RFC 9457). An error
// of no kind is a defect: the user sees nothing of it and the log everything.
package fault

import (
	"errors"
	"fmt"
	"maps"
	"time"
)

// Kind says what went wrong, in as many words as there are answers to it.
type Kind int

// The kinds, with the status that package web answers.
const (
	Internal        Kind = iota // 500
	Malformed                   // 400: cannot be read
	Unauthenticated             // 401: who are you?
	Forbidden                   // 403: known, but may not
	Missing                     // 404: foreign and unknown alike
	Conflicting                 // 409: read again, then decide
	Invalid                     // 422: understood, but wrong
	TooLarge                    // 413
	WrongType                   // 415
	TooMany                     // 429, with RetryAfter
	Down                        // 503, with RetryAfter
)

// Field names one input that was wrong, in JSON path form such as
// "diagnostics.devices[1]".
type Field struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// Error is an error that somebody outside may be told about.
type Error struct {
	Kind       Kind
	Code       string         // stable, for programs: "stale", "outside_hours"
	Detail     string         // one sentence for people
	Fields     []Field        // what was wrong with which input
	Extra      map[string]any // further members of the problem document
	RetryAfter time.Duration  // for TooMany and Down
	cause      error
}

func (e *Error) Error() string {
	switch {
	case e.cause != nil:
		return e.Detail + ": " + e.cause.Error()
	case len(e.Fields) > 0:
		return fmt.Sprintf("%s (%s: %s)", e.Detail, e.Fields[0].Field, e.Fields[0].Detail)
	default:
		return e.Detail
	}
}

// Unwrap gives the cause, which is logged and never shown.
func (e *Error) Unwrap() error { return e.cause }

// Is makes errors.Is compare kinds and, where the target has one, codes.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Kind == e.Kind && (t.Code == "" || t.Code == e.Code)
}

// Because keeps the cause for the log.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// With adds a member to the problem document.
func (e *Error) With(key string, value any) *Error {
	c := *e
	c.Extra = maps.Clone(e.Extra)
	if c.Extra == nil {
		c.Extra = map[string]any{}
	}
	c.Extra[key] = value
	return &c
}

// NotFound answers for what is unknown and for what is somebody else's, alike.
func NotFound(detail string) *Error {
	return &Error{Kind: Missing, Code: "not_found", Detail: detail}
}

// Conflict says that the world moved on; code says how.
func Conflict(code, detail string) *Error {
	return &Error{Kind: Conflicting, Code: code, Detail: detail}
}

// Bad says that the request cannot be read at all.
func Bad(detail string) *Error {
	return &Error{Kind: Malformed, Code: "malformed", Detail: detail}
}

// Wrong says which inputs were understood but are wrong.
func Wrong(fields ...Field) *Error {
	return &Error{Kind: Invalid, Code: "invalid", Detail: "Some of what was sent is wrong.", Fields: fields}
}

// WrongField is Wrong for a single input.
func WrongField(field, detail string) *Error { return Wrong(Field{Field: field, Detail: detail}) }

// NoEntry asks who is calling.
func NoEntry(detail string) *Error {
	return &Error{Kind: Unauthenticated, Code: "unauthenticated", Detail: detail}
}

// Denied says that the caller is known and may not.
func Denied(detail string) *Error {
	return &Error{Kind: Forbidden, Code: "forbidden", Detail: detail}
}

// Slow asks the caller to come back after the given time.
func Slow(after time.Duration, detail string) *Error {
	return &Error{Kind: TooMany, Code: "too_many", Detail: detail, RetryAfter: after}
}

// Unavailable says that the same request may succeed in a moment.
func Unavailable(detail string) *Error {
	return &Error{Kind: Down, Code: "unavailable", Detail: detail, RetryAfter: 2 * time.Second}
}

// KindOf gives the kind of the first Error in the chain, Internal without one.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Code gives the stable code of the first Error in the chain, or "".
func Code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// Wrap says what was being done, for use in a defer at the edge of the program:
//
//	defer fault.Wrap(&err, "read ticket %d", number)
func Wrap(err *error, format string, args ...any) {
	if *err != nil {
		*err = fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), *err)
	}
}
