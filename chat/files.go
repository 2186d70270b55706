package chat

import (
	"context"
	"net/http"

	"github.com/jmoiron/sqlx"
	"github.com/labstack/echo/v4"

	"chatnow/internal/accounts"
	"chatnow/internal/fault"
	"chatnow/internal/files"
	"chatnow/internal/postgres"
	"chatnow/internal/web"
)

// postFiles gives uploads to a chat. A message then names each by its address on a line of its own, so
// that the log stays text and the transcript tells of it.
func (d *Desk) postFiles(c echo.Context) error {
	var in struct {
		Uploads []string `json:"uploads"`
	}
	if err := web.Bind(c, &in); err != nil {
		return err
	}
	chat, _, err := d.chatOf(c)
	if err != nil {
		return err
	}
	person := ""
	if me := accounts.Who(c); me != nil {
		person = me.ID
	}
	ctx := c.Request().Context()
	err = postgres.InTx(ctx, d.db, func(tx *sqlx.Tx) error {
		if chat, err = get(ctx, tx, true, `c.id = $1`, chat.ID); err != nil {
			return err
		}
		if chat.State != "queued" && chat.State != "active" {
			return fault.Conflict("ended", "The chat has ended.")
		}
		return d.Files.Claim(ctx, tx, "uploads", in.Uploads, files.To{Chat: chat.ID, Ticket: chat.Ticket}, person)
	})
	if err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// MayChat says whether a token is a chat's; it guards what belongs to it.
func (d *Desk) MayChat(ctx context.Context, token, chat string) (own bool, err error) {
	err = d.db.GetContext(ctx, &own, `SELECT EXISTS (SELECT FROM chats WHERE id::text = $1 AND token_hash = $2)`, chat, accounts.HashToken(token))
	return own, postgres.Kind(ctx, err)
}
