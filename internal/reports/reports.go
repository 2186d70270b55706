package reports

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"golang.org/x/sync/errgroup"

	"chatnow/internal/postgres"
)

// Reports reads what happened.
type Reports struct {
	db      *sqlx.DB
	now     func() time.Time
	company func() *time.Location
}

// New makes reports over a database; company gives the zone that counts where none is named.
func New(db *sqlx.DB, now func() time.Time, company func() *time.Location) *Reports {
	return &Reports{db, now, company}
}

// Report is everything about a period.
type Report struct {
	From      string     `json:"from"`
	To        string     `json:"to"`
	Zone      string     `json:"zone"`
	Chats     Chats      `json:"chats"`
	Heat      []Cell     `json:"heat"`
	Waits     Spread     `json:"waits"`
	Replies   Spread     `json:"replies"`
	Backlog   []Backlog  `json:"backlog"`
	Ratings   Ratings    `json:"ratings"`
	Champions []Champion `json:"champions"`
}

// Chats are the chats that began in the period.
type Chats struct {
	All       int `json:"all" db:"all_of_them"`
	Taken     int `json:"taken" db:"taken"`
	Missed    int `json:"missed" db:"missed"`
	Converted int `json:"converted" db:"converted"`
}

// Cell counts the chats that began in an hour of a day of the week, Monday is 1.
type Cell struct {
	Weekday int `json:"weekday" db:"weekday"`
	Hour    int `json:"hour" db:"hour"`
	N       int `json:"n" db:"n"`
}

// Spread is how long something took, in seconds: waiting for a champion (Waits), or for the first public answer to a
// ticket (Replies, by the clock).
type Spread struct {
	N       int      `json:"n"`
	Median  float64  `json:"median"`
	P90     float64  `json:"p90"`
	Buckets []Bucket `json:"buckets"`
}

// Bucket counts what took less than Below seconds, and not less than the one before; the last has no bound (0).
type Bucket struct {
	Below int `json:"below"`
	N     int `json:"n"`
}

// Backlog is how many tickets were open or pending at the end of a day, by priority.
type Backlog struct {
	Day    string `json:"day" db:"day"`
	Low    int    `json:"low" db:"low"`
	Normal int    `json:"normal" db:"normal"`
	High   int    `json:"high" db:"high"`
	Urgent int    `json:"urgent" db:"urgent"`
}

// Ratings are the surveys that were answered in the period, and how many were sent.
type Ratings struct {
	Sent     int       `json:"sent" db:"sent"`
	Answered int       `json:"answered" db:"answered"`
	Mean     float64   `json:"mean" db:"mean"`
	By       []int     `json:"by"` // how many gave 1, 2, … 5
	Comments []Comment `json:"comments"`
}

// Comment is what a customer wrote with a rating.
type Comment struct {
	Ticket  int64     `json:"ticket" db:"ticket"`
	Rating  int       `json:"rating" db:"rating"`
	Comment string    `json:"comment" db:"comment"`
	At      time.Time `json:"at" db:"at"`
}

// Champion is what one of the team did.
type Champion struct {
	ID      string `json:"id" db:"id"`
	Name    string `json:"name" db:"name"`
	Chats   int    `json:"chats" db:"chats"`
	Answers int    `json:"answers" db:"answers"` // public comments on tickets
	Solved  int    `json:"solved" db:"solved"`
}

// Bounds of the buckets, in seconds.
var (
	waitBounds  = []int{15, 30, 60, 120, 300, 600}
	replyBounds = []int{900, 3600, 4 * 3600, 8 * 3600, 24 * 3600, 48 * 3600}
)

const (
	waitSeconds = `extract(epoch FROM c.accepted_at - c.created_at)`
	firstReply  = `(SELECT min(m.at) FROM comments m WHERE m.ticket = t.number AND m.author_kind = 'champion' AND m.public)`
)

// Of counts a period.
func (r *Reports) Of(ctx context.Context, p Period) (out Report, err error) {
	out = Report{From: p.From.Format(time.DateOnly), To: p.To.AddDate(0, 0, -1).Format(time.DateOnly), Zone: p.Zone.String(), Heat: []Cell{}, Backlog: []Backlog{}, Champions: []Champion{}}
	var group errgroup.Group
	group.SetLimit(2) // each is a scan: more at once would only wait for each other
	for _, part := range []struct {
		what string
		read func() error
	}{
		{"chats", func() error {
			return r.db.GetContext(ctx, &out.Chats, `SELECT count(*) AS all_of_them, count(accepted_at) AS taken, count(*) FILTER (WHERE state = 'missed') AS missed, count(ticket) AS converted
				FROM chats WHERE created_at >= $1 AND created_at < $2`, p.From, p.To)
		}},
		{"hours", func() error {
			return r.db.SelectContext(ctx, &out.Heat, `SELECT extract(isodow FROM at)::int AS weekday, extract(hour FROM at)::int AS hour, count(*) AS n
				FROM (SELECT created_at AT TIME ZONE $3 AS at FROM chats WHERE created_at >= $1 AND created_at < $2) c GROUP BY 1, 2 ORDER BY 1, 2`, p.From, p.To, p.Zone.String())
		}},
		{"waits", func() error {
			return r.spread(ctx, &out.Waits, waitBounds, `SELECT `+waitSeconds+` AS s FROM chats c WHERE c.created_at >= $1 AND c.created_at < $2 AND c.accepted_at IS NOT NULL`, p)
		}},
		{"replies", func() error {
			return r.spread(ctx, &out.Replies, replyBounds, `SELECT extract(epoch FROM f.at - t.created_at) AS s FROM tickets t
				JOIN (SELECT ticket, min(at) AS at FROM comments WHERE author_kind = 'champion' AND public AND at >= $1 GROUP BY 1) f ON f.ticket = t.number
				WHERE t.created_at >= $1 AND t.created_at < $2`, p)
		}},
		{"backlog", func() error { return r.backlog(ctx, &out.Backlog, p) }},
		{"ratings", func() error { return r.ratings(ctx, &out.Ratings, p) }},
		{"champions", func() error {
			return r.db.SelectContext(ctx, &out.Champions, `SELECT p.id, p.name, COALESCE(c.n, 0) AS chats, COALESCE(a.n, 0) AS answers, COALESCE(s.n, 0) AS solved FROM people p
				LEFT JOIN (SELECT champion_id AS id, count(*) AS n FROM chats WHERE created_at >= $1 AND created_at < $2 GROUP BY 1) c ON c.id = p.id
				LEFT JOIN (SELECT author_id AS id, count(*) AS n FROM comments WHERE at >= $1 AND at < $2 AND author_kind = 'champion' AND public GROUP BY 1) a ON a.id = p.id
				LEFT JOIN (SELECT actor_id AS id, count(*) AS n FROM ticket_history WHERE at >= $1 AND at < $2 AND event IN ('created', 'status') AND to_value = 'solved' AND actor_kind = 'champion' GROUP BY 1) s ON s.id = p.id
				WHERE p.role <> 'customer' AND (c.n > 0 OR a.n > 0 OR s.n > 0) ORDER BY 3 DESC, 5 DESC, 2`, p.From, p.To)
		}},
	} {
		group.Go(func() error {
			if err := part.read(); err != nil {
				return postgres.Kind(ctx, fmt.Errorf("report on %s: %w", part.what, err))
			}
			return nil
		})
	}
	return out, group.Wait()
}

// spread reads a column s of seconds once, and gives its middle and its buckets.
func (r *Reports) spread(ctx context.Context, out *Spread, bounds []int, seconds string, p Period) error {
	var row struct {
		N      int           `db:"n"`
		Median float64       `db:"median"`
		P90    float64       `db:"p90"`
		Counts pq.Int64Array `db:"counts"`
	}
	if err := r.db.GetContext(ctx, &row, `WITH took AS MATERIALIZED (`+seconds+`),
		middle AS (SELECT count(*) AS n, percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY s) AS at FROM took),
		grouped AS (SELECT width_bucket(s, $3::float8[]) AS i, count(*) AS n FROM took GROUP BY 1)
		SELECT n, COALESCE(at[1], 0) AS median, COALESCE(at[2], 0) AS p90,
			(SELECT array_agg(COALESCE(g.n, 0) ORDER BY i) FROM generate_series(0, cardinality($3::float8[])) i LEFT JOIN grouped g USING (i)) AS counts
		FROM middle`, p.From, p.To, pq.Array(bounds)); err != nil {
		return err
	}
	*out = Spread{N: row.N, Median: row.Median, P90: row.P90}
	for i, n := range row.Counts {
		below := 0
		if i < len(bounds) {
			below = bounds[i]
		}
		out.Buckets = append(out.Buckets, Bucket{below, int(n)})
	}
	return nil
}

// backlog adds up what came and what was done, day by day, from the beginning of all.
func (r *Reports) backlog(ctx context.Context, out *[]Backlog, p Period) error {
	return r.db.SelectContext(ctx, out, `WITH moves AS (
			SELECT GREATEST((h.at AT TIME ZONE $3)::date, $1::date - 1) AS day, t.priority,
				sum(CASE WHEN h.event = 'created' THEN 1
					WHEN h.from_value IN ('open', 'pending') AND h.to_value IN ('solved', 'closed') THEN -1
					WHEN h.from_value IN ('solved', 'closed') AND h.to_value IN ('open', 'pending') THEN 1 ELSE 0 END) AS n
			FROM ticket_history h JOIN tickets t ON t.number = h.ticket
			WHERE h.event IN ('created', 'status') AND h.at < $2::date::timestamp AT TIME ZONE $3 GROUP BY 1, 2
		), days AS (SELECT d::date AS day FROM generate_series($1::date - 1, $2::date - 1, interval '1 day') d),
		sums AS (
			SELECT d.day, sum(m.n) FILTER (WHERE m.priority = 'low') AS low, sum(m.n) FILTER (WHERE m.priority = 'normal') AS normal,
				sum(m.n) FILTER (WHERE m.priority = 'high') AS high, sum(m.n) FILTER (WHERE m.priority = 'urgent') AS urgent
			FROM days d LEFT JOIN moves m ON m.day = d.day GROUP BY 1
		), totals AS (
			SELECT day, COALESCE(sum(low) OVER w, 0)::int AS low, COALESCE(sum(normal) OVER w, 0)::int AS normal, COALESCE(sum(high) OVER w, 0)::int AS high, COALESCE(sum(urgent) OVER w, 0)::int AS urgent
			FROM sums WINDOW w AS (ORDER BY day)
		)
		SELECT to_char(day, 'YYYY-MM-DD') AS day, low, normal, high, urgent FROM totals WHERE day >= $1::date ORDER BY totals.day`,
		p.From.Format(time.DateOnly), p.To.Format(time.DateOnly), p.Zone.String())
}

func (r *Reports) ratings(ctx context.Context, out *Ratings, p Period) error {
	var row struct {
		Ratings
		Counts pq.Int64Array `db:"counts"`
	}
	if err := r.db.GetContext(ctx, &row, `SELECT (SELECT count(*) FROM surveys WHERE sent_at >= $1 AND sent_at < $2) AS sent, count(*) AS answered, COALESCE(avg(rating), 0)::float8 AS mean,
		ARRAY[count(*) FILTER (WHERE rating = 1), count(*) FILTER (WHERE rating = 2), count(*) FILTER (WHERE rating = 3), count(*) FILTER (WHERE rating = 4), count(*) FILTER (WHERE rating = 5)] AS counts
		FROM surveys WHERE answered_at >= $1 AND answered_at < $2`, p.From, p.To); err != nil {
		return err
	}
	*out = row.Ratings
	for _, n := range row.Counts {
		out.By = append(out.By, int(n))
	}
	out.Comments = []Comment{}
	return r.db.SelectContext(ctx, &out.Comments, `SELECT ticket, rating, comment, answered_at AS at FROM surveys WHERE answered_at >= $1 AND answered_at < $2 AND comment <> '' ORDER BY answered_at DESC LIMIT 100`, p.From, p.To)
}
