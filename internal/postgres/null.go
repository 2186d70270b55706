package postgres

import "time"

// Null is a time as a parameter, NULL for none. Domain types have no nullable fields; they end here.
func Null(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

// NullText is a text as a parameter, NULL for the empty one.
func NullText(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// NullInt is a number as a parameter, NULL for zero.
func NullInt(n int64) any {
	if n == 0 {
		return nil
	}
	return n
}
