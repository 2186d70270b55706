package app

import (
	"github.com/labstack/echo/v4"

	"chatnow/internal/accounts"
	"chatnow/internal/settings"
	"chatnow/static"
)

// framed renders pages with what stands around every page of the customers' side: the product's name,
// the zone of its hours, the policy's links, and who is signed in.
type framed struct {
	*static.Pages
	st *settings.Store
}

// Render adds the frame to a page's own data.
func (f *framed) Render(c echo.Context, status int, name string, data map[string]any) error {
	s := f.st.Current()
	all := map[string]any{"Page": "", "Name": s.Name, "Zone": s.Timezone, "Links": s.Links}
	if me := accounts.Who(c); me != nil {
		all["Me"] = me
	}
	for k, v := range data {
		all[k] = v
	}
	return f.Pages.Render(c, status, name, all)
}
