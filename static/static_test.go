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
