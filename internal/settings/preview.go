package settings

import (
	"time"

	"github.com/rickb777/date"
)

// Draft reads a document over the one in force, checks it, and keeps nothing: for a look at what it
// would do.
func (s *Store) Draft(raw []byte) (*Snapshot, error) {
	doc, err := over(s.Current().Doc, raw, true)
	if err != nil {
		return nil, err
	}
	cal, err := doc.Check()
	if err != nil {
		return nil, err
	}
	return &Snapshot{Doc: doc, Calendar: cal}, nil
}

// Days draws n days of the calendar, from the Monday of the week that now lies in.
func (s *Snapshot) Days(now time.Time, n int) []Weekday {
	y, m, d := now.In(s.Calendar.Location()).Date()
	today := date.New(y, m, d)
	monday := today.Add(-date.PeriodOfDays((int(today.Weekday()) + 6) % 7))
	var out []Weekday
	for i := range date.PeriodOfDays(n) {
		day := monday.Add(i)
		w := Weekday{Date: day.String(), Weekday: day.Weekday().String(), Open: [][2]string{}, Today: day == today}
		for _, span := range s.Calendar.Day(day) {
			w.Open = append(w.Open, [2]string{
				span.From.In(s.Calendar.Location()).Format("15:04"), closing(span.To.In(s.Calendar.Location()))})
		}
		if h, ok := s.Calendar.HolidayOn(day); ok {
			w.Holiday = h.Name
		}
		out = append(out, w)
	}
	return out
}
