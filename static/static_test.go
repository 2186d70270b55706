package static

import (
	"io"
	"strings"
	"testing"
)

// The customer's side is small on the wire, and the launcher alone is tiny (M20).
func TestBudgets(t *testing.T) {
	b, err := New()
	if err != nil {
		t.Fatal(err)
	}
	launcher, panel, console := b.Size("widget.js"), b.Size("chat.js")+b.Size("chat.css"), b.Size("console.js")+b.Size("console.css")
	t.Logf("gzip: launcher %d, chat %d, console %d bytes", launcher, panel, console)
	if launcher > 5<<10 {
		t.Errorf("the launcher weighs %d bytes", launcher)
	}
	if panel > 45<<10 {
		t.Errorf("the chat weighs %d bytes", panel)
	}
	if console > 150<<10 {
		t.Errorf("the console weighs %d bytes", console)
	}
}

// A template that names another one which is not there fails here and not before a customer.
func TestEveryTemplateRenders(t *testing.T) {
	b, err := New()
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPages(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"signin", "setup", "error", "chat", "console", "ticket_sent", "tickets"} {
		var out strings.Builder
		if err := p.t.ExecuteTemplate(io.MultiWriter(&out), name+".html", map[string]any{"Page": "x"}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLinkedTextIsTextWithLinks(t *testing.T) {
	for given, want := range map[string]string{
		"plain <b>":                              "plain &lt;b&gt;",
		"see https://example.com/a?b=1&c=2.":     `see <a href="https://example.com/a?b=1&amp;c=2" rel="noopener noreferrer nofollow">https://example.com/a?b=1&amp;c=2</a>.`,
		`https://x.test/"onmouseover=alert(1)`:   `<a href="https://x.test/" rel="noopener noreferrer nofollow">https://x.test/</a>&#34;onmouseover=alert(1)`,
		"javascript:alert(1) data:text/html,x":   "javascript:alert(1) data:text/html,x",
		"<script>https://e.test/</script>":       `&lt;script&gt;<a href="https://e.test/" rel="noopener noreferrer nofollow">https://e.test/</a>&lt;/script&gt;`,
		"two\nhttps://a.test/1 https://b.test/2": "two\n" + `<a href="https://a.test/1" rel="noopener noreferrer nofollow">https://a.test/1</a> <a href="https://b.test/2" rel="noopener noreferrer nofollow">https://b.test/2</a>`,
	} {
		if got := string(linked(given)); got != want {
			t.Errorf("%q became\n%s, not\n%s", given, got, want)
		}
	}
}
