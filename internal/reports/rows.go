package reports

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"chatnow/internal/fault"
	"chatnow/internal/postgres"
)

// Row is one chat or ticket that a figure counts.
type Row struct {
	Chat     string     `json:"chat,omitempty" db:"chat"`
	Ticket   int64      `json:"ticket,omitempty" db:"ticket"`
	Name     string     `json:"name" db:"name"`
	Email    string     `json:"email" db:"email"`
	Text     string     `json:"text" db:"text"`
	State    string     `json:"state" db:"state"`
	Champion string     `json:"champion" db:"champion"`
	At       time.Time  `json:"at" db:"at"`
	Took     *float64   `json:"took" db:"took"` // seconds: of a chat the wait, of a ticket the first answer
	Ended    *time.Time `json:"ended_at" db:"ended_at"`
}

const (
	chatRow = `SELECT c.id AS chat, COALESCE(c.ticket, 0) AS ticket, c.customer_name AS name, c.customer_email AS email, left(c.question, 200) AS text, c.state, c.champion_name AS champion,
		c.created_at AS at, ` + waitSeconds + `::float8 AS took, c.ended_at FROM chats c WHERE c.created_at >= $1 AND c.created_at < $2`
	ticketRow = `SELECT '' AS chat, t.number AS ticket, t.requester_name AS name, t.requester_email AS email, t.subject AS text, t.status AS state, COALESCE(p.name, '') AS champion,
		t.created_at AS at, extract(epoch FROM ` + firstReply + ` - t.created_at)::float8 AS took, NULL::timestamptz AS ended_at FROM tickets t LEFT JOIN people p ON p.id = t.assignee_id WHERE `
	inPeriod = `t.created_at >= $1 AND t.created_at < $2`
)

// what makes the query of a figure: all, taken, missed, converted, heat:3:14, wait:2, reply:2, rating:5, backlog,
// champion:<id>, tickets. Parameters beyond the period follow $3, the zone.
func what(of string, p Period) (query string, args []any, err error) {
	args = []any{p.From, p.To}
	kind, rest, _ := strings.Cut(of, ":")
	unknown := fault.WrongField("of", "all, taken, missed, converted, heat:<weekday>:<hour>, wait:<bucket>, reply:<bucket>, rating:<1 to 5>, champion:<id> or tickets.")
	bucket := func(most int) (int, error) {
		n, err := strconv.Atoi(rest)
		if err != nil || n < 0 || n > most {
			return 0, unknown
		}
		return n, nil
	}
	between := func(column string, bounds []int, n int) string {
		s := ""
		if n > 0 {
			s = fmt.Sprintf(" AND %s >= %d", column, bounds[n-1])
		}
		if n < len(bounds) {
			s += fmt.Sprintf(" AND %s < %d", column, bounds[n])
		}
		return s
	}
	switch kind {
	case "all":
		return chatRow, args, nil
	case "taken":
		return chatRow + ` AND c.accepted_at IS NOT NULL`, args, nil
	case "missed":
		return chatRow + ` AND c.state = 'missed'`, args, nil
	case "converted":
		return chatRow + ` AND c.ticket IS NOT NULL`, args, nil
	case "champion":
		return chatRow + ` AND c.champion_id::text = $3`, append(args, rest), nil
	case "heat":
		day, hour, _ := strings.Cut(rest, ":")
		d, errDay := strconv.Atoi(day)
		h, errHour := strconv.Atoi(hour)
		if errDay != nil || errHour != nil || d < 1 || d > 7 || h < 0 || h > 23 {
			return "", nil, unknown
		}
		return chatRow + ` AND extract(isodow FROM c.created_at AT TIME ZONE $3) = $4 AND extract(hour FROM c.created_at AT TIME ZONE $3) = $5`, append(args, p.Zone.String(), d, h), nil
	case "wait":
		n, err := bucket(len(waitBounds))
		return chatRow + ` AND c.accepted_at IS NOT NULL` + between(waitSeconds, waitBounds, n), args, err
	case "tickets":
		return ticketRow + inPeriod, args, nil
	case "reply":
		n, err := bucket(len(replyBounds))
		return `SELECT * FROM (` + ticketRow + inPeriod + `) x WHERE took IS NOT NULL` + between("took", replyBounds, n), args, err
	case "rating":
		n, err := bucket(5)
		return ticketRow + `t.number IN (SELECT ticket FROM surveys WHERE answered_at >= $1 AND answered_at < $2 AND rating = $3)`, append(args, n), err
	}
	return "", nil, unknown
}

// Rows lists what a figure counts, the newest first.
func (r *Reports) Rows(ctx context.Context, p Period, of string, limit, offset int) ([]Row, error) {
	query, args, err := what(of, p)
	if err != nil {
		return nil, err
	}
	out := []Row{}
	err = r.db.SelectContext(ctx, &out, query+fmt.Sprintf(` ORDER BY at DESC, chat, ticket LIMIT %d OFFSET %d`, limit, offset), args...)
	return out, postgres.Kind(ctx, err)
}
