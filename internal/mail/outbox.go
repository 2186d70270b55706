// Package mail is the outbox: mails leave as rows, written in the transaction of
// their cause, and are sent from there until the mail server has taken them.
//
// A row is sent under one Message-ID however often it takes: a crash between
// sending and recording repeats the same mail, which receivers know again.
package mail

import (
	"context"
	"encoding/json"
	"fmt"
	"net/mail"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"chatnow/internal/fault"
	"chatnow/internal/text"
)

// Message is a mail to be sent.
type Message struct {
	Key    string // unique for its cause: written twice, it is sent once
	Kind   string // one of Kinds
	To     string // one address, without a name
	ToName string // used only when the address has been proved
	Ticket int64  // 0: about none
	// Data is what the templates of the kind use: subject, answer, closes_at, solves_at, update_due_at (RFC
	// 3339), silent (solved because no answer came), timezone (of the customer), path (where the button leads, below the base URL), token,
	// former (number of a closed ticket), transcript.
	Data map[string]any
}

// Kinds are the mails there are; each is a pair of templates.
var Kinds = []string{"verify", "reset", "signin_link", "invited", "received", "answered", "pending", "reminder", "solved", "follow_up", "survey", "escalated", "transcript"}

// Rules are what the settings say about mails. A limit of 0 is none.
type Rules struct {
	Product    string         // what support is for
	Zone       *time.Location // of the company
	RetryFirst time.Duration  // pause after the first failure; it doubles from there

	ReceiptsPerDay int // receipts to an address that nobody has proved to be his
	LinksPerHour   int // verify, reset, signin_link
	MailsPerDay    int // of any kind
}

// Outbox keeps mails.
type Outbox struct {
	// Rules are asked for each mail; without them nothing is limited.
	Rules func() Rules

	db  *sqlx.DB
	now func() time.Time
}

// New makes an outbox.
func New(db *sqlx.DB, now func() time.Time) *Outbox { return &Outbox{db: db, now: now} }

func (o *Outbox) rules() Rules {
	r := Rules{}
	if o.Rules != nil {
		r = o.Rules()
	}
	if r.Zone == nil {
		r.Zone = time.UTC
	}
	if r.Product == "" {
		r.Product = "Support"
	}
	if r.RetryFirst <= 0 {
		r.RetryFirst = 30 * time.Second
	}
	return r
}

// Queue writes a mail with its cause. The same key again changes nothing. An address or a name that
// would become a second header is fault.Invalid. A mail beyond a limit is written as held: an
// administrator sees it, and it is not sent (robustness 1.20).
func (o *Outbox) Queue(ctx context.Context, tx *sqlx.Tx, m Message) error {
	if err := m.check(); err != nil {
		return err
	}
	data, err := json.Marshal(storable(m.Data))
	if err != nil {
		return fmt.Errorf("queue mail %s: %w", m.Kind, err)
	}
	state, problem, err := o.admit(ctx, tx, m)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO outbox (key, kind, to_email, to_name, ticket, data, created_at, next_at, queued_at, state, problem)
		VALUES ($1, $2, $3, $4, NULLIF($5::bigint, 0), $6, $7, clock_timestamp(), clock_timestamp(), $8, $9) ON CONFLICT (key) DO NOTHING`,
		m.Key, m.Kind, m.To, m.ToName, m.Ticket, string(data), o.now(), state, problem)
	if err != nil {
		return fmt.Errorf("queue mail %s: %w", m.Kind, err)
	}
	return nil
}

func (m *Message) check() error {
	if templates[m.Kind] == nil {
		return fmt.Errorf("queue mail: there is no mail of the kind %q", m.Kind)
	}
	if m.Key == "" || !text.Storable(m.Key) {
		return fmt.Errorf("queue mail %s: the key %q cannot be stored", m.Kind, m.Key)
	}
	m.To = strings.ToLower(m.To)
	at, err := mail.ParseAddress(m.To)
	if err != nil || at.Address != m.To || at.Name != "" || unfit(m.To) || strings.Contains(m.To, " ") || len(m.To) > 254 {
		return fault.WrongField("email", "This is no e-mail address.")
	}
	if unfit(m.ToName) {
		return fault.WrongField("name", "A name is one line.")
	}
	return nil
}

// unfit reports what must not get into a header or a column.
func unfit(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) || !text.Storable(s)
}

// storable cuts out of texts what jsonb refuses: what was stored elsewhere has none of it, and a mail
// must not undo its cause.
func storable(data map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range data {
		if s, ok := v.(string); ok {
			v = strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "")
		}
		if v != nil {
			out[k] = v
		}
	}
	return out
}

// linkKinds are mails that a stranger can ask for in somebody's name.
var linkKinds = []string{"verify", "reset", "signin_link"}

const proved = `EXISTS (SELECT FROM addresses a WHERE a.email = $1 AND a.verified_at IS NOT NULL)`

// admit decides whether a mail is within the limits for its address. The address is locked until the
// commit, so that a thousand forms at once are counted one after another.
func (o *Outbox) admit(ctx context.Context, tx *sqlx.Tx, m Message) (state, problem string, err error) {
	r := o.rules()
	if r.ReceiptsPerDay == 0 && r.LinksPerHour == 0 && r.MailsPerDay == 0 {
		return "waiting", "", nil
	}
	var n struct {
		Proved   bool `db:"proved"`
		Receipts int  `db:"receipts"`
		Links    int  `db:"links"`
		All      int  `db:"everything"`
	}
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(7319002, hashtext($1))`, m.To); err != nil {
		return "", "", fmt.Errorf("count mails: %w", err)
	}
	err = tx.GetContext(ctx, &n, `SELECT `+proved+` AS proved, count(*) FILTER (WHERE kind = 'received') AS receipts,
		count(*) FILTER (WHERE kind IN ('verify', 'reset', 'signin_link') AND queued_at > clock_timestamp() - interval '1 hour') AS links,
		count(*) AS everything
		FROM outbox WHERE to_email = $1 AND key <> $2 AND state <> 'held' AND queued_at > clock_timestamp() - interval '1 day'`, m.To, m.Key)
	if err != nil {
		return "", "", fmt.Errorf("count mails: %w", err)
	}
	isLink := m.Kind == linkKinds[0] || m.Kind == linkKinds[1] || m.Kind == linkKinds[2]
	switch {
	case m.Kind == "received" && !n.Proved && r.ReceiptsPerDay > 0 && n.Receipts >= r.ReceiptsPerDay:
		return "held", "This address is not proved, and had its receipts for a day.", nil
	case isLink && r.LinksPerHour > 0 && n.Links >= r.LinksPerHour:
		return "held", "This address had its links for an hour.", nil
	case r.MailsPerDay > 0 && n.All >= r.MailsPerDay:
		return "held", "This address had its mails for a day.", nil
	}
	return "waiting", "", nil
}
