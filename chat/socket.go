package chat

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/labstack/echo/v4"

	"chatnow/chat/protocol"
	"chatnow/internal/accounts"
	"chatnow/internal/fault"
	"chatnow/internal/web"
)

// serve upgrades a request and leaves the handler: the goroutine of the socket is ours, counted and
// waited for, and the request's stack and buffers go. origin says whether other sites may connect.
func (d *Desk) serve(c echo.Context, anyOrigin bool, talk func(k *conn)) error {
	if d.srv.Draining() {
		return fault.Unavailable("The server is about to restart. Come back in a moment.")
	}
	patterns := []string(nil)
	if anyOrigin {
		patterns = []string{"*"} // a customer's socket knows no cookie, only the chat's token
	} else if host := strings.TrimPrefix(strings.TrimPrefix(d.srv.Origin(), "https://"), "http://"); host != "" {
		patterns = []string{host}
	}
	cork := web.CorkOf(c.Request())
	ws, err := websocket.Accept(c.Response().Writer, c.Request(), &websocket.AcceptOptions{
		Subprotocols: []string{protocol.Version}, OriginPatterns: patterns, CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		return nil //nolint:nilerr // Accept has answered
	}
	ws.SetReadLimit(protocol.MaxFrame)
	k := newConn(d, ws, cork)
	if !d.sockets.spawn(func() { talk(k) }) {
		k.shut(websocket.StatusServiceRestart, "restart")
	}
	return nil
}

// read gives the next frame that can be understood. Errors are answered; too many end the socket.
func (k *conn) read(ctx context.Context, console bool) (protocol.Frame, bool) {
	for {
		kind, raw, err := k.ws.Read(ctx)
		if err != nil {
			return protocol.Frame{}, false
		}
		var wrong *protocol.Error
		if kind != websocket.MessageText {
			wrong = &protocol.Error{Code: protocol.BadFrame, Detail: "Frames are text."}
		} else {
			var f protocol.Frame
			if f, wrong = protocol.Decode(raw, console); wrong == nil {
				return f, true
			}
		}
		k.fail(wrong)
		if k.bad++; k.bad > maxBad {
			k.shut(websocket.StatusPolicyViolation, "too many bad frames")
			return protocol.Frame{}, false
		}
	}
}

// hello waits for the first frame.
func (k *conn) hello(console bool) (protocol.Frame, bool) {
	ctx, cancel := context.WithTimeout(k.ctx, helloWithin)
	defer cancel()
	for {
		f, ok := k.read(ctx, console)
		if !ok || f.Type == protocol.Hello {
			return f, ok
		}
		k.fail(&protocol.Error{Code: protocol.NotAllowed, Detail: "Say hello first.", ID: f.ID})
	}
}

func (k *conn) refuse(e *protocol.Error) {
	k.fail(e)
	k.push(protocol.Bye("expired", 0), false)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	k.flush(ctx)
	k.shut(websocket.StatusPolicyViolation, e.Code)
}

// flush waits until what is queued has been written.
func (k *conn) flush(ctx context.Context) {
	for ctx.Err() == nil {
		k.mu.Lock()
		idle := !k.writing
		k.mu.Unlock()
		if idle {
			return
		}
		select {
		case <-time.After(2 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// customer is the life of a customer's socket.
func (d *Desk) customer(k *conn) {
	defer k.shut(0, "")
	f, ok := k.hello(false)
	if !ok {
		return
	}
	after, wrong := f.CustomerAfter()
	if wrong != nil {
		k.refuse(wrong)
		return
	}
	ctx, cancel := context.WithTimeout(k.ctx, 8*time.Second)
	c, err := get(ctx, d.db, false, `c.token_hash = $1`, accounts.HashToken(f.Token))
	cancel()
	if err != nil {
		k.refuse(problem(err, "", protocol.UnknownChat, "There is no such chat."))
		return
	}
	if !d.sockets.add(k, c.ID) {
		return
	}
	defer func() {
		d.sockets.remove(k)
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		d.attend(ctx, c.ID, false)
	}()
	view := c.View(ForCustomer, d.floor.place(c.ID))
	k.push(protocol.Encode("welcome", map[string]any{"chat": view, "seq": c.Seq}), false)
	follow := k.enter(c.ID, ForCustomer, min(after, c.Seq))
	d.attend(k.ctx, c.ID, true)
	for {
		f, ok := k.read(k.ctx, false)
		if !ok {
			return
		}
		switch f.Type {
		case protocol.Send:
			k.append(follow, f, &Entry{Chat: c.ID, ID: f.ID, Sender: FromCustomer, Name: c.CustomerName, Body: f.Body})
		case protocol.Typing:
			from := protocol.From{Kind: protocol.Customer, Name: c.CustomerName}
			d.rooms.tell(c.ID, nil, protocol.AppendTyping(nil, c.ID, from, f.On), k, true)
		case protocol.Read:
			d.hasRead(k.ctx, c.ID, protocol.Customer, f.Seq, k)
		case protocol.End:
			if _, err := d.change(k.ctx, c.ID, EndedBy{Reason: ByCustomer}, nil); err != nil && !moot(err) {
				k.fail(problem(err, "", protocol.NotAllowed, err.Error()))
			}
		case protocol.Hello:
			k.fail(&protocol.Error{Code: protocol.NotAllowed, Detail: "You have said hello."})
		}
	}
}

// append hands a message to the log. The answer comes from there, after the commit.
func (k *conn) append(f *follow, in protocol.Frame, e *Entry) {
	if k.flight == nil {
		k.flight = make(chan struct{}, maxInFlight)
	}
	select {
	case k.flight <- struct{}{}:
	case <-k.ctx.Done():
		return
	}
	chat := ""
	if f.audience == ForStaff {
		chat = e.Chat
	}
	e.Done = func(o Outcome) {
		<-k.flight
		fail := func(code, detail string) {
			k.fail(&protocol.Error{Code: code, Detail: detail, ID: in.ID, Chat: chat})
		}
		switch o.Verdict {
		case Written:
			k.wrote(f, o.Seq, protocol.AppendAck(nil, chat, in.ID, o.Seq, o.At))
		case Repeat:
			k.push(protocol.AppendAck(nil, chat, in.ID, o.Seq, o.At), false)
		case Differs:
			fail(protocol.IDReused, "This id was used for another message.")
		case OverVerdict:
			fail(protocol.Ended, "The chat has ended.")
		case NotYours:
			fail(protocol.NotYours, "This chat is not yours.")
		case Unknown:
			fail(protocol.UnknownChat, "There is no such chat.")
		case Rejected:
			fail(protocol.BadFrame, "This message cannot be stored.")
		default:
			fail(protocol.Unavailable, "Not saved. Send it again in a moment, with the same id.")
		}
	}
	k.desk.entries.Append(k.ctx, e)
}

// hasRead keeps how far one side has read, and tells the other.
func (d *Desk) hasRead(ctx context.Context, chat, by string, seq int64, k *conn) {
	column := "read_customer"
	if by == protocol.Champion {
		column = "read_champion"
	}
	var kept int64
	err := d.db.GetContext(ctx, &kept, `UPDATE chats SET `+column+` = LEAST($2, seq) WHERE id = $1 AND `+column+` < LEAST($2, seq) RETURNING `+column, chat, seq)
	if err != nil {
		return // nothing new, or the database is away: the next one says it again
	}
	d.rooms.tell(chat, protocol.AppendRead(nil, "", by, kept), protocol.AppendRead(nil, chat, by, kept), k, true)
}

// problem makes an error frame of an error.
func problem(err error, chat, code, detail string) *protocol.Error {
	switch fault.KindOf(err) {
	case fault.Down:
		return &protocol.Error{Code: protocol.Unavailable, Detail: "The server cannot do this just now. Try again.", Chat: chat}
	case fault.Missing:
		return &protocol.Error{Code: protocol.UnknownChat, Detail: "There is no such chat.", Chat: chat}
	}
	switch {
	case errors.Is(err, ErrTaken):
		code = protocol.Taken
	case errors.Is(err, ErrOver):
		code, detail = protocol.Ended, "The chat has ended."
	case errors.Is(err, ErrNotYours):
		code, detail = protocol.NotYours, "This chat is not yours."
	}
	return &protocol.Error{Code: code, Detail: detail, Chat: chat}
}
