package tickets

import (
	"strings"
	"testing"
	"unicode/utf8"

	"chatnow/internal/pgtest"
)

func TestSearchWords(t *testing.T) {
	for q, want := range map[string]string{
		"":                       "",
		"keyb only":              "keyb:* & only:*",
		"priya@example.com":      "priya:* & example:* & com:*",
		"a'); DROP TABLE x; --":  "a:* & DROP:* & TABLE:* & x:*",
		"Åsgård & !b | (c):*":    "Åsgård:* & b:* & c:*",
		strings.Repeat("w ", 30): strings.TrimSuffix(strings.Repeat("w:* & ", 20), " & "),
	} {
		if got := prefixes(q); got != want {
			t.Errorf("%q: %q, want %q", q, got, want)
		}
	}
}

// Whatever somebody types, PostgreSQL can read what is made of it.
func FuzzSearchWords(f *testing.F) {
	db := pgtest.New(f)
	for _, q := range []string{"a & b", "\\", "'", "::*", "𝔘nicode ٣", "ª º ² ½"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, q string) {
		if !utf8.ValidString(q) || strings.ContainsRune(q, 0) {
			t.Skip() // refused before
		}
		var n int
		if err := db.GetContext(t.Context(), &n, `SELECT numnode(to_tsquery('simple', $1))`, prefixes(q)); err != nil {
			t.Errorf("%q: %v", q, err)
		}
	})
}
