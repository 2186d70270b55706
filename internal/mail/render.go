package mail

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	html "html/template"
	"net/url"
	"strings"
	plain "text/template"
	"time"

	"chatnow/internal/text"
)

// Each kind has a text whose first line is the subject, and HTML that stands in layout.html.
//
//go:embed templates
var files embed.FS

type pair struct {
	text *plain.Template
	html *html.Template
}

// templates holds the pair of each kind; one that does not parse is a defect found by any test.
var templates = parseAll()

func parseAll() map[string]*pair {
	out := map[string]*pair{}
	for _, kind := range Kinds {
		out[kind] = &pair{
			text: plain.Must(plain.ParseFS(files, "templates/layout.txt", "templates/"+kind+".txt")),
			html: html.Must(html.ParseFS(files, "templates/layout.html", "templates/"+kind+".html")),
		}
	}
	return out
}

// row is a mail as it is kept.
type row struct {
	ID       string          `db:"id"`
	Kind     string          `db:"kind"`
	To       string          `db:"to_email"`
	ToName   string          `db:"to_name"`
	Ticket   int64           `db:"ticket"`
	Data     json.RawMessage `db:"data"`
	Tries    int             `db:"tries"`
	QueuedAt time.Time       `db:"queued_at"`
	Old      bool            `db:"old"`    // for too long nobody took it
	Proved   bool            `db:"proved"` // the address belongs to an account
}

// content is a mail as people read it.
type content struct{ Subject, Text, HTML string }

// view is what templates see. What a customer has written is in it only when his address is proved:
// otherwise anybody could have his own words sent to a stranger (robustness 1.20).
type view struct {
	Product string
	Name    string // empty for an address that is not proved
	About   string // the ticket's subject, likewise
	Ticket  int64
	Former  int64
	Home    string // the support page
	Page    string // the ticket's page
	Link    string // where this mail's own button leads
	Silent  bool   // solved because no answer came (M36)
	Answer  string // a champion's words
	Lines   string // of a transcript
	Closes  string
	Solves  string
	Due     string
	Zone    string
}

// render makes the words of a mail. base begins every link.
func render(m row, r Rules, base *url.URL) (content, error) {
	var data map[string]any
	if err := json.Unmarshal(m.Data, &data); err != nil {
		return content{}, fmt.Errorf("read data of mail %s: %w", m.ID, err)
	}
	word := func(key string) string { s, _ := data[key].(string); return s }
	zone := r.Zone
	if name := word("timezone"); name != "" && name != "Local" {
		if z, err := time.LoadLocation(name); err == nil {
			zone = z
		}
	}
	root := strings.TrimSuffix(base.String(), "/")
	v := view{Product: r.Product, Ticket: m.Ticket, Home: root + "/", Answer: word("answer"), Zone: zone.String(),
		Closes: when(word("closes_at"), zone), Solves: when(word("solves_at"), zone), Due: when(word("update_due_at"), zone)}
	if m.Ticket != 0 {
		v.Page = fmt.Sprintf("%s/tickets/%d", root, m.Ticket)
	}
	if n, ok := data["former"].(float64); ok {
		v.Former = int64(n)
	}
	v.Silent, _ = data["silent"].(bool)
	if m.Proved {
		v.Name, v.About, v.Lines = m.ToName, text.Line(word("subject")), word("transcript")
	}
	v.Link = link(root, m.Kind, word("path"), word("token"))
	if v.Link == "" {
		v.Link = v.Page
	}
	return v.write(m.Kind)
}

// paths are the pages that a token opens.
var paths = map[string]string{"verify": "/account/verify?token=", "reset": "/account/reset?token=", "invited": "/account/reset?token=", "signin_link": "/account/signin?token=", "survey": "/survey/"}

// link is where a mail's own button leads; it never leaves the base URL.
func link(root, kind, path, token string) string {
	switch {
	case strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//"):
		return root + path
	case token != "" && paths[kind] != "":
		return root + paths[kind] + url.QueryEscape(token)
	}
	return ""
}

// when writes an instant for a reader in zone: "Thursday 26 November, 2:05 PM CST".
func when(stamp string, zone *time.Location) string {
	t, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		return ""
	}
	return t.In(zone).Format("Monday 2 January, 3:04 PM MST")
}

func (v view) write(kind string) (content, error) {
	p := templates[kind]
	if p == nil {
		return content{}, fmt.Errorf("there is no mail of the kind %q", kind)
	}
	var words, page bytes.Buffer
	if err := p.text.ExecuteTemplate(&words, "layout.txt", v); err != nil {
		return content{}, fmt.Errorf("write mail %s: %w", kind, err)
	}
	subject, body, _ := strings.Cut(strings.TrimLeft(words.String(), "\n"), "\n")
	if err := p.html.ExecuteTemplate(&page, "layout.html", v); err != nil {
		return content{}, fmt.Errorf("write mail %s: %w", kind, err)
	}
	return content{Subject: text.Cut(text.Line(subject), 150), Text: tidy(body), HTML: strings.TrimSpace(page.String()) + "\n"}, nil
}

// tidy joins the empty lines that conditions leave behind.
func tidy(s string) string {
	for strings.Contains(s, "\n\n\n") {
		s = strings.ReplaceAll(s, "\n\n\n", "\n\n")
	}
	return strings.TrimSpace(s) + "\n"
}
