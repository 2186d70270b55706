package hours

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/rickb777/date"
	"pgregory.net/rapid"
)

func calendar(t testing.TB, c Config) *Calendar {
	t.Helper()
	cal, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return cal
}

func at(t testing.TB, zone, wall string) time.Time {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	for _, layout := range []string{"2006-01-02 15:04:05.000", "2006-01-02 15:04", time.RFC3339} {
		if got, err := time.ParseInLocation(layout, wall, loc); err == nil {
			return got
		}
	}
	t.Fatalf("%q is no time", wall)
	return time.Time{}
}

const chicago = "America/Chicago"

func TestTheGateToTheInstant(t *testing.T) {
	c := Default()
	c.Holidays = []Holiday{
		{Date: "2026-11-26", Name: "Thanksgiving"},
		{Date: "2026-11-27", Name: "Day after", Hours: [][2]string{{"08:00", "12:00"}}},
	}
	cal := calendar(t, c)
	for _, tc := range []struct {
		wall      string
		open      bool
		nextOpen  string
		nextClose string
	}{
		{"2026-11-24 07:59:59.999", false, "2026-11-24 08:00", ""},
		{"2026-11-24 08:00:00.000", true, "2026-11-24 08:00", "2026-11-24 17:00"},
		{"2026-11-24 16:59:59.999", true, "2026-11-24 16:59:59.999", "2026-11-24 17:00"},
		{"2026-11-24 17:00:00.000", false, "2026-11-25 08:00", ""},
		{"2026-11-25 23:59", false, "2026-11-27 08:00", ""}, // over the holiday
		{"2026-11-26 10:00", false, "2026-11-27 08:00", ""},
		{"2026-11-27 11:59", true, "2026-11-27 11:59", "2026-11-27 12:00"},
		{"2026-11-27 12:00", false, "2026-11-30 08:00", ""},
		{"2026-12-31 17:00", false, "2027-01-01 08:00", ""},
	} {
		now := at(t, chicago, tc.wall)
		if got := cal.Open(now); got != tc.open {
			t.Errorf("%s: open %v", tc.wall, got)
		}
		if got, ok := cal.NextOpen(now); !ok || !got.Equal(at(t, chicago, tc.nextOpen)) {
			t.Errorf("%s: next open %v", tc.wall, got)
		}
		got, ok := cal.NextClose(now)
		if ok != tc.open || (ok && !got.Equal(at(t, chicago, tc.nextClose))) {
			t.Errorf("%s: next close %v %v", tc.wall, got, ok)
		}
	}
}

func TestThePromiseEndsWithTheNextBusinessDay(t *testing.T) {
	c := Default()
	c.Holidays = []Holiday{{Date: "2026-11-26", Name: "Thanksgiving"}}
	cal := calendar(t, c)
	for from, want := range map[string]string{
		"2026-11-23 16:55": "2026-11-24 17:00", // not in five minutes
		"2026-11-24 03:00": "2026-11-25 17:00",
		"2026-11-25 09:00": "2026-11-27 17:00", // over the holiday
		"2026-11-27 09:00": "2026-11-30 17:00", // Friday to Monday
		"2026-11-28 12:00": "2026-11-30 17:00",
		"2026-10-30 12:00": "2026-11-02 17:00", // clocks go back on Sunday
	} {
		if got, ok := cal.EndOfNextBusinessDay(at(t, chicago, from)); !ok || !got.Equal(at(t, chicago, want)) {
			t.Errorf("from %s: %v, want %s", from, got, want)
		}
	}
}

// Ten years of changes in zones that do it at different hours, by half an hour, at midnight or not at all.
func TestWallTimesHoldOverEveryChangeOfTheClocks(t *testing.T) {
	zones := []string{chicago, "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo",
		"America/Sao_Paulo", "Asia/Tehran", "America/Santiago", "Pacific/Auckland", "Asia/Beirut"}
	for _, zone := range zones {
		c := Default()
		c.Timezone = zone
		for _, d := range weekdays {
			c.Hours[d] = [][2]string{{"08:00", "17:00"}}
		}
		cal := calendar(t, c)
		for day := date.New(2018, 1, 1); day.Year() < 2028; day = day.Add(1) {
			y, m, d := day.Date()
			open := time.Date(y, m, d, 8, 0, 0, 0, cal.zone)
			end := time.Date(y, m, d, 17, 0, 0, 0, cal.zone)
			if !cal.Open(open) || cal.Open(open.Add(-1)) || cal.Open(end) || !cal.Open(end.Add(-1)) {
				t.Fatalf("%s %s: not open from 8:00 to 17:00 on the wall", zone, day)
			}
			if got, ok := cal.NextOpen(open.Add(-time.Minute)); !ok || !got.Equal(open) {
				t.Fatalf("%s %s: opens %v", zone, day, got)
			}
		}
	}
}

func TestSkippedAndRepeatedHours(t *testing.T) {
	day := func(zone, from, to, on string) Span {
		c := Config{Timezone: zone, Hours: map[string][][2]string{}}
		for _, d := range weekdays {
			c.Hours[d] = [][2]string{{from, to}}
		}
		d, err := date.ParseISO(on)
		if err != nil {
			t.Fatal(err)
		}
		spans := calendar(t, c).Day(d)
		if len(spans) == 0 {
			return Span{}
		}
		return spans[0]
	}
	for _, tc := range []struct {
		what, zone, from, to, on, wantFrom, wantTo string
	}{
		{"a skipped opening is the end of the gap", chicago, "02:30", "05:00", "2026-03-08", "2026-03-08T03:00:00-05:00", "2026-03-08T05:00:00-05:00"},
		{"a skipped closing as well", chicago, "01:00", "02:30", "2026-03-08", "2026-03-08T01:00:00-06:00", "2026-03-08T03:00:00-05:00"},
		{"a repeated opening is the first pass", chicago, "01:30", "05:00", "2026-11-01", "2026-11-01T01:30:00-05:00", "2026-11-01T05:00:00-06:00"},
		{"a repeated closing is the second", chicago, "00:00", "01:30", "2026-11-01", "2026-11-01T00:00:00-05:00", "2026-11-01T01:30:00-06:00"},
		{"a change day has 23 hours", chicago, "00:00", "24:00", "2026-03-08", "2026-03-08T00:00:00-06:00", "2026-03-09T00:00:00-05:00"},
		{"a change day has 25 hours", chicago, "00:00", "24:00", "2026-11-01", "2026-11-01T00:00:00-05:00", "2026-11-02T00:00:00-06:00"},
		{"midnight does not exist", "Africa/Cairo", "00:00", "08:00", "2026-04-24", "2026-04-24T01:00:00+03:00", "2026-04-24T08:00:00+03:00"},
		{"half an hour is repeated", "Australia/Lord_Howe", "01:45", "05:00", "2026-04-05", "2026-04-05T01:45:00+11:00", "2026-04-05T05:00:00+10:30"},
		{"a night shift over the change", "Europe/Berlin", "22:00", "06:00", "2026-03-28", "2026-03-28T22:00:00+01:00", "2026-03-29T06:00:00+02:00"},
	} {
		got := day(tc.zone, tc.from, tc.to, tc.on)
		if !got.From.Equal(at(t, tc.zone, tc.wantFrom)) || !got.To.Equal(at(t, tc.zone, tc.wantTo)) {
			t.Errorf("%s: %v to %v", tc.what, got.From, got.To)
		}
	}
	if got := day("Pacific/Apia", "08:00", "17:00", "2011-12-30"); !got.From.IsZero() {
		t.Errorf("Apia had no 30 December 2011, but it is open %v to %v", got.From, got.To)
	}
}

func TestBadConfigsNameTheField(t *testing.T) {
	with := func(f func(c *Config)) Config { c := Default(); f(&c); return c }
	for field, c := range map[string]Config{
		"timezone":        with(func(c *Config) { c.Timezone = "Mars/Olympus" }),
		"hours.monday":    with(func(c *Config) { c.Hours["monday"] = nil }),
		"hours.mon[0][0]": with(func(c *Config) { c.Hours["mon"] = [][2]string{{"25:00", "26:00"}} }),
		"hours.tue[0][1]": with(func(c *Config) { c.Hours["tue"] = [][2]string{{"08:00", "09:60"}} }),
		"hours.wed[0][0]": with(func(c *Config) { c.Hours["wed"] = [][2]string{{"-1:00", "09:00"}} }),
		"hours.thu[0][0]": with(func(c *Config) { c.Hours["thu"] = [][2]string{{"24:00", "09:00"}} }),
		"hours.fri":       with(func(c *Config) { c.Hours["fri"] = [][2]string{{"08:00", "12:00"}, {"11:00", "13:00"}} }),
		"hours.sun[0]": with(func(c *Config) {
			c.Hours["sat"] = [][2]string{{"22:00", "06:00"}}
			c.Hours["sun"] = [][2]string{{"05:00", "07:00"}}
		}),
		"holidays[0].date": with(func(c *Config) { c.Holidays = []Holiday{{Date: "2026-02-30"}} }),
		"holidays[1].date": with(func(c *Config) { c.Holidays = []Holiday{{Date: "2026-02-20"}, {Date: "2026-02-20"}} }),
		"holidays[0].hours": with(func(c *Config) {
			c.Holidays = []Holiday{{Date: "2026-02-20", Hours: [][2]string{{"08:00", "12:00"}, {"09:00", "10:00"}}}}
		}),
	} {
		_, err := New(c)
		var bad *ConfigError
		if !errors.As(err, &bad) || bad.Problems[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestAClosedCalendarAnswersAndDoesNotLoop(t *testing.T) {
	cal := calendar(t, Config{Timezone: "UTC"})
	now := at(t, "UTC", "2026-11-24 10:00")
	_, a := cal.NextOpen(now)
	_, b := cal.Add(now, time.Hour)
	_, c := cal.BusinessDay(now)
	_, d := cal.EndOfNextBusinessDay(now)
	if a || b || c || d || cal.Open(now) || cal.Between(now, now.AddDate(1, 0, 0)) != 0 {
		t.Error("a closed calendar has open time")
	}
	always := Config{Timezone: "UTC", Hours: map[string][][2]string{}}
	for _, d := range weekdays {
		always.Hours[d] = [][2]string{{"00:00", "24:00"}}
	}
	if _, ok := calendar(t, always).NextClose(now); ok {
		t.Error("a calendar that is always open closes")
	}
}

// anyCalendar draws calendars with up to two intervals a day, nights included, and holidays.
func anyCalendar(t *rapid.T) *Calendar {
	zones := []string{"UTC", chicago, "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo", "America/Santiago", "Pacific/Apia"}
	c := Config{Timezone: rapid.SampledFrom(zones).Draw(t, "zone"), Hours: map[string][][2]string{}}
	clock := func(m int) string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }
	for _, d := range weekdays {
		n := rapid.IntRange(0, 2).Draw(t, "intervals")
		from := rapid.IntRange(0, 11*60).Draw(t, "from")
		for range n {
			to := from + rapid.IntRange(1, 6*60).Draw(t, "length")
			c.Hours[d] = append(c.Hours[d], [2]string{clock(from), clock(to)})
			from = to + rapid.IntRange(0, 60).Draw(t, "gap")
		}
	}
	if rapid.Bool().Draw(t, "night") {
		c.Hours["fri"], c.Hours["sat"] = [][2]string{{"21:15", "03:30"}}, nil
	}
	for _, d := range []string{"2026-03-08", "2026-03-29", "2026-04-05", "2026-11-01"} {
		if rapid.Bool().Draw(t, "holiday") {
			c.Holidays = append(c.Holidays, Holiday{Date: d, Hours: [][2]string{{"01:15", "03:45"}}})
		}
	}
	cal, err := New(c)
	if err != nil {
		t.Fatalf("%+v: %v", c, err)
	}
	return cal
}

func anyInstant(t *rapid.T) time.Time {
	base := rapid.SampledFrom([]string{"2026-03-06T00:00:00Z", "2026-03-27T00:00:00Z", "2026-04-03T00:00:00Z", "2026-04-23T00:00:00Z", "2026-10-30T00:00:00Z"}).Draw(t, "base")
	start, err := time.Parse(time.RFC3339, base)
	if err != nil {
		t.Fatal(err)
	}
	return start.Add(time.Duration(rapid.Int64Range(0, int64(6*24*time.Hour/time.Millisecond)).Draw(t, "ms")) * time.Millisecond)
}

func TestAddThenBetweenGivesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cal, from := anyCalendar(t), anyInstant(t)
		d := time.Duration(rapid.Int64Range(0, int64(60*time.Hour/time.Millisecond)).Draw(t, "d")) * time.Millisecond
		end, ok := cal.Add(from, d)
		if !ok {
			return
		}
		if got := cal.Between(from, end); got != d {
			t.Fatalf("%v + %v = %v, but between lies %v", from, d, end, got)
		}
		if !cal.Open(end) && !cal.Open(end.Add(-1)) {
			t.Fatalf("%v + %v ends at %v, inside closed time", from, d, end)
		}
	})
}

// The oracle reads the wall minute by minute and knows no shortcut.
func TestAgreesWithAWalkAlongTheWall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cal, from := anyCalendar(t), anyInstant(t).Truncate(time.Minute)
		if next, ok := cal.NextOpen(from); ok {
			if !cal.Open(next) {
				t.Fatalf("opens at %v, and is closed then", next)
			}
			for m := from; m.Before(next) && m.Sub(from) < 50*time.Hour; m = m.Add(time.Minute) {
				if cal.Open(m) {
					t.Fatalf("open at %v, before the next opening %v", m, next)
				}
			}
		}
		end, closes := cal.NextClose(from)
		if cal.Open(from) != closes {
			t.Fatalf("open %v, closes %v", cal.Open(from), closes)
		}
		if closes {
			if cal.Open(end) || !cal.Open(end.Add(-1)) {
				t.Fatalf("%v is no closing", end)
			}
			if got := cal.Between(from, end); got != end.Sub(from) {
				t.Fatalf("from %v to closing %v lie %v", from, end, got)
			}
		}
	})
}

func FuzzCalendar(f *testing.F) {
	f.Add("America/Chicago", "08:00", "17:00", "2026-12-25", int64(1764000000))
	f.Add("Pacific/Apia", "22:00", "06:00", "2011-12-30", int64(1325203200))
	f.Add("UTC", "00:00", "24:00", "", int64(-62135596800))
	f.Fuzz(func(t *testing.T, zone, from, to, holiday string, unix int64) {
		c := Config{Timezone: zone, Hours: map[string][][2]string{"mon": {{from, to}}, "wed": {{from, to}}}, Holidays: []Holiday{{Date: holiday}}}
		cal, err := New(c)
		if err != nil {
			return
		}
		now := time.Unix(unix%(1<<37), 0)
		if next, ok := cal.NextOpen(now); ok && !cal.Open(next) {
			t.Fatalf("%+v: opens at %v, and is closed then", c, next)
		}
		cal.NextClose(now)
		cal.EndOfNextBusinessDay(now)
		if end, ok := cal.Add(now, 30*time.Hour); ok && cal.Between(now, end) != 30*time.Hour {
			t.Fatalf("%+v: 30 h from %v end at %v", c, now, end)
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	cal := calendar(b, Default())
	now := time.Date(2026, 11, 24, 15, 0, 0, 0, time.UTC)
	for b.Loop() {
		cal.Open(now)
	}
}
