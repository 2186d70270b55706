// Package reports counts what happened, for managers. It only reads.
package reports

import (
	"net/url"
	"time"

	"chatnow/internal/fault"
)

// Period is some whole days in a zone: from the beginning of From to the end of To.
type Period struct {
	From, To time.Time // midnights in Zone; To is the day after the last
	Zone     *time.Location
}

// maxDays of a period: two years, leap day included.
const maxDays = 731

// ReadPeriod reads from, to (days such as 2026-11-24, both counted) and zone (an IANA name). Left out, they are the last
// thirty days, today included, in the company's zone.
func ReadPeriod(q url.Values, company *time.Location, now time.Time) (Period, error) {
	p := Period{Zone: company}
	var wrong []fault.Field
	if name := q.Get("zone"); name != "" {
		zone, err := time.LoadLocation(name)
		if err != nil || name == "Local" {
			wrong = append(wrong, fault.Field{Field: "zone", Detail: "This is no time zone; write one such as Europe/Berlin."})
		} else {
			p.Zone = zone
		}
	}
	y, m, d := now.In(p.Zone).Date()
	day := func(field string, other time.Time) time.Time {
		s := q.Get(field)
		if s == "" {
			return other
		}
		at, err := time.ParseInLocation(time.DateOnly, s, p.Zone)
		if err != nil {
			wrong = append(wrong, fault.Field{Field: field, Detail: "This is no day; write one such as 2026-11-24."})
		}
		return at
	}
	last := day("to", time.Date(y, m, d, 0, 0, 0, 0, p.Zone))
	p.From = day("from", last.AddDate(0, 0, -29))
	p.To = last.AddDate(0, 0, 1)
	if len(wrong) == 0 && !p.From.Before(p.To) {
		wrong = append(wrong, fault.Field{Field: "to", Detail: "The period ends before it begins."})
	}
	if len(wrong) == 0 && p.To.Sub(p.From) > maxDays*24*time.Hour {
		wrong = append(wrong, fault.Field{Field: "from", Detail: "A period has up to two years."})
	}
	if len(wrong) > 0 {
		return p, fault.Wrong(wrong...)
	}
	return p, nil
}
