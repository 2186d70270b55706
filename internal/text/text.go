// Package text checks words that come from outside. PostgreSQL refuses NUL and
// bytes that are no UTF-8, and encoding/json replaces what it cannot read without
// a word; both would store something else than was sent, so it is refused first.
package text

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// Readable reports whether raw JSON holds only text that survives storing:
// UTF-8, and no escape of half a surrogate pair.
func Readable(raw []byte) bool {
	return utf8.Valid(raw) && (bytes.IndexByte(raw, '\\') < 0 || !halfSurrogate(raw))
}

// Storable reports whether PostgreSQL takes the decoded text as it is.
func Storable(s string) bool {
	return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0
}

// Line makes one line of a name or a subject: white space folded, ends trimmed.
func Line(s string) string { return strings.Join(strings.Fields(s), " ") }

// Cut shortens to at most n characters, whole ones.
func Cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	i := 0
	for at := range s {
		if i == n {
			return s[:at]
		}
		i++
	}
	return s
}

// halfSurrogate walks the escapes of a JSON text.
func halfSurrogate(raw []byte) bool {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		i++
		if i >= len(raw) || raw[i] != 'u' {
			continue
		}
		unit, ok := hex4(raw, i+1)
		if !ok {
			return false // not JSON; the decoder says so better
		}
		i += 4
		switch {
		case unit >= 0xDC00 && unit <= 0xDFFF:
			return true // a low one alone
		case unit >= 0xD800 && unit <= 0xDBFF:
			if i+2 >= len(raw) || raw[i+1] != '\\' || raw[i+2] != 'u' {
				return true
			}
			low, ok := hex4(raw, i+3)
			if !ok || low < 0xDC00 || low > 0xDFFF {
				return true
			}
			i += 6
		}
	}
	return false
}

func hex4(raw []byte, at int) (rune, bool) {
	if at+4 > len(raw) {
		return 0, false
	}
	var v rune
	for _, c := range raw[at : at+4] {
		switch {
		case c >= '0' && c <= '9':
			v = v<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			v = v<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			v = v<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return v, true
}
