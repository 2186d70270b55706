package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"
	"github.com/labstack/echo/v4"
	"github.com/teambition/rrule-go"

	"chatnow/hours"
	"chatnow/internal/fault"
	"chatnow/internal/text"
)

const (
	maxCalendar  = "1M" // of an iCalendar file
	maxDays      = 31   // of one holiday
	yearsAhead   = 3    // for what comes every year
	oldest       = 1900 // year in which a rule may begin
	maxCalEvents = 2000
	maxRules     = 100 // one that names a day that never comes is followed to the year 9999
)

// postImport reads holidays from an iCalendar file (RFC 5545). It proposes: nothing is kept before an
// administrator has approved the difference, so an emptied file opens no office at Christmas.
func (s *Store) postImport(c echo.Context) error {
	raw, err := io.ReadAll(c.Request().Body)
	var answered *echo.HTTPError // the limit of the route
	if errors.As(err, &answered) {
		return answered
	}
	if err != nil {
		return fault.Bad("The file did not arrive to its end.").Because(err)
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
	first := time.Date(now.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
	last := time.Date(now.Year()+yearsAhead, 12, 31, 0, 0, 0, 0, time.UTC)
	found, rules := map[string]string{}, 0
	for _, e := range events {
		from, to, ok := wholeDays(e)
		if !ok || word(e, ics.ComponentPropertyStatus) == "CANCELLED" {
			continue // an appointment closes no office
		}
		name := "Holiday"
		if said := text.Line(ics.FromText(word(e, ics.ComponentPropertySummary))); said != "" {
			name = text.Cut(said, maxName)
		}
		if e.GetProperty(ics.ComponentPropertyRrule) != nil {
			if rules++; rules > maxRules {
				return nil, fault.WrongField("file", fmt.Sprintf("Up to %d events that come again.", maxRules))
			}
		}
		for _, begins := range comings(e, from, last) {
			for d := range min(int(to.Sub(from)/(24*time.Hour)), maxDays) {
				if day := begins.AddDate(0, 0, d); !day.Before(first) && !day.After(last) {
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

// comings are the days on which an event begins, up to last. Only what comes by the year is followed: a
// holiday does not come each week, and such rules could be made to run for hours. A rule that cannot be
// read leaves the first day.
func comings(e *ics.VEvent, from, last time.Time) []time.Time {
	said := strings.ToUpper(word(e, ics.ComponentPropertyRrule))
	o, err := rrule.StrToROption(said)
	if said == "" || err != nil || o.Freq != rrule.YEARLY || from.Year() < oldest || from.After(last) ||
		len(o.Byhour)+len(o.Byminute)+len(o.Bysecond) > 0 {
		return []time.Time{from}
	}
	o.Dtstart = from
	if o.Until.IsZero() || o.Until.After(last) {
		o.Until = last
	}
	rule, err := rrule.NewRRule(*o)
	if err != nil {
		return []time.Time{from}
	}
	left := map[string]bool{}
	for _, p := range e.GetProperties(ics.ComponentPropertyExdate) {
		for day := range strings.SplitSeq(p.Value, ",") {
			left[day] = true
		}
	}
	return slices.DeleteFunc(rule.All(), func(t time.Time) bool { return left[t.Format("20060102")] })
}

// word is the value of a property; none is empty.
func word(e *ics.VEvent, name ics.ComponentProperty) string {
	if p := e.GetProperty(name); p != nil {
		return p.Value
	}
	return ""
}
