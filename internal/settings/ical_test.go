package settings

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"chatnow/hours"
	"chatnow/internal/fault"
)

func calendar(events ...string) []byte {
	return []byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n" + strings.Join(events, "") + "END:VCALENDAR\r\n")
}

func event(lines ...string) string {
	return "BEGIN:VEVENT\r\nUID:" + lines[0] + "\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VEVENT\r\n"
}

func TestHolidaysOfAnICalendarFile(t *testing.T) {
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	day := func(date, name string) hours.Holiday {
		return hours.Holiday{Date: date, Name: name, Hours: [][2]string{}}
	}
	for name, tt := range map[string]struct {
		file []byte
		want []hours.Holiday
	}{
		"one day": {calendar(event("DTSTART;VALUE=DATE:20261126", "DTEND;VALUE=DATE:20261127", "SUMMARY:Thanksgiving Day")), []hours.Holiday{day("2026-11-26", "Thanksgiving Day")}},
		"two days": {calendar(event("DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261226", "SUMMARY:Christmas")),
			[]hours.Holiday{day("2026-12-24", "Christmas"), day("2026-12-25", "Christmas")}},
		"every year": {calendar(event("DTSTART;VALUE=DATE:20200101", "SUMMARY:New Year", "RRULE:FREQ=YEARLY")),
			[]hours.Holiday{day("2026-01-01", "New Year"), day("2027-01-01", "New Year"), day("2028-01-01", "New Year"), day("2029-01-01", "New Year")}},
		"the fourth Thursday of November": {calendar(event("DTSTART;VALUE=DATE:20221124", "SUMMARY:Thanksgiving\\, observed", "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH")),
			[]hours.Holiday{day("2026-11-26", "Thanksgiving, observed"), day("2027-11-25", "Thanksgiving, observed"), day("2028-11-23", "Thanksgiving, observed"), day("2029-11-22", "Thanksgiving, observed")}},
		"every second year, but for one": {calendar(event("DTSTART;VALUE=DATE:20240601", "SUMMARY:Inventory", "RRULE:FREQ=YEARLY;INTERVAL=2", "EXDATE;VALUE=DATE:20260601")),
			[]hours.Holiday{day("2028-06-01", "Inventory")}},
		"a rule that has ended":  {calendar(event("DTSTART;VALUE=DATE:20200101", "SUMMARY:Old", "RRULE:FREQ=YEARLY;UNTIL=20231231")), []hours.Holiday{}},
		"four times and no more": {calendar(event("DTSTART;VALUE=DATE:20230101", "SUMMARY:New Year", "RRULE:FREQ=YEARLY;COUNT=4")), []hours.Holiday{day("2026-01-01", "New Year")}},
		"a leap day":             {calendar(event("DTSTART;VALUE=DATE:20240229", "SUMMARY:Leap", "RRULE:FREQ=YEARLY")), []hours.Holiday{day("2028-02-29", "Leap")}},
		"a day that never comes": {calendar(event("DTSTART;VALUE=DATE:20240101", "SUMMARY:Never", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")), []hours.Holiday{}},
		"every second":           {calendar(event("DTSTART;VALUE=DATE:20261201", "SUMMARY:Odd", "RRULE:FREQ=SECONDLY")), []hours.Holiday{day("2026-12-01", "Odd")}},
		"cancelled":              {calendar(event("DTSTART;VALUE=DATE:20261201", "SUMMARY:Off", "STATUS:CANCELLED")), []hours.Holiday{}},
		"an appointment":         {calendar(event("DTSTART:20261126T090000Z", "DTEND:20261126T100000Z", "SUMMARY:Meeting")), []hours.Holiday{}},
		"long past":              {calendar(event("DTSTART;VALUE=DATE:20011126", "SUMMARY:Old")), []hours.Holiday{}},
		"empty":                  {calendar(), []hours.Holiday{}},
	} {
		got, err := holidaysOf(tt.file, now)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
	for _, file := range []string{"", "<html>", "\xff\xfe", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT"} {
		if got, err := holidaysOf([]byte(file), now); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v %v", file, got, err)
		}
	}
}

func FuzzHolidays(f *testing.F) {
	f.Add(calendar(event("DTSTART;VALUE=DATE:20261126", "SUMMARY:Thanksgiving Day", "RRULE:FREQ=YEARLY")))
	f.Add(calendar(event("DTSTART;VALUE=DATE:19010131", "SUMMARY:x", "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;BYSETPOS=-1", "EXDATE:20260101,20270101")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := holidaysOf(raw, time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC))
		if err != nil {
			return
		}
		doc := Defaults()
		doc.Holidays = got
		if _, err := doc.Check(); err != nil {
			t.Fatalf("what is proposed cannot be saved: %v", err)
		}
	})
}
