package hours

import (
	"time"

	"github.com/rickb777/date"
)

// Open reports whether t lies in an open interval.
func (c *Calendar) Open(t time.Time) bool {
	_, open := c.span(t)
	return open
}

// span finds the open span around t. A span that began yesterday may still run.
func (c *Calendar) span(t time.Time) (Span, bool) {
	today := c.localDay(t)
	for back := range date.PeriodOfDays(3) { // a skipped day makes the one before yesterday a neighbour
		for _, s := range c.Day(today.Add(-back)) {
			if !t.Before(s.From) && t.Before(s.To) {
				return s, true
			}
		}
	}
	return Span{}, false
}

// NextOpen is t itself while open, else the next instant of opening. It is false if there is none
// within 400 days.
func (c *Calendar) NextOpen(t time.Time) (time.Time, bool) {
	if c.Open(t) {
		return t, true
	}
	s, ok := c.spanAfter(t)
	return s.From, ok
}

// spanAfter finds the first span that begins after t.
func (c *Calendar) spanAfter(t time.Time) (Span, bool) {
	day := c.localDay(t).Add(-1)
	for range horizonDays {
		for _, s := range c.Day(day) {
			if s.From.After(t) {
				return s, true
			}
		}
		day = day.Add(1)
	}
	return Span{}, false
}

// NextClose is the end of the open stretch around t, over adjoining intervals and midnights. It is
// false while closed, and for a calendar that never closes within 400 days.
func (c *Calendar) NextClose(t time.Time) (time.Time, bool) {
	s, open := c.span(t)
	if !open {
		return time.Time{}, false
	}
	limit := t.AddDate(0, 0, horizonDays)
	for end := s.To; end.Before(limit); end = s.To {
		if s, open = c.span(end); !open {
			return end, true
		}
	}
	return time.Time{}, false
}

// Add is the instant at which d of open time has passed since t. It is never inside closed time: an
// amount that is used up exactly at closing ends at the closing instant, and nothing from closed time
// on ends at the next opening. It is false if there is not enough open time within 400 days of closure,
// or ten years.
func (c *Calendar) Add(t time.Time, d time.Duration) (time.Time, bool) {
	if d < 0 {
		d = 0
	}
	at, ok := c.NextOpen(t)
	if !ok {
		return time.Time{}, false
	}
	for limit := t.AddDate(10, 0, 0); at.Before(limit); {
		s, open := c.span(at)
		if !open {
			if s, ok = c.spanAfter(at); !ok {
				return time.Time{}, false
			}
			at = s.From
		}
		left := s.To.Sub(at)
		if d <= left {
			return at.Add(d), true
		}
		d -= left
		at = s.To
	}
	return time.Time{}, false
}

// Between is the open time from a to b, negative when b lies before a.
func (c *Calendar) Between(a, b time.Time) time.Duration {
	if b.Before(a) {
		return -c.Between(b, a)
	}
	var sum time.Duration
	last := c.localDay(b)
	for day := c.localDay(a).Add(-2); !day.After(last); day = day.Add(1) {
		for _, s := range c.Day(day) {
			from, to := s.From, s.To
			if from.Before(a) {
				from = a
			}
			if to.After(b) {
				to = b
			}
			if from.Before(to) {
				sum += to.Sub(from)
			}
		}
	}
	return sum
}

// BusinessDay is the day that t counts for: its own while that day has open time left, else the next
// day that has any. It is false if there is none within 400 days.
func (c *Calendar) BusinessDay(t time.Time) (date.Date, bool) {
	day := c.localDay(t)
	if s, open := c.span(t); open {
		return c.localDay(s.From), true // after midnight, a night shift is still the evening's day
	}
	for range horizonDays {
		spans := c.Day(day)
		if len(spans) > 0 && spans[len(spans)-1].To.After(t) {
			return day, true
		}
		day = day.Add(1)
	}
	return date.Date{}, false
}

// EndOfNextBusinessDay is when an update is due after something at t: the close of the first business
// day after t's own date (M23). Monday 16:55 → Tuesday's close; Friday, Saturday and Sunday → Monday's.
func (c *Calendar) EndOfNextBusinessDay(t time.Time) (time.Time, bool) {
	day := c.localDay(t)
	for range horizonDays {
		day = day.Add(1)
		if spans := c.Day(day); len(spans) > 0 {
			return spans[len(spans)-1].To, true
		}
	}
	return time.Time{}, false
}

// EndOfBusinessDay is the close of the business day that t counts for.
func (c *Calendar) EndOfBusinessDay(t time.Time) (time.Time, bool) {
	day, ok := c.BusinessDay(t)
	if !ok {
		return time.Time{}, false
	}
	spans := c.Day(day)
	return spans[len(spans)-1].To, true
}
