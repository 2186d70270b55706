package lives

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"chatnow/hours"
	"chatnow/tickets/lifecycle"
)

// company is one calendar and one way of counting, with what happens under them.
type company struct {
	hours.Config
	counting string
	rows     []*row
}

// row is one line of the table: at an instant something is done, and then these are the ticket's.
type row struct {
	line                    string
	does                    string
	at, due, solves, closes time.Time
	number                  int64
}

// Quarter plays a table of instants, each company in a world of its own, with every instant lived through
// in order: a moment before, nothing has happened, and at the instant it has.
func Quarter(t *testing.T, file string, world func(t *testing.T, c hours.Config) World) {
	companies, err := readTable(file)
	if err != nil || len(companies) < 9 {
		t.Fatalf("%d companies, %v", len(companies), err)
	}
	for _, c := range companies {
		t.Run(fmt.Sprint(c.Timezone, " from ", c.Hours["mon"][0][0], " ", c.counting), func(t *testing.T) {
			t.Parallel()
			w := world(t, c.Config)
			if err := w.Policy(func(p *lifecycle.Policy) { p.Counting = c.counting }); err != nil {
				t.Fatal(err)
			}
			c.live(t, w)
		})
	}
}

func (c *company) live(t *testing.T, w World) {
	moments := []time.Time{}
	for _, r := range c.rows {
		moments = append(moments, r.at)
		for _, at := range []time.Time{r.due, r.solves, r.closes} {
			if !at.IsZero() {
				moments = append(moments, at.Add(-time.Millisecond), at)
			}
		}
	}
	for day := c.rows[0].at; day.Before(time.Date(2027, 1, 8, 0, 0, 0, 0, time.UTC)); day = day.Add(48 * time.Hour) {
		moments = append(moments, day)
	}
	slices.SortFunc(moments, time.Time.Compare)
	for _, now := range slices.CompactFunc(moments, time.Time.Equal) {
		if err := w.Alarm(now); err != nil {
			t.Fatal(err)
		}
		for _, r := range c.rows {
			if err := r.check(w, now); err != nil {
				t.Fatalf("%s: at %s: %v", r.line, now.In(r.at.Location()), err)
			}
		}
	}
}

// check does what the row says when its time has come, and sees that the ticket is as it says from then on.
func (r *row) check(w World, now time.Time) (err error) {
	if now.Before(r.at) {
		return nil
	}
	if now.Equal(r.at) {
		if r.number, err = w.Create(lifecycle.Normal, lifecycle.Actor{Kind: "customer", Name: "customer"}, now); err != nil {
			return err
		}
		if status := map[string]lifecycle.Status{"asks": lifecycle.Pending, "solves": lifecycle.Solved}[r.does]; status != "" {
			if _, err := w.Do(r.number, lifecycle.ChampionReplied{Status: status}, lifecycle.Actor{Kind: "champion", ID: "c1", Name: "champion"}, now); err != nil {
				return err
			}
		}
	}
	if r.number == 0 {
		return fmt.Errorf("never created")
	}
	want := lifecycle.Ticket{Status: lifecycle.Open, UpdateDueAt: r.due}
	switch {
	case r.does == "creates":
	case !now.Before(r.closes):
		want = lifecycle.Ticket{Status: lifecycle.Closed}
	case !now.Before(r.solves): // the zero time is before everything
		want = lifecycle.Ticket{Status: lifecycle.Solved, ClosesAt: r.closes}
	default:
		want = lifecycle.Ticket{Status: lifecycle.Pending, SolvesAt: r.solves}
	}
	got, err := w.See(r.number)
	if err != nil {
		return err
	}
	if got.Status != want.Status || !got.UpdateDueAt.Equal(want.UpdateDueAt) || !got.SolvesAt.Equal(want.SolvesAt) || !got.ClosesAt.Equal(want.ClosesAt) {
		zone := r.at.Location()
		return fmt.Errorf("%s, due %s, solves %s, closes %s", got.Status, got.UpdateDueAt.In(zone), got.SolvesAt.In(zone), got.ClosesAt.In(zone))
	}
	return nil
}

func readTable(file string) (all []*company, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var config hours.Config
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		text, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(text)
		switch {
		case len(words) == 0:
		case words[0] == "company":
			config = hours.Config{Timezone: words[1], Hours: map[string][][2]string{}}
			days := []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
			from, to, _ := strings.Cut(words[3], "-")
			_, last, _ := strings.Cut(words[2], "-")
			for i, day := range days {
				config.Hours[day] = [][2]string{}
				if i <= slices.Index(days, last) {
					config.Hours[day] = [][2]string{{from, to}}
				}
			}
		case words[0] == "holiday":
			h := hours.Holiday{Date: words[1], Name: "A holiday", Hours: [][2]string{}}
			if len(words) == 3 {
				from, to, _ := strings.Cut(words[2], "-")
				h.Hours = append(h.Hours, [2]string{from, to})
			}
			config.Holidays = append(config.Holidays, h)
		case words[0] == "counting":
			all = append(all, &company{Config: config, counting: words[1]})
		default:
			c := all[len(all)-1]
			r, err := readRow(strings.Join(words, " "), c.Timezone)
			if err != nil {
				return nil, err
			}
			c.rows = append(c.rows, r)
		}
	}
	return all, lines.Err()
}

// readRow reads "2026-10-28 10:00 asks: solves 2026-11-01 09:00, closes 2026-11-03 09:00".
func readRow(line, zone string) (*row, error) {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return nil, err
	}
	const layout = "2006-01-02 15:04"
	what, then, ok := strings.Cut(line, ": ")
	if !ok || len(what) < len(layout)+2 {
		return nil, fmt.Errorf("%q is no row", line)
	}
	r := &row{line: line, does: what[len(layout)+1:]}
	if r.at, err = time.ParseInLocation(layout, what[:len(layout)], loc); err != nil {
		return nil, err
	}
	for part := range strings.SplitSeq(then, ", ") {
		name, at, _ := strings.Cut(part, " ")
		into := map[string]*time.Time{"due": &r.due, "solves": &r.solves, "closes": &r.closes}[name]
		if into == nil {
			return nil, fmt.Errorf("%q has no %q", line, name)
		}
		if *into, err = time.ParseInLocation(layout, at, loc); err != nil {
			return nil, err
		}
	}
	return r, nil
}
