// Package hours is the business calendar: is chat open, when does it open next,
// what is four open hours from now. It is pure: no clock, no database.
//
// Wall times are kept with the name of a zone, never with an offset, and become
// instants by time.Date for the day in question. (date.Date combined with a clock
// and a zone takes the offset at midnight UTC and is an hour off on change days.)
// Intervals are half open: at 17:00:00.000 the office is closed (M3).
//
// A wall time that a change of the clocks skips is the first instant after the
// gap. One that happens twice is its first pass as an opening and its second as a
// closing, so that nobody is turned away in an hour that the plan calls open.
package hours

import (
	"fmt"
	"slices"
	"strconv"
	"time"
	_ "time/tzdata" // zones are in the program: a bare container has none

	"github.com/rickb777/date"
)

// Config is the calendar as the settings document holds it.
type Config struct {
	Timezone string `json:"timezone"`
	// Hours has the intervals of each weekday, mon to sun, such as {"08:00", "17:00"}. "24:00" may end
	// one; an interval that ends at or before its start runs over midnight into the next day.
	Hours    map[string][][2]string `json:"hours"`
	Holidays []Holiday              `json:"holidays"`
}

// Holiday replaces the hours of one day; without hours the day is closed.
type Holiday struct {
	Date  string      `json:"date"`
	Name  string      `json:"name"`
	Hours [][2]string `json:"hours"`
}

// Default is the policy's table: Monday to Friday, 8:00 a.m. to 5:00 p.m., Central Time (M3).
func Default() Config {
	c := Config{Timezone: "America/Chicago", Hours: map[string][][2]string{"sat": {}, "sun": {}}, Holidays: []Holiday{}}
	for _, d := range []string{"mon", "tue", "wed", "thu", "fri"} {
		c.Hours[d] = [][2]string{{"08:00", "17:00"}}
	}
	return c
}

// Problem is one thing wrong with a Config, by its path in the document.
type Problem struct{ Field, Detail string }

// ConfigError lists all that is wrong with a Config.
type ConfigError struct{ Problems []Problem }

func (e *ConfigError) Error() string {
	return fmt.Sprintf("%s: %s", e.Problems[0].Field, e.Problems[0].Detail)
}

var weekdays = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

const (
	dayMinutes  = 24 * 60
	horizonDays = 400 // how far a search looks: over a year's closure it answers "none", and never loops
	maxZones    = 60
)

// interval is wall time in minutes from midnight; to may pass 24:00.
type interval struct{ from, to int }

// Calendar answers questions about one Config. It is safe for use by many at once.
type Calendar struct {
	zone     *time.Location
	week     [7][]interval
	holidays map[date.Date]holiday
}

type holiday struct {
	Holiday
	open []interval
}

// New checks a Config and makes its calendar. A calendar without any opening is allowed, since a
// company may shut its chat; searches then answer false. The error is a *ConfigError.
func New(c Config) (*Calendar, error) {
	var problems []Problem
	say := func(field, format string, args ...any) {
		problems = append(problems, Problem{field, fmt.Sprintf(format, args...)})
	}
	cal := &Calendar{holidays: map[date.Date]holiday{}}
	var err error
	if cal.zone, err = time.LoadLocation(c.Timezone); err != nil || c.Timezone == "" || c.Timezone == "Local" || len(c.Timezone) > maxZones {
		say("timezone", "There is no time zone of that name; an IANA name such as America/Chicago is meant.")
	}
	for name := range c.Hours {
		if !slices.Contains(weekdays[:], name) {
			say("hours."+name, "The days are mon, tue, wed, thu, fri, sat and sun.")
		}
	}
	for i, name := range weekdays {
		cal.week[i] = parseDay("hours."+name, c.Hours[name], say)
	}
	for i, name := range weekdays {
		next := (i + 1) % 7
		if overlapsNext(cal.week[i], cal.week[next]) {
			say("hours."+weekdays[next]+"[0]", "It begins before the last interval of %s, which runs over midnight, has ended.", name)
		}
	}
	for i, h := range c.Holidays {
		path := "holidays[" + strconv.Itoa(i) + "]"
		// Not date.ParseISO: it makes 2 March of 30 February, and panics on an empty text.
		midnight, err := time.Parse(time.DateOnly, h.Date)
		if err != nil {
			say(path+".date", "This is no day; write it as 2026-12-25.")
			continue
		}
		d := date.NewAt(midnight)
		if _, twice := cal.holidays[d]; twice {
			say(path+".date", "This day stands in the list twice.")
		}
		cal.holidays[d] = holiday{h, parseDay(path+".hours", h.Hours, say)}
	}
	if len(problems) > 0 {
		slices.SortFunc(problems, func(a, b Problem) int { return cmpString(a.Field, b.Field) })
		return nil, &ConfigError{problems}
	}
	return cal, nil
}

func cmpString(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// parseDay reads a day's intervals and sorts them.
func parseDay(path string, given [][2]string, say func(string, string, ...any)) []interval {
	var out []interval
	for i, pair := range given {
		at := path + "[" + strconv.Itoa(i) + "]"
		from, okFrom := parseClock(pair[0])
		to, okTo := parseClock(pair[1])
		if !okFrom || from == dayMinutes {
			say(at+"[0]", "%q is no time of day; write it as 08:00.", pair[0])
		}
		if !okTo {
			say(at+"[1]", "%q is no time of day; write it as 17:00, or 24:00 for midnight.", pair[1])
		}
		if !okFrom || !okTo || from == dayMinutes {
			continue
		}
		if to <= from {
			to += dayMinutes
		}
		out = append(out, interval{from, to})
	}
	slices.SortFunc(out, func(a, b interval) int { return a.from - b.from })
	for i := 1; i < len(out); i++ {
		if out[i].from < out[i-1].to {
			say(path, "Two intervals overlap.")
			break
		}
	}
	return out
}

// parseClock reads 00:00 to 24:00 strictly, into minutes.
func parseClock(s string) (int, bool) {
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	for _, i := range []int{0, 1, 3, 4} {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	h, m := int(s[0]-'0')*10+int(s[1]-'0'), int(s[3]-'0')*10+int(s[4]-'0')
	if m > 59 || h > 24 || (h == 24 && m > 0) {
		return 0, false
	}
	return h*60 + m, true
}

func overlapsNext(today, tomorrow []interval) bool {
	return len(today) > 0 && len(tomorrow) > 0 && today[len(today)-1].to-dayMinutes > tomorrow[0].from
}

// Location is the calendar's zone.
func (c *Calendar) Location() *time.Location { return c.zone }

// Span is open from From, included, to To, excluded.
type Span struct{ From, To time.Time }

// localDay is the day on the wall at t.
func (c *Calendar) localDay(t time.Time) date.Date {
	y, m, d := t.In(c.zone).Date()
	return date.New(y, m, d)
}

func (c *Calendar) intervals(d date.Date) []interval {
	if h, ok := c.holidays[d]; ok {
		return h.open
	}
	return c.week[d.Weekday()]
}

// Day gives the open spans that begin on a local day, in order, for drawing a week. A span that runs
// over midnight belongs to the day it begins on.
func (c *Calendar) Day(d date.Date) []Span {
	intervals := c.intervals(d)
	if len(intervals) == 0 {
		return nil
	}
	spans := make([]Span, 0, len(intervals))
	for _, iv := range intervals {
		s := Span{c.opening(d, iv.from), c.closing(d, iv.to)}
		if s.From.Before(s.To) { // a skipped hour may swallow an interval whole
			spans = append(spans, s)
		}
	}
	return spans
}

// opening is the first instant at which the wall shows minute, or the end of the gap that skips it.
func (c *Calendar) opening(d date.Date, minute int) time.Time { return c.instant(d, minute, false) }

// closing is the last instant at which the wall shows minute, or the end of the gap.
func (c *Calendar) closing(d date.Date, minute int) time.Time { return c.instant(d, minute, true) }

func (c *Calendar) instant(d date.Date, minute int, last bool) time.Time {
	y, mo, da := d.Date()
	// time.Date takes parts that overflow, so that 24:00 and beyond are the next day's.
	t := time.Date(y, mo, da, 0, minute, 0, 0, c.zone)
	wall := time.Date(y, mo, da, 0, minute, 0, 0, time.UTC)
	if !sameWall(t, wall) { // skipped: the first instant after the gap
		return transition(t, wall, c.zone)
	}
	// The same wall time may come twice. Look a little before and after for the other pass.
	_, offset := t.Zone()
	for _, probe := range []time.Duration{-3 * time.Hour, 3 * time.Hour} {
		_, other := t.Add(probe).Zone()
		if other == offset {
			continue
		}
		twin := t.Add(time.Duration(offset-other) * time.Second)
		if sameWall(twin, wall) && twin.Before(t) != last {
			return twin
		}
	}
	return t
}

func sameWall(t, wall time.Time) bool {
	return t.Hour() == wall.Hour() && t.Minute() == wall.Minute() && t.YearDay() == wall.YearDay() && t.Year() == wall.Year()
}

// transition finds the instant at which the wall first shows something later than wall.
func transition(near, wall time.Time, zone *time.Location) time.Time {
	lo, hi := near.Add(-26*time.Hour), near.Add(26*time.Hour) // Apia skipped a whole day in 2011
	later := func(t time.Time) bool {
		l := t.In(zone)
		y, m, d := l.Date()
		return !time.Date(y, m, d, l.Hour(), l.Minute(), l.Second(), l.Nanosecond(), time.UTC).Before(wall)
	}
	for hi.Sub(lo) > time.Second {
		mid := lo.Add(hi.Sub(lo) / 2)
		if later(mid) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi.Truncate(time.Second)
}

// HolidayOn gives the holiday of a day.
func (c *Calendar) HolidayOn(d date.Date) (Holiday, bool) {
	h, ok := c.holidays[d]
	return h.Holiday, ok
}
