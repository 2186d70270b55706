package static

import (
	"bytes"
	"fmt"
	"html/template"

	"github.com/labstack/echo/v4"
)

// Pages renders the pages for people.
type Pages struct{ t *template.Template }

// NewPages reads all templates; one that does not parse stops the program at its start.
func NewPages(b *Bundle) (*Pages, error) {
	t, err := template.New("").Funcs(template.FuncMap{"asset": b.URL}).ParseFS(files, "pages/*.html")
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
