package settings

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"chatnow/internal/postgres"
	"chatnow/internal/web"
)

// Routes registers the settings document for administrators, and what everybody may know of it.
func (s *Store) Routes(srv *web.Server, admin web.Permission, who func(echo.Context) Who) {
	srv.API(http.MethodGet, "/settings", admin, func(c echo.Context) error {
		return c.JSON(http.StatusOK, s.Current().Doc)
	})
	srv.API(http.MethodPut, "/settings", admin, func(c echo.Context) error {
		var in incoming
		if err := web.Bind(c, &in); err != nil {
			return err
		}
		snap, err := s.Put(c.Request().Context(), in.raw, who(c))
		if err != nil {
			return err
		}
		return c.JSON(http.StatusOK, snap.Doc)
	})
	srv.Upload(http.MethodPost, "/settings/holidays", maxCalendar, admin, s.postImport)
	srv.API(http.MethodGet, "/settings/history", admin, s.getHistory)
	srv.API(http.MethodGet, "/support", web.Anyone, func(c echo.Context) error {
		return c.JSON(http.StatusOK, s.Current().Support(s.now()))
	})
}

func (s *Store) getHistory(c echo.Context) error {
	type entry struct {
		Version int64           `json:"version" db:"version"`
		At      time.Time       `json:"at" db:"at"`
		By      string          `json:"by" db:"by_name"`
		Doc     json.RawMessage `json:"settings" db:"doc"`
	}
	out := []entry{}
	if err := s.db.SelectContext(c.Request().Context(), &out,
		`SELECT version, at, by_name, doc FROM settings ORDER BY version DESC LIMIT 50`); err != nil {
		return postgres.Kind(c.Request().Context(), err)
	}
	return c.JSON(http.StatusOK, map[string]any{"history": out})
}

// Support is what anybody may know: the help page and the forms are made of it (M1).
type Support struct {
	Name         string     `json:"name"`
	Timezone     string     `json:"timezone"`
	Week         []Weekday  `json:"week"`
	Products     []Product  `json:"products"`
	Priorities   []Priority `json:"priorities"`
	Destinations []string   `json:"destinations"`
	Links        Links      `json:"links"`
}

// Weekday is one day of the current week as the help page draws it.
type Weekday struct {
	Date    string      `json:"date"`
	Weekday string      `json:"weekday"`
	Open    [][2]string `json:"open"`
	Holiday string      `json:"holiday,omitempty"`
	Today   bool        `json:"today,omitempty"`
}

// Support gives the public part of the document, with the week that now lies in, Monday first.
func (s *Snapshot) Support(now time.Time) Support {
	out := Support{Name: s.Name, Timezone: s.Timezone, Products: s.Products, Priorities: s.Priorities,
		Destinations: s.Destinations, Links: s.Links}
	out.Week = s.Days(now, 7)
	return out
}

// closing writes midnight at the end of a day as people do.
func closing(t time.Time) string {
	if t.Hour() == 0 && t.Minute() == 0 {
		return "24:00"
	}
	return t.Format("15:04")
}
