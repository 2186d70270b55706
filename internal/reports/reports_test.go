package reports

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"testing"
	"time"

	"chatnow/internal/demo"
	"chatnow/internal/fault"
	"chatnow/internal/pgtest"
)

var tuesday = time.Date(2026, 11, 24, 15, 0, 0, 0, time.UTC)

func TestPeriods(t *testing.T) {
	chicago, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ query, from, to, field string }{
		{"", "2026-10-26T00:00:00-05:00", "2026-11-25T00:00:00-06:00", ""},
		{"from=2026-11-01&to=2026-11-01", "2026-11-01T00:00:00-05:00", "2026-11-02T00:00:00-06:00", ""}, // 25 hours
		{"from=2026-11-01&to=2026-11-02&zone=Asia/Kathmandu", "2026-11-01T00:00:00+05:45", "2026-11-03T00:00:00+05:45", ""},
		{"zone=Pacific/Kiritimati", "2026-10-27T00:00:00+14:00", "2026-11-26T00:00:00+14:00", ""}, // where it is tomorrow
		{"zone=Nowhere/Else", "", "", "zone"},
		{"zone=Local", "", "", "zone"},
		{"from=yesterday", "", "", "from"},
		{"to=2026-02-30", "", "", "to"},
		{"from=2026-11-02&to=2026-11-01", "", "", "to"},
		{"from=2020-01-01&to=2026-11-01", "", "", "from"},
	} {
		q, err := url.ParseQuery(c.query)
		if err != nil {
			t.Fatal(err)
		}
		p, err := ReadPeriod(q, chicago, tuesday)
		var wrong *fault.Error
		if c.field != "" {
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s: %v", c.query, err)
			} else if !errors.As(err, &wrong) || wrong.Fields[0].Field != c.field {
				t.Errorf("%s: %v names another field than %s", c.query, err, c.field)
			}
			continue
		}
		if err != nil || p.From.Format(time.RFC3339) != c.from || p.To.Format(time.RFC3339) != c.to {
			t.Errorf("%s: %s to %s, %v", c.query, p.From.Format(time.RFC3339), p.To.Format(time.RFC3339), err)
		}
	}
}

// A month of the demo: each figure counts just the rows that a click on it shows, and the backlog of the last day is
// what is open and pending now.
func TestEachFigureCountsItsRows(t *testing.T) {
	db := pgtest.New(t)
	ctx := t.Context()
	if err := demo.Fill(ctx, db, tuesday, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	r := New(db, func() time.Time { return tuesday }, func() *time.Location { return zone })
	p, err := ReadPeriod(url.Values{}, zone, tuesday)
	if err != nil {
		t.Fatal(err)
	}
	rep, err := r.Of(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	counted := 0
	count := func(of string, want int) {
		t.Helper()
		counted += want
		rows, err := r.Rows(ctx, p, of, 10_000, 0)
		if err != nil || len(rows) != want {
			t.Errorf("%s: %d rows for a figure of %d, %v", of, len(rows), want, err)
		}
	}
	count("all", rep.Chats.All)
	count("taken", rep.Chats.Taken)
	count("missed", rep.Chats.Missed)
	count("converted", rep.Chats.Converted)
	heat := 0
	for _, c := range rep.Heat {
		heat += c.N
		count(fmt.Sprintf("heat:%d:%d", c.Weekday, c.Hour), c.N)
	}
	if heat != rep.Chats.All {
		t.Errorf("the hours have %d chats of %d", heat, rep.Chats.All)
	}
	for kind, s := range map[string]Spread{"wait": rep.Waits, "reply": rep.Replies} {
		sum := 0
		for i, b := range s.Buckets {
			sum += b.N
			count(fmt.Sprintf("%s:%d", kind, i), b.N)
		}
		if sum != s.N || s.N == 0 || s.Median > s.P90 {
			t.Errorf("%s: %+v", kind, s)
		}
	}
	for i, n := range rep.Ratings.By {
		count(fmt.Sprintf("rating:%d", i+1), n)
	}
	if rep.Ratings.Answered < 3 || len(rep.Ratings.Comments) < 3 {
		t.Errorf("ratings: %+v", rep.Ratings)
	}
	chats := 0
	for _, c := range rep.Champions {
		count("champion:"+c.ID, c.Chats)
		chats += c.Chats
	}
	if chats != rep.Chats.Taken {
		t.Errorf("champions had %d chats of %d", chats, rep.Chats.Taken)
	}
	if counted < 1000 {
		t.Errorf("only %d were counted: there was nothing to see", counted)
	}
	var left Backlog
	if err := db.GetContext(ctx, &left, `SELECT count(*) FILTER (WHERE priority = 'low') AS low, count(*) FILTER (WHERE priority = 'normal') AS normal, count(*) FILTER (WHERE priority = 'high') AS high,
		count(*) FILTER (WHERE priority = 'urgent') AS urgent FROM tickets WHERE status IN ('open', 'pending')`); err != nil {
		t.Fatal(err)
	}
	last := rep.Backlog[len(rep.Backlog)-1]
	left.Day = last.Day
	if last != left || len(rep.Backlog) != 30 {
		t.Errorf("the last of %d days has %+v, and there are %+v", len(rep.Backlog), last, left)
	}
	for _, of := range []string{"", "heat", "heat:8:1", "heat:1:24", "wait:x", "wait:7", "rating:9", "all; DROP TABLE chats"} {
		if _, err := r.Rows(ctx, p, of, 10, 0); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", of, err)
		}
	}
}

func TestNoCellIsAFormula(t *testing.T) {
	for in, want := range map[string]string{"": "", "plain": "plain", "a=b": "a=b", "=HYPERLINK(1)": "'=HYPERLINK(1)", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "  =1": "'  =1", "\t=1": "'\t=1", "\r=1": "'\r=1"} {
		if got := neutral(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// A year of 1,000 chats and 1,000 tickets a day.
func BenchmarkAYear(b *testing.B) {
	db := pgtest.New(b)
	ctx := b.Context()
	for _, fill := range []string{
		`INSERT INTO people (id, name, role) SELECT gen_random_uuid(), 'Champion ' || i, 'champion' FROM generate_series(1, 20) i`,
		`INSERT INTO chats (id, token_hash, state, customer_name, customer_email, question, created_at, waiting_since, accepted_at, ended_at, champion_id)
			SELECT gen_random_uuid(), decode(lpad(to_hex(i), 8, '0'), 'hex'), 'ended', 'Ada', 'ada@example.com', 'q', at, at, at + random() * interval '5 minutes', at + interval '20 minutes', (SELECT array_agg(id) FROM people)[1 + i % 20]
			FROM (SELECT i, timestamptz '2026-11-24 15:00Z' - i * interval '1 year' / 365000 AS at FROM generate_series(1, 365000) i) x`,
		`INSERT INTO tickets (number, status, priority, level, subject, requester_name, requester_email, origin, version, created_at, updated_at)
			SELECT i, CASE WHEN i < 500 THEN 'open' ELSE 'closed' END, (ARRAY['low','normal','high','urgent'])[1 + i % 4], 1 + i % 4, 's', 'Ada', 'ada@example.com', 'web', 1, at, at
			FROM (SELECT i, timestamptz '2026-11-24 15:00Z' - i * interval '1 year' / 365000 AS at FROM generate_series(1, 365000) i) x`,
		`INSERT INTO ticket_history (ticket, at, actor_kind, actor_name, event, from_value, to_value) SELECT number, created_at, 'customer', 'Ada', 'created', '', 'open' FROM tickets
			UNION ALL SELECT number, created_at + interval '1 day', 'champion', 'C', 'status', 'open', 'solved' FROM tickets WHERE status = 'closed'
			UNION ALL SELECT number, created_at + interval '3 days', 'system', '', 'status', 'solved', 'closed' FROM tickets WHERE status = 'closed'`,
		`INSERT INTO comments (ticket, author_kind, author_id, author_name, body, public, at) SELECT number, 'champion', (SELECT array_agg(id) FROM people)[1 + number % 20], 'C', 'b', true, created_at + random() * interval '1 day' FROM tickets`,
		`ANALYZE`,
	} {
		if _, err := db.ExecContext(ctx, `SET statement_timeout = 0; `+fill); err != nil {
			b.Fatal(err)
		}
	}
	r := New(db, func() time.Time { return tuesday }, func() *time.Location { return time.UTC })
	p, err := ReadPeriod(url.Values{"from": {"2025-11-25"}}, time.UTC, tuesday)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := r.Of(ctx, p); err != nil {
			b.Fatal(err)
		}
	}
}
