package static

import (
	"bytes"
	"fmt"
	"html/template"
	"regexp"
	"strings"

	"github.com/labstack/echo/v4"

	"chatnow/internal/fault"
)

// Pages renders the pages for people.
type Pages struct{ t *template.Template }

// NewPages reads all templates; one that does not parse stops the program at its start.
func NewPages(b *Bundle) (*Pages, error) {
	t, err := template.New("").Funcs(template.FuncMap{"asset": b.URL, "wrong": wrong, "linked": linked}).ParseFS(files, "pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("read pages: %w", err)
	}
	return &Pages{t}, nil
}

// Render answers with a page, whole or not at all.
func (p *Pages) Render(c echo.Context, status int, name string, data map[string]any) error {
	var out bytes.Buffer
	if err := p.t.ExecuteTemplate(&out, name+".html", data); err != nil {
		return fmt.Errorf("render page %s: %w", name, err)
	}
	return c.HTMLBlob(status, out.Bytes())
}

// wrong gives what a problem document says about a field, or about one of its items.
func wrong(problem any, field string) string {
	doc, _ := problem.(map[string]any)
	list, _ := doc["errors"].([]fault.Field)
	for _, one := range list {
		if name := strings.TrimPrefix(one.Field, "diagnostics."); name == field || strings.HasPrefix(name, field+"[") {
			return one.Detail
		}
	}
	return ""
}

var address = regexp.MustCompile(`https?://[^\s<>"']+[^\s<>"'.,;:!?)\]]`)

// linked makes links of the addresses in a text; all else stays text.
func linked(s string) template.HTML {
	var out strings.Builder
	last := 0
	for _, at := range address.FindAllStringIndex(s, -1) {
		url := template.HTMLEscapeString(s[at[0]:at[1]])
		out.WriteString(template.HTMLEscapeString(s[last:at[0]]))
		out.WriteString(`<a href="` + url + `" rel="noopener noreferrer nofollow">` + url + `</a>`)
		last = at[1]
	}
	out.WriteString(template.HTMLEscapeString(s[last:]))
	return template.HTML(out.String()) // every piece has been escaped
}
