package settings

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"
	"github.com/labstack/echo/v4"

	"chatnow/hours"
	"chatnow/internal/fault"
	"chatnow/internal/text"
)

const (
	maxCalendar  = 256 << 10 // bytes of an iCalendar file
	maxDays      = 31        // of one holiday
	yearsAhead   = 3         // for what comes every year
	maxCalEvents = 2000
)

// postImport reads holidays from an iCalendar file (RFC 5545). It proposes: nothing is kept before an
// administrator has approved the difference, so an emptied file opens no office at Christmas.
func (s *Store) postImport(c echo.Context) error {
	raw, err := io.ReadAll(io.LimitReader(c.Request().Body, maxCalendar+1))
	if err != nil {
		return fault.Bad("The file did not arrive to its end.").Because(err)
	}
	if len(raw) > maxCalendar {
		return &fault.Error{Kind: fault.TooLarge, Code: "too_large", Detail: "A calendar has up to 256 KiB."}
	}
	list, err := holidaysOf(raw, s.now())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]any{"holidays": list})
}

// holidaysOf gives the whole days of a calendar from this year on, in order, each once.
func holidaysOf(raw []byte, now time.Time) ([]hours.Holiday, error) {
	if !text.Readable(raw) {
		return nil, fault.WrongField("file", "This is no iCalendar file.")
	}
	cal, err := ics.ParseCalendar(bytes.NewReader(raw))
	if err != nil || !bytes.Contains(raw, []byte("BEGIN:VCALENDAR")) {
		return nil, fault.WrongField("file", "This is no iCalendar file.")
	}
	events := cal.Events()
	if len(events) > maxCalEvents {
		return nil, fault.WrongField("file", fmt.Sprintf("Up to %d events.", maxCalEvents))
	}
	first, last := now.Year(), now.Year()+yearsAhead
	found := map[string]string{}
	for _, e := range events {
		from, to, ok := wholeDays(e)
		if !ok {
			continue // an appointment closes no office
		}
		name := "Holiday"
		if p := e.GetProperty(ics.ComponentPropertySummary); p != nil && text.Line(p.Value) != "" {
			name = text.Cut(strings.ReplaceAll(text.Line(p.Value), `\,`, ","), maxName)
		}
		rule := e.GetProperty(ics.ComponentPropertyRrule)
		for year := 0; year <= yearsAhead+100 && from.Year()+year <= last; year++ {
			if year > 0 && (rule == nil || !strings.Contains(strings.ToUpper(rule.Value), "FREQ=YEARLY") || strings.Contains(strings.ToUpper(rule.Value), "BY")) {
				break // only what comes on the same date each year can be told without a doubt
			}
			for d := 0; d < maxDays && from.AddDate(0, 0, d).Before(to); d++ {
				if day := from.AddDate(year, 0, d); day.Year() >= first && day.Year() <= last {
					found[day.Format(time.DateOnly)] = name
				}
			}
		}
	}
	out := []hours.Holiday{}
	for date, name := range found {
		out = append(out, hours.Holiday{Date: date, Name: name, Hours: [][2]string{}})
	}
	slices.SortFunc(out, func(a, b hours.Holiday) int { return strings.Compare(a.Date, b.Date) })
	return out, nil
}

// wholeDays gives the first day of an event and the one after its last.
func wholeDays(e *ics.VEvent) (from, to time.Time, ok bool) {
	start := e.GetProperty(ics.ComponentPropertyDtStart)
	if start == nil {
		return from, to, false
	}
	from, err := time.Parse("20060102", start.Value)
	if err != nil {
		return from, to, false
	}
	to = from.AddDate(0, 0, 1)
	if end := e.GetProperty(ics.ComponentPropertyDtEnd); end != nil {
		if at, err := time.Parse("20060102", end.Value); err == nil && at.After(from) {
			to = at
		}
	}
	return from, to, true
}
