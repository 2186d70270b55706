package chat

import (
	"context"
	"errors"
	"time"

	"chatnow/chat/protocol"
	"chatnow/internal/accounts"
	"chatnow/internal/fault"
	"chatnow/internal/postgres"
)

// console is the life of a champion's socket.
func (d *Desk) console(k *conn, me *accounts.Person) {
	defer k.shut(0, "")
	f, ok := k.hello(true)
	if !ok {
		return
	}
	after, wrong := f.ConsoleAfter()
	if wrong != nil {
		k.refuse(wrong)
		return
	}
	k.me = me
	if !d.sockets.add(k, consolePrefix+me.ID) {
		return
	}
	defer func() {
		d.sockets.remove(k)
		d.floor.wake()
	}()
	if err := d.welcome(k, me, after); err != nil {
		k.refuse(problem(err, "", protocol.Unavailable, "The server cannot do this just now."))
		return
	}
	for {
		f, ok := k.read(k.ctx, true)
		if !ok {
			return
		}
		// At each command again: a session that ended works no longer (robustness 1.3).
		now, err := d.people.Still(k.ctx, me)
		if err != nil {
			if fault.KindOf(err) == fault.Down {
				k.fail(&protocol.Error{Code: protocol.Unavailable, Detail: "Try again in a moment.", ID: f.ID, Chat: f.Chat})
				continue
			}
			k.refuse(&protocol.Error{Code: protocol.NotAllowed, Detail: "Your session has ended. Sign in again."})
			return
		}
		if !now.Staff() {
			k.refuse(&protocol.Error{Code: protocol.NotAllowed, Detail: "Your role may not do this."})
			return
		}
		d.command(k, now, f)
	}
}

// recheck ends the consoles here whose session has ended, also those that only listen (robustness 1.3). It is
// called when sessions may have changed on any node.
func (d *Desk) recheck() {
	d.sockets.spawn(func() {
		for _, k := range d.sockets.all() {
			if k.me == nil {
				continue
			}
			ctx, cancel := context.WithTimeout(k.ctx, 5*time.Second)
			now, err := d.people.Still(ctx, k.me)
			cancel()
			if fault.KindOf(err) == fault.Unauthenticated && err != nil || err == nil && !now.Staff() {
				d.sockets.spawn(func() {
					k.refuse(&protocol.Error{Code: protocol.NotAllowed, Detail: "Your session has ended. Sign in again."})
				})
			}
		}
	})
}

// welcome gives the whole picture, then what was missed of one's own chats.
func (d *Desk) welcome(k *conn, me *accounts.Person, after map[string]int64) error {
	ctx, cancel := context.WithTimeout(k.ctx, 8*time.Second)
	defer cancel()
	if err := d.renewLeases(ctx); err != nil {
		return err
	}
	members, err := staff(ctx, d.db, d.now())
	if err != nil {
		return err
	}
	mine, err := list(ctx, d.db, `WHERE c.state = 'active' AND c.champion_id = $1 ORDER BY c.accepted_at`, me.ID)
	if err != nil {
		return err
	}
	waiting, err := list(ctx, d.db, `WHERE c.state = 'queued' ORDER BY c.waiting_since, c.id`)
	if err != nil {
		return err
	}
	self := map[string]any{"id": me.ID, "name": me.Name, "role": me.Role, "state": "offline", "capacity": me.Capacity}
	for _, m := range members {
		if m.ID == me.ID {
			self["state"], self["capacity"] = m.State, m.Capacity
		}
	}
	queue, views := []any{}, []any{}
	for i, c := range waiting {
		queue = append(queue, c.View(ForStaff, Place{Position: i + 1}))
	}
	for _, c := range mine {
		views = append(views, c.View(ForStaff, Place{}))
	}
	k.push(protocol.Encode("welcome", map[string]any{"me": self, "queue": queue, "chats": views, "staff": members, "now": stamp(d.now())}), false)
	for _, c := range mine {
		d.enterWithNotes(ctx, k, c.ID, min(after[c.ID], c.Seq))
	}
	d.floor.wake()
	return nil
}

// enterWithNotes follows a chat as staff does: notes first, then messages above the cursor.
func (d *Desk) enterWithNotes(ctx context.Context, k *conn, chat string, cursor int64) {
	notes, err := readNotes(ctx, d.db, chat)
	if err == nil {
		for _, n := range notes {
			k.push(protocol.AppendNote(nil, chat, n.ID, protocol.From{Kind: protocol.Champion, Name: n.Author}, n.Body, n.At, n.AfterSeq), false)
		}
	}
	k.enter(chat, ForStaff, cursor)
}

// command does what one frame asks for, as far as me may.
func (d *Desk) command(k *conn, me *accounts.Person, f protocol.Frame) {
	ctx, cancel := context.WithTimeout(k.ctx, 9*time.Second)
	defer cancel()
	party := Party{me.ID, me.Name}
	var err error
	switch f.Type {
	case protocol.Send:
		follow := k.following(f.Chat)
		if follow == nil || follow.readOnly {
			k.fail(d.notMine(ctx, f))
			return
		}
		k.append(follow, f, &Entry{Chat: f.Chat, ID: f.ID, Sender: FromChampion, SenderID: me.ID, Name: me.Name, Body: f.Body})
	case protocol.Typing:
		if follow := k.following(f.Chat); follow != nil && !follow.readOnly {
			from := protocol.From{Kind: protocol.Champion, Name: me.Name}
			d.rooms.tell(f.Chat, protocol.AppendTyping(nil, "", from, f.On), protocol.AppendTyping(nil, f.Chat, from, f.On), k, true)
		}
	case protocol.Read:
		if follow := k.following(f.Chat); follow != nil && !follow.readOnly {
			d.hasRead(ctx, f.Chat, protocol.Champion, f.Seq, k)
		}
	case protocol.Presence:
		err = d.setPresence(ctx, me.ID, f.State, f.Capacity)
	case protocol.Accept:
		err = d.accept(ctx, k, party, f.Chat)
	case protocol.Transfer:
		err = d.transfer(ctx, party, f.Chat, f.To, me.Role.AtLeast(accounts.Manager))
	case protocol.End:
		_, err = d.change(ctx, f.Chat, EndedBy{Reason: ByChampion, Who: party}, nil)
	case protocol.Note:
		err = d.note(ctx, k, me, f)
	case protocol.Follow:
		err = d.lookOn(ctx, k, f.Chat)
	case protocol.Unfollow:
		k.leave(f.Chat)
	default:
		k.fail(&protocol.Error{Code: protocol.NotAllowed, Detail: "You have said hello.", Chat: f.Chat})
	}
	if err != nil && !moot(err) {
		e := problem(err, f.Chat, protocol.NotAllowed, err.Error())
		e.ID = f.ID
		var known *fault.Error
		if errors.As(err, &known) && known.Kind != fault.Down && known.Kind != fault.Missing {
			e.Code, e.Detail = known.Code, known.Detail
		}
		if errors.Is(err, ErrTaken) {
			e.Detail = "Somebody else took this chat."
			if c, err := get(ctx, d.db, false, `c.id = $1`, f.Chat); err == nil && c.Champion.Name != "" {
				e.Detail = c.Champion.Name + " took this chat."
			}
		}
		k.fail(e)
	}
}

// notMine says why a champion may not write: foreign and unknown are told apart for staff alone.
func (d *Desk) notMine(ctx context.Context, f protocol.Frame) *protocol.Error {
	e := &protocol.Error{Code: protocol.NotYours, Detail: "This chat is not yours.", ID: f.ID, Chat: f.Chat}
	if c, err := get(ctx, d.db, false, `c.id = $1`, f.Chat); err != nil {
		e.Code, e.Detail = protocol.UnknownChat, "There is no such chat."
	} else if c.Over() {
		e.Code, e.Detail = protocol.Ended, "The chat has ended."
	}
	return e
}

// accept takes a waiting chat. Of two who press at the same time one has it, and the other is told.
func (d *Desk) accept(ctx context.Context, k *conn, me Party, chat string) error {
	var duty bool
	if err := d.db.GetContext(ctx, &duty, `SELECT EXISTS (SELECT FROM presence WHERE person_id = $1 AND state = 'online')`, me.ID); err != nil {
		return postgres.Kind(ctx, err)
	}
	if !duty {
		return fault.Conflict(protocol.NotOnDuty, "Go online first, then take chats.")
	}
	c, err := d.change(ctx, chat, Accepted{By: me}, nil)
	if err != nil && (!moot(err) || c == nil) {
		return err
	}
	if f := k.following(chat); moot(err) && f != nil && !f.readOnly { // asked again: he has it, and all of it
		k.push(d.chatFrame(c, ForStaff, Place{}), false)
		return nil
	}
	d.take(ctx, k, c)
	// One's other windows have it as well.
	for _, other := range d.consolesOf(me.ID) {
		if other != k {
			d.take(ctx, other, c)
		}
	}
	return nil
}

func (d *Desk) take(ctx context.Context, k *conn, c *Chat) {
	k.leave(c.ID) // one who looked on begins anew, as the one who writes
	k.push(d.chatFrame(c, ForStaff, Place{}), false)
	d.enterWithNotes(ctx, k, c.ID, 0)
}

func (d *Desk) consolesOf(person string) []*conn {
	d.sockets.mu.Lock()
	defer d.sockets.mu.Unlock()
	var out []*conn
	for c, what := range d.sockets.conns {
		if what == consolePrefix+person {
			out = append(out, c)
		}
	}
	return out
}

// transfer gives a chat to another champion who is on duty. A manager may give any chat, also to himself.
func (d *Desk) transfer(ctx context.Context, me Party, chat, to string, manager bool) error {
	members, err := staff(ctx, d.db, d.now())
	if err != nil {
		return err
	}
	for _, m := range onDuty(members) {
		if m.ID != to {
			continue
		}
		c, err := d.change(ctx, chat, Transferred{By: me, To: Party{m.ID, m.Name}, Manager: manager}, nil)
		if err != nil {
			return err
		}
		for _, k := range d.consolesOf(m.ID) {
			d.take(ctx, k, c)
		}
		return nil
	}
	return fault.Conflict(protocol.NotOnDuty, "That champion is not on duty.")
}

// note keeps a remark that has no road to the customer: its frame is made for staff alone.
func (d *Desk) note(ctx context.Context, k *conn, me *accounts.Person, f protocol.Frame) error {
	var n struct {
		At    time.Time `db:"at"`
		After int64     `db:"after_seq"`
		New   bool      `db:"new"`
	}
	err := d.db.GetContext(ctx, &n, `WITH fresh AS (INSERT INTO notes (chat_id, id, author_id, author_name, body, at, after_seq)
			SELECT c.id, $2, $3, $4, $5, $6, c.seq FROM chats c WHERE c.id = $1 ON CONFLICT DO NOTHING RETURNING at, after_seq)
		SELECT at, after_seq, true AS new FROM fresh UNION ALL
		SELECT at, after_seq, false FROM notes WHERE chat_id = $1 AND id = $2 AND author_id = $3 LIMIT 1`,
		f.Chat, f.ID, me.ID, me.Name, f.Body, d.now().UTC().Truncate(time.Millisecond))
	if err != nil {
		return postgres.Kind(ctx, err)
	}
	k.push(protocol.AppendAck(nil, f.Chat, f.ID, 0, n.At), false)
	if n.New {
		frame := protocol.AppendNote(nil, f.Chat, f.ID, protocol.From{Kind: protocol.Champion, Name: me.Name}, f.Body, n.At, n.After)
		d.rooms.tell(f.Chat, nil, frame, k, false)
	}
	return nil
}

// lookOn follows a chat read-only.
func (d *Desk) lookOn(ctx context.Context, k *conn, chat string) error {
	if k.following(chat) != nil {
		return nil
	}
	c, err := get(ctx, d.db, false, `c.id = $1`, chat)
	if err != nil {
		return err
	}
	k.push(d.chatFrame(c, ForStaff, d.floor.place(chat)), false)
	d.enterWithNotes(ctx, k, chat, 0)
	if f := k.following(chat); f != nil {
		f.readOnly = true
	}
	return nil
}
