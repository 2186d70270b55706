package text

import "testing"

func TestReadable(t *testing.T) {
	for raw, want := range map[string]bool{
		`{"a":"b"}`:                    true,
		`{"a":"\ud83d\ude00"}`:         true,
		`{"a":"\\ud800"}`:              true, // an escaped backslash, then letters
		`{"a":"\ud800"}`:               false,
		`{"a":"\ud800\u0041"}`:         false,
		`{"a":"\udc00"}`:               false,
		`{"a":"\uD83D\uD83D\uDE00"}`:   false,
		"{\"a\":\"\xff\"}":             false,
		`{"a":"\`:                      true, // cut off: not for us to say
		`{"a":"\u12`:                   true,
		`{"a":"\ud83d\ude00\ud83d\n"}`: false,
	} {
		if got := Readable([]byte(raw)); got != want {
			t.Errorf("Readable(%q) = %v", raw, got)
		}
	}
}

func TestCut(t *testing.T) {
	for _, tc := range []struct {
		in   string
		n    int
		want string
	}{{"abc", 5, "abc"}, {"abcdef", 3, "abc"}, {"äöüß", 2, "äö"}, {"äöü", 3, "äöü"}} {
		if got := Cut(tc.in, tc.n); got != tc.want {
			t.Errorf("Cut(%q, %d) = %q", tc.in, tc.n, got)
		}
	}
}
