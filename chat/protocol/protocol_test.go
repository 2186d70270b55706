package protocol

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestDecode(t *testing.T) {
	chat := "6f1c2b3a-0000-4000-8000-000000000001"
	for _, tc := range []struct {
		raw     string
		console bool
		code    string
	}{
		{`{"type":"hello","token":"t","after":0}`, false, ""},
		{`{"type":"send","id":"a-1","body":"hi"}`, false, ""},
		{`{"type":"send","id":"a-1","body":"hi","chat":"` + chat + `"}`, true, ""},
		{`{"type":"send","id":"a-1","body":"hi"}`, true, UnknownChat},
		{`{"type":"send","id":"a-1","body":"  "}`, false, BadFrame},
		{`{"type":"send","id":"","body":"x"}`, false, BadFrame},
		{`{"type":"send","id":"a b","body":"x"}`, false, BadFrame},
		{`{"type":"send","id":"a","body":"\u0000"}`, false, BadFrame},
		{`{"type":"send","id":"a","body":"\ud800"}`, false, BadFrame},
		{"{\"type\":\"send\",\"id\":\"a\",\"body\":\"\xff\"}", false, BadFrame},
		{`{"type":"note","id":"a","body":"x"}`, false, NotAllowed},
		{`{"type":"accept","chat":"` + chat + `"}`, false, NotAllowed},
		{`{"type":"presence","state":"asleep"}`, true, BadFrame},
		{`{"type":"presence","state":"online","capacity":51}`, true, BadFrame},
		{`{"type":"read","seq":-1}`, false, BadFrame},
		{`{"type":"dance"}`, false, BadFrame},
		{`{}`, false, BadFrame},
		{`[]`, false, BadFrame},
		{`{"type":"send"`, false, BadFrame},
		{strings.Repeat("[", 20_000), false, BadFrame},
	} {
		_, err := Decode([]byte(tc.raw), tc.console)
		if (err == nil) != (tc.code == "") || (err != nil && err.Code != tc.code) {
			t.Errorf("%.60s: %v", tc.raw, err)
		}
	}
}

func TestAfter(t *testing.T) {
	for raw, want := range map[string]int64{`0`: 0, `17`: 17, `9223372036854775807`: 9223372036854775807, ``: 0, `null`: 0} {
		if n, err := (Frame{After: json.RawMessage(raw)}).CustomerAfter(); err != nil || n != want {
			t.Errorf("%s: %d, %v", raw, n, err)
		}
	}
	for _, raw := range []string{`-1`, `1.5`, `"1"`, `9223372036854775808`, `{}`} {
		if _, err := (Frame{After: json.RawMessage(raw)}).CustomerAfter(); err == nil {
			t.Errorf("%s was taken", raw)
		}
	}
}

// Whatever the text, a frame that we write is JSON and says the same text.
func FuzzFramesAreJSON(f *testing.F) {
	for _, s := range []string{"plain", "\"quoted\"\\", "line\nbreak\t\r", "\x00\x1f\x7f", "🙂 \u200b\u2028", "</script>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return
		}
		m := Message{Seq: 1, ID: "a", From: From{Kind: Customer, Name: s}, Body: s, At: time.Unix(0, 0)}
		for _, raw := range [][]byte{AppendMessage(nil, "", &m), AppendMessage(nil, "c", &m), AppendNote(nil, "c", "a", m.From, s, m.At, 1),
			AppendError(nil, &Error{Code: "x", Detail: s}), AppendTyping(nil, "", m.From, true)} {
			var got struct {
				Body, Detail string
				From         From
			}
			if err := json.Unmarshal(raw, &got); err != nil {
				t.Fatalf("%s: %v", raw, err)
			}
			if got.Body != "" && got.Body != s {
				t.Fatalf("%q became %q", s, got.Body)
			}
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"type":"send","id":"a","body":"x"}`), false)
	f.Add([]byte(`{"type":"hello","after":{"6f1c2b3a-0000-4000-8000-000000000001":1}}`), true)
	f.Fuzz(func(t *testing.T, raw []byte, console bool) {
		frame, err := Decode(raw, console)
		if err == nil && frame.Type == "" {
			t.Fatal("a frame without a type was taken")
		}
		_, _ = frame.CustomerAfter()
		_, _ = frame.ConsoleAfter()
	})
}
