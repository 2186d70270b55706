package chat

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"chatnow/chat/protocol"
	"chatnow/internal/postgres"
)

// row is a chat's row; nullable columns end here.
type row struct {
	ID             string              `db:"id"`
	State          State               `db:"state"`
	Reason         string              `db:"reason"`
	CustomerName   string              `db:"customer_name"`
	CustomerEmail  string              `db:"customer_email"`
	CustomerID     sql.NullString      `db:"customer_id"`
	Product        string              `db:"product"`
	PageURL        string              `db:"page_url"`
	UserAgent      string              `db:"user_agent"`
	Timezone       string              `db:"timezone"`
	Question       string              `db:"question"`
	Seq            int64               `db:"seq"`
	ChampionID     sql.NullString      `db:"champion_id"`
	ChampionName   string              `db:"champion_name"`
	OfferedTo      sql.NullString      `db:"offered_to"`
	OfferedUntil   sql.Null[time.Time] `db:"offered_until"`
	PassedBy       pq.StringArray      `db:"passed_by"`
	CreatedAt      time.Time           `db:"created_at"`
	WaitingSince   time.Time           `db:"waiting_since"`
	AcceptedAt     sql.Null[time.Time] `db:"accepted_at"`
	EndedAt        sql.Null[time.Time] `db:"ended_at"`
	CustomerGoneAt sql.Null[time.Time] `db:"customer_gone_at"`
	LastCustomerAt sql.Null[time.Time] `db:"last_customer_at"`
	LastChampionAt sql.Null[time.Time] `db:"last_champion_at"`
	Preview        string              `db:"preview"`
	ReadCustomer   int64               `db:"read_customer"`
	ReadChampion   int64               `db:"read_champion"`
	Ticket         sql.NullInt64       `db:"ticket"`
	Change         int64               `db:"change"`
}

const columns = `c.id, c.state, c.reason, c.customer_name, c.customer_email, c.customer_id, c.product, c.page_url, c.user_agent, c.timezone, c.question, c.seq,
	c.champion_id, c.champion_name, c.offered_to, c.offered_until, c.passed_by, c.created_at, c.waiting_since, c.accepted_at, c.ended_at,
	c.customer_gone_at, c.last_customer_at, c.last_champion_at, c.preview, c.read_customer, c.read_champion, c.ticket, c.change`

func (r *row) chat() *Chat {
	return &Chat{
		ID: r.ID, CustomerName: r.CustomerName, CustomerEmail: r.CustomerEmail, CustomerID: r.CustomerID.String, Product: r.Product,
		PageURL: r.PageURL, UserAgent: r.UserAgent, Timezone: r.Timezone, Question: r.Question, Seq: r.Seq, CreatedAt: r.CreatedAt,
		CustomerGoneAt: r.CustomerGoneAt.V, LastCustomerAt: r.LastCustomerAt.V, LastChampionAt: r.LastChampionAt.V, Preview: r.Preview,
		ReadCustomer: r.ReadCustomer, ReadChampion: r.ReadChampion, Ticket: r.Ticket.Int64, Change: r.Change,
		Session: Session{State: r.State, Reason: r.Reason, Champion: Party{r.ChampionID.String, r.ChampionName}, OfferedTo: r.OfferedTo.String,
			OfferedUntil: r.OfferedUntil.V, PassedBy: r.PassedBy, WaitingSince: r.WaitingSince, AcceptedAt: r.AcceptedAt.V, EndedAt: r.EndedAt.V},
	}
}

// get reads one chat by a condition on c; lock holds its row to the end of the transaction.
func get(ctx context.Context, q sqlx.QueryerContext, lock bool, where string, args ...any) (*Chat, error) {
	var r row
	query := `SELECT ` + columns + ` FROM chats c WHERE ` + where
	if lock {
		query += ` FOR NO KEY UPDATE OF c`
	}
	if err := sqlx.GetContext(ctx, q, &r, query, args...); err != nil {
		return nil, postgres.Kind(ctx, err)
	}
	return r.chat(), nil
}

// list reads chats by a condition and an order.
func list(ctx context.Context, q sqlx.QueryerContext, tail string, args ...any) ([]*Chat, error) {
	var rows []row
	if err := sqlx.SelectContext(ctx, q, &rows, `SELECT `+columns+` FROM chats c `+tail, args...); err != nil {
		return nil, postgres.Kind(ctx, err)
	}
	out := make([]*Chat, len(rows))
	for i := range rows {
		out[i] = rows[i].chat()
	}
	return out, nil
}

// save keeps a chat's session, and what the log says about its change, under the row's lock.
func save(ctx context.Context, tx *sqlx.Tx, c *Chat, said []string, now time.Time) ([]Stored, error) {
	passed := c.PassedBy
	if passed == nil {
		passed = []string{}
	}
	c.Change++
	if _, err := tx.ExecContext(ctx, `UPDATE chats SET state = $2, reason = $3, champion_id = $4, champion_name = $5, offered_to = $6, offered_until = $7,
		passed_by = $8, waiting_since = $9, accepted_at = $10, ended_at = $11, ticket = NULLIF($12, 0), change = $13 WHERE id = $1`,
		c.ID, c.State, c.Reason, postgres.NullText(c.Champion.ID), c.Champion.Name, postgres.NullText(c.OfferedTo), postgres.Null(c.OfferedUntil), pq.StringArray(passed),
		c.WaitingSince, postgres.Null(c.AcceptedAt), postgres.Null(c.EndedAt), c.Ticket, c.Change); err != nil {
		return nil, fmt.Errorf("save chat: %w", err)
	}
	var out []Stored
	for _, body := range said {
		m, err := insertMessage(ctx, tx, c, FromSystem, "", "", body, now)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// insertMessage appends one message while the chat's row is locked.
func insertMessage(ctx context.Context, tx *sqlx.Tx, c *Chat, from Sender, senderID, name, body string, now time.Time) (Stored, error) {
	at := now.UTC().Truncate(time.Millisecond)
	m := Stored{Message: protocol.Message{Seq: c.Seq + 1, ID: uuid.NewString(), From: protocol.From{Kind: from.kind(), Name: name}, Body: body, At: at}, SenderID: senderID}
	if _, err := tx.ExecContext(ctx, `INSERT INTO messages (chat_id, seq, id, sender, sender_id, sender_name, body, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		c.ID, m.Seq, m.ID, from, postgres.NullText(senderID), name, body, at); err != nil {
		return m, fmt.Errorf("write message: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE chats SET seq = $2 WHERE id = $1`, c.ID, m.Seq); err != nil {
		return m, fmt.Errorf("count message: %w", err)
	}
	c.Seq = m.Seq
	return m, nil
}

// readMessages gives up to limit messages after a number, in order.
func readMessages(ctx context.Context, q sqlx.QueryerContext, chat string, after int64, limit int) ([]Stored, error) {
	var rows []struct {
		Seq    int64          `db:"seq"`
		ID     string         `db:"id"`
		Sender Sender         `db:"sender"`
		By     sql.NullString `db:"sender_id"`
		Name   string         `db:"sender_name"`
		Body   string         `db:"body"`
		At     time.Time      `db:"at"`
	}
	if err := sqlx.SelectContext(ctx, q, &rows, `SELECT seq, id, sender, sender_id, sender_name, body, at FROM messages
		WHERE chat_id = $1 AND seq > $2 ORDER BY seq LIMIT $3`, chat, after, limit); err != nil {
		return nil, postgres.Kind(ctx, fmt.Errorf("read messages: %w", err))
	}
	out := make([]Stored, len(rows))
	for i, r := range rows {
		out[i] = Stored{protocol.Message{Seq: r.Seq, ID: r.ID, From: protocol.From{Kind: r.Sender.kind(), Name: r.Name}, Body: r.Body, At: r.At}, r.By.String}
	}
	return out, nil
}

// readNotes gives all notes of a chat, in order.
func readNotes(ctx context.Context, q sqlx.QueryerContext, chat string) ([]Note, error) {
	var rows []struct {
		ID    string    `db:"id"`
		Name  string    `db:"author_name"`
		Body  string    `db:"body"`
		At    time.Time `db:"at"`
		After int64     `db:"after_seq"`
	}
	if err := sqlx.SelectContext(ctx, q, &rows, `SELECT id, author_name, body, at, after_seq FROM notes WHERE chat_id = $1 ORDER BY at, id`, chat); err != nil {
		return nil, postgres.Kind(ctx, fmt.Errorf("read notes: %w", err))
	}
	out := make([]Note, len(rows))
	for i, r := range rows {
		out[i] = Note{ID: r.ID, Author: r.Name, Body: r.Body, At: r.At, AfterSeq: r.After}
	}
	return out, nil
}

// Member is one of the staff as everybody on duty sees him.
type Member struct {
	ID       string `db:"id" json:"id"`
	Name     string `db:"name" json:"name"`
	Role     string `db:"role" json:"role"`
	State    string `db:"state" json:"state"`
	Capacity int    `db:"capacity" json:"capacity"`
	Active   int    `db:"active" json:"active"`
	Offered  int    `db:"offered" json:"-"`
	Here     bool   `db:"here" json:"-"` // a socket lives somewhere
}

// OnDuty reports whether offers may go to the member.
func (m Member) OnDuty() bool { return m.State == "online" && m.Here }

const selectStaff = `SELECT p.id, p.name, p.role, COALESCE(pr.state, 'offline') AS state, COALESCE(pr.capacity, p.capacity) AS capacity,
	(SELECT count(*) FROM chats c WHERE c.state = 'active' AND c.champion_id = p.id) AS active,
	(SELECT count(*) FROM chats c WHERE c.state = 'queued' AND c.offered_to = p.id) AS offered,
	EXISTS (SELECT FROM presence_leases l WHERE l.person_id = p.id AND l.expires_at > $1) AS here
	FROM people p LEFT JOIN presence pr ON pr.person_id = p.id WHERE p.role <> 'customer' AND p.disabled_at IS NULL ORDER BY p.name, p.id`

func staff(ctx context.Context, q sqlx.QueryerContext, now time.Time) ([]Member, error) {
	var out []Member
	if err := sqlx.SelectContext(ctx, q, &out, selectStaff, now); err != nil {
		return nil, postgres.Kind(ctx, fmt.Errorf("read staff: %w", err))
	}
	for i := range out {
		if !out[i].Here {
			out[i].State = "offline" // nobody stays online by having forgotten
		}
	}
	return out, nil
}

func onDuty(members []Member) []Member {
	return slices.DeleteFunc(slices.Clone(members), func(m Member) bool { return !m.OnDuty() })
}
