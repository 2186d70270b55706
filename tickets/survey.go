package tickets

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/labstack/echo/v4"

	"chatnow/internal/accounts"
	"chatnow/internal/fault"
	"chatnow/internal/postgres"
	"chatnow/internal/text"
	"chatnow/internal/web"
)

// changeable is how long a rating may be changed after the survey was sent.
const changeable = 14 * 24 * time.Hour

const maxSurveyComment = 5_000

// Survey is one question after a ticket has closed (M38).
type Survey struct {
	Ticket   int64      `db:"ticket" json:"ticket"`
	Subject  string     `db:"subject" json:"-"`
	Rating   *int       `db:"rating" json:"rating"`
	Comment  string     `db:"comment" json:"comment"`
	Until    time.Time  `db:"changeable_until" json:"changeable_until"`
	Answered *time.Time `db:"answered_at" json:"answered_at"`
}

// askSurvey keeps a survey with its token, for the mail. It is false for a customer who was asked not
// long ago: one survey in each cool-down is enough.
func (d *Desk) askSurvey(ctx context.Context, tx *sqlx.Tx, t *Ticket, cooldown time.Duration, now time.Time) (token string, asked bool, err error) {
	token, hash := accounts.NewToken()
	res, err := tx.ExecContext(ctx, `INSERT INTO surveys (ticket, token_hash, email, sent_at, changeable_until) SELECT $1, $2, $3, $4, $5
		WHERE NOT EXISTS (SELECT FROM surveys WHERE email = $3 AND sent_at > $6) ON CONFLICT DO NOTHING`,
		t.Number, hash, t.RequesterEmail, now, now.Add(changeable), now.Add(-cooldown))
	if err != nil {
		return "", false, fmt.Errorf("keep survey of ticket %d: %w", t.Number, err)
	}
	n, err := res.RowsAffected()
	return token, n == 1, err
}

func errSurvey() error { return fault.NotFound("There is no such survey.") }

// Survey reads one by its token. It stores nothing: scanners open links.
func (d *Desk) Survey(ctx context.Context, token string) (Survey, error) {
	var s Survey
	err := postgres.Kind(ctx, d.db.GetContext(ctx, &s, `SELECT s.ticket, t.subject, s.rating, s.comment, s.changeable_until, s.answered_at
		FROM surveys s JOIN tickets t ON t.number = s.ticket WHERE s.token_hash = $1`, accounts.HashToken(token)))
	if fault.KindOf(err) == fault.Missing {
		return s, errSurvey()
	}
	return s, err
}

// AnswerSurvey keeps a rating of 1 to 5; again, it changes the first, until the survey's date.
func (d *Desk) AnswerSurvey(ctx context.Context, token string, rating int, comment string) (Survey, error) {
	comment = strings.TrimSpace(comment)
	switch {
	case rating < 1 || rating > 5:
		return Survey{}, fault.WrongField("rating", "A whole number from 1 to 5.")
	case len(comment) > maxSurveyComment || !text.Storable(comment):
		return Survey{}, fault.WrongField("comment", fmt.Sprintf("Up to %d bytes of text.", maxSurveyComment))
	}
	res, err := d.db.ExecContext(ctx, `UPDATE surveys SET rating = $2, comment = $3, answered_at = $4 WHERE token_hash = $1 AND changeable_until > $4`,
		accounts.HashToken(token), rating, comment, d.now())
	if err != nil {
		return Survey{}, postgres.Kind(ctx, err)
	}
	s, err := d.Survey(ctx, token)
	if err != nil {
		return s, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return s, fault.Conflict("expired", "The survey is over; the rating can no longer be changed.")
	}
	return s, nil
}

func (d *Desk) postSurvey(c echo.Context) error {
	var in struct {
		Rating  int    `json:"rating"`
		Comment string `json:"comment"`
	}
	if err := web.Bind(c, &in); err != nil {
		return err
	}
	s, err := d.AnswerSurvey(c.Request().Context(), c.Param("token"), in.Rating, in.Comment)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]any{"survey": s})
}
