package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"

	"chatnow/chat/protocol"
	"chatnow/internal/cluster"
	"chatnow/internal/postgres"
)

// The floor is who waits, who is on duty, and who is asked to take whom. Any node does the work; the
// database's locks see to it that it is done once.
type floor struct {
	desk  *Desk
	again chan struct{}

	mu     sync.Mutex
	queue  []*Chat
	staff  []Member
	places map[string]Place
	news   map[string]bool // numbers of tickets that changed since consoles were told
	missed bool            // which tickets changed was lost on the way
}

const (
	floorEvery = time.Second           // due times are met within ten
	floorPause = 50 * time.Millisecond // many changes are one look
	leaseFor   = 6 * time.Second       // a champion's lease; short, so that a dead node's champions are missed soon
	awayAfter  = 30 * time.Second      // then a waiting customer is offered to nobody until he is back
	average    = 3 * time.Minute       // of a chat, until there is better knowledge
)

func newFloor(d *Desk) *floor {
	return &floor{desk: d, again: make(chan struct{}, 1), places: map[string]Place{}, news: map[string]bool{}}
}

func (f *floor) wake() {
	select {
	case f.again <- struct{}{}:
	default:
	}
}

// talked notes that something was said in a chat; who waits shows its newest words.
func (f *floor) talked(chat string) {
	f.mu.Lock()
	_, waits := f.places[chat]
	f.mu.Unlock()
	if waits {
		f.wake()
	}
}

func (f *floor) place(chat string) Place {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.places[chat]
}

// ticket notes that a ticket changed on any node.
func (f *floor) ticket(h cluster.Hint) {
	f.mu.Lock()
	f.news[h.Key] = true
	f.mu.Unlock()
	f.wake()
}

// lostTickets notes that tickets may have changed unheard.
func (f *floor) lostTickets() {
	f.mu.Lock()
	f.missed = true
	f.mu.Unlock()
	f.wake()
}

// tellTickets names the tickets that changed to every console, many at once; without numbers: look again.
func (f *floor) tellTickets() {
	f.mu.Lock()
	numbers, missed := slices.Sorted(maps.Keys(f.news)), f.missed
	clear(f.news)
	f.missed = false
	f.mu.Unlock()
	if len(numbers) == 0 && !missed {
		return
	}
	v := map[string]any{"numbers": nil}
	if out := make([]json.RawMessage, 0, len(numbers)); !missed {
		for _, n := range numbers {
			out = append(out, json.RawMessage(n))
		}
		v["numbers"] = out
	}
	f.desk.tellConsoles(protocol.Encode("tickets", v))
}

func (f *floor) run(ctx context.Context) error {
	tick := time.NewTicker(floorEvery)
	defer tick.Stop()
	for {
		if err := f.look(ctx); err != nil && ctx.Err() == nil {
			f.desk.log.Warn("look at the floor", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-f.again:
			select {
			case <-time.After(floorPause):
			case <-ctx.Done():
			}
		}
	}
}

// look does what is due, then reads the floor and shows what changed.
func (f *floor) look(ctx context.Context) error {
	d := f.desk
	if err := d.renewLeases(ctx); err != nil {
		return err
	}
	if err := f.due(ctx); err != nil {
		return err
	}
	if err := f.offer(ctx); err != nil {
		return err
	}
	queue, err := list(ctx, d.db, `WHERE c.state = 'queued' ORDER BY c.waiting_since, c.id`)
	if err != nil {
		return err
	}
	members, err := staff(ctx, d.db, d.now())
	if err != nil {
		return err
	}
	f.show(queue, members)
	f.tellTickets()
	return nil
}

// show keeps the new picture and tells those whom it concerns.
func (f *floor) show(queue []*Chat, members []Member) {
	d := f.desk
	hands := 0
	for _, m := range onDuty(members) {
		hands += m.Capacity
	}
	places := map[string]Place{}
	for i, c := range queue {
		places[c.ID] = Place{Position: i + 1, Wait: expected(i+1, hands)}
	}
	f.mu.Lock()
	oldPlaces, oldQueue, oldStaff := f.places, f.queue, f.staff
	f.places, f.queue, f.staff = places, queue, members
	f.mu.Unlock()
	for _, c := range queue {
		if oldPlaces[c.ID] != places[c.ID] {
			d.rooms.tell(c.ID, d.chatFrame(c, ForCustomer, places[c.ID]), nil, nil, false)
		}
	}
	sameChat := func(a, b *Chat) bool {
		return a.ID == b.ID && a.Change == b.Change && a.Seq == b.Seq && a.CustomerGoneAt.Equal(b.CustomerGoneAt)
	}
	if !slices.EqualFunc(oldQueue, queue, sameChat) {
		d.tellConsoles(f.queueFrame())
	}
	if !slices.Equal(oldStaff, members) {
		d.tellConsoles(protocol.Encode("staff", map[string]any{"staff": members}))
	}
}

func (f *floor) queueViews() []map[string]any {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := []map[string]any{}
	for _, c := range f.queue {
		out = append(out, c.View(ForStaff, f.places[c.ID]))
	}
	return out
}

func (f *floor) queueFrame() []byte {
	return protocol.Encode("queue", map[string]any{"queue": f.queueViews()})
}

// expected is the wait at a position with so many chats served at once.
func expected(position, hands int) time.Duration {
	if hands == 0 {
		return time.Duration(position) * average
	}
	return max(time.Duration(position)*average/time.Duration(hands), 30*time.Second)
}

// due ends what has waited long enough: the customer or the champion who did not come back, chat hours
// that are over, nobody on duty.
func (f *floor) due(ctx context.Context) error {
	d, now := f.desk, f.desk.now()
	snap := d.settings.Current()
	apply := func(ev func(id string) Event, query string, args ...any) error {
		var ids []string
		if err := d.db.SelectContext(ctx, &ids, query, args...); err != nil {
			return postgres.Kind(ctx, err)
		}
		for _, id := range ids {
			if _, err := d.change(ctx, id, ev(id), nil); err != nil && !moot(err) {
				return fmt.Errorf("chat %s: %w", id, err)
			}
		}
		return nil
	}
	if err := apply(func(string) Event { return ChampionVanished{} }, `SELECT c.id FROM chats c WHERE c.state = 'active' AND NOT EXISTS
		(SELECT FROM presence_leases l WHERE l.person_id = c.champion_id AND l.expires_at > $1) AND c.accepted_at < $1`,
		now.Add(-snap.Policy.ChampionGoneAfter.D())); err != nil {
		return err
	}
	if err := apply(func(string) Event { return CustomerVanished{} }, `SELECT id FROM chats WHERE state IN ('queued', 'active') AND customer_gone_at < $1`,
		now.Add(-snap.Policy.ChatResumeWithin.D())); err != nil {
		return err
	}
	if !snap.Calendar.Open(now) { // 17:00 has passed: what was typed becomes a draft (M5)
		return apply(func(string) Event { return GivenUp{ByClosing} }, `SELECT id FROM chats WHERE state = 'queued'`)
	}
	return apply(func(string) Event { return GivenUp{ByUnstaffed} }, `SELECT id FROM chats WHERE state = 'queued' AND waiting_since < $1 AND NOT EXISTS (
		SELECT FROM presence p JOIN presence_leases l ON l.person_id = p.person_id WHERE p.state = 'online' AND l.expires_at > $1)`,
		now.Add(-snap.Policy.UnstaffedMissedAfter.D()))
}

// offer asks one champion after another to take who waits, in order of the queue, for chat_offer_for each.
func (f *floor) offer(ctx context.Context) error {
	d := f.desk
	until := d.settings.Current().Policy.ChatOfferFor.D()
	return postgres.InTx(ctx, d.db, func(tx *sqlx.Tx) error {
		var mine bool // one node at a time; the others look again in a second
		if err := tx.GetContext(ctx, &mine, `SELECT pg_try_advisory_xact_lock(7319002)`); err != nil || !mine {
			return err
		}
		now := d.now().UTC().Truncate(time.Millisecond)
		members, err := staff(ctx, tx, now)
		if err != nil {
			return err
		}
		waiting, err := list(ctx, tx, `WHERE c.state = 'queued' ORDER BY c.waiting_since, c.id FOR NO KEY UPDATE OF c`)
		if err != nil {
			return err
		}
		duty := onDuty(members)
		for _, c := range waiting {
			before := c.OfferedTo
			gone := !c.CustomerGoneAt.IsZero() && now.Sub(c.CustomerGoneAt) > awayAfter // keeps his place, and holds nobody up
			if c.OfferedTo != "" && (gone || !now.Before(c.OfferedUntil) || !slices.ContainsFunc(duty, func(m Member) bool { return m.ID == c.OfferedTo })) {
				c.Session, _, _ = c.Session.Apply(OfferLapsed{}, now)
			}
			if c.OfferedTo == "" && !gone {
				if i := next(duty, c.PassedBy); i >= 0 {
					c.Session, _, _ = c.Session.Apply(Offered{To: duty[i].ID, Until: now.Add(until)}, now)
					duty[i].Offered++
				} else {
					c.PassedBy = nil // everybody was asked: begin again
				}
			}
			if c.OfferedTo != before {
				if _, err := save(ctx, tx, c, nil, now); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// next is the champion with the most room who has not let this chat pass yet, or -1.
func next(duty []Member, passed []string) int {
	best, room := -1, 0
	for i, m := range duty {
		if free := m.Capacity - m.Active - m.Offered; free > room && !slices.Contains(passed, m.ID) {
			best, room = i, free
		}
	}
	return best
}
