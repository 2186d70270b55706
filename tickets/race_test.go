package tickets

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chatnow/internal/accounts"
	"chatnow/internal/fault"
	"chatnow/internal/pgtest"
	"chatnow/tickets/lifecycle"
)

// 300 replies within 50 ms of the closing instant, by the REST surface of two nodes that fire their timers
// meanwhile, each sent by two hands at once and once again: each is kept once, on the ticket that it
// opened again or on its follow-up, and none on a closed one.
func TestRepliesAroundTheClosingInstant(t *testing.T) {
	db, c := pgtest.New(t), &clock{}
	c.set(tuesday)
	nodes := []*api{newAPI(t, db, c), newAPI(t, db, c)}
	const n, people = 300, 10
	tokens := map[int64]string{}
	for i := range people {
		email := fmt.Sprintf("ines%d@example.com", i)
		id, token := nodes[0].join(email, "Ines", "customer")
		var numbers []int64
		if err := db.Select(&numbers, `INSERT INTO tickets (status, priority, level, subject, requester_id, requester_name, requester_email, origin, version, created_at, updated_at, closes_at, wake_at)
			SELECT 'solved', 'normal', 1, 'x', $1, 'Ines', $2, 'web', 2, $3, $3, $4, $4 FROM generate_series(1, $5::int) RETURNING number`,
			id, email, tuesday, tuesday.Add(50*time.Millisecond), n/people); err != nil {
			t.Fatal(err)
		}
		for _, number := range numbers {
			tokens[number] = token
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	var timers, replies sync.WaitGroup
	for _, d := range nodes {
		timers.Go(func() {
			for ctx.Err() == nil {
				if err := d.FireDue(context.WithoutCancel(ctx)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	reply := func(number int64) {
		path, body, key := fmt.Sprintf("/tickets/%d/comments", number), fmt.Sprintf(`{"body":"reply to %d"}`, number), fmt.Sprintf("reply-%d", number)
		said := make(chan answer, 3)
		send := func(node *api) {
			got, err := node.ask(tokens[number], "POST", path, key, body)
			if err != nil || got.Status != 201 && got.Code != "in_progress" {
				t.Errorf("reply to %d: %s, %v", number, got.raw, err)
			}
			said <- got
		}
		var hands sync.WaitGroup
		for _, node := range nodes {
			hands.Go(func() { send(node) })
		}
		hands.Wait()
		send(nodes[0])
		close(said)
		heard := map[int64]bool{}
		for got := range said {
			if got.Status != 201 {
				continue
			}
			heard[got.Ticket.Number] = true
			if up := got.Ticket.FollowUpOf; got.Ticket.Status != "open" || got.Ticket.Number != number && (up == nil || *up != number) {
				t.Errorf("the reply to %d is answered with %s", number, got.raw)
			}
		}
		if len(heard) != 1 {
			t.Errorf("the reply to %d was heard by %v", number, heard)
		}
	}
	work := make(chan int64)
	for range 6 {
		replies.Go(func() {
			for number := range work {
				reply(number)
			}
		})
	}
	numbers := slices.Collect(maps.Keys(tokens))
	for i, number := range numbers { // the clock goes from 50 ms before the instant to 50 ms after
		c.set(tuesday.Add(100 * time.Millisecond * time.Duration(i) / n))
		work <- number
	}
	close(work)
	replies.Wait()
	c.pass(time.Second)
	stop()
	timers.Wait()
	for _, d := range nodes {
		fire(t, d.Desk)
	}
	var got struct{ Kept, Distinct, Misplaced, Opened, Followed, Told int }
	if err := db.QueryRow(`SELECT count(*), count(DISTINCT c.body), count(*) FILTER (WHERE t.status = 'closed'),
		count(*) FILTER (WHERE t.follow_up_of IS NULL AND t.status = 'open' AND c.body = 'reply to ' || t.number),
		count(*) FILTER (WHERE t.follow_up_of IS NOT NULL AND t.status = 'open' AND c.body = 'reply to ' || t.follow_up_of),
		(SELECT count(*) FROM outbox WHERE kind = 'follow_up')
		FROM comments c JOIN tickets t ON t.number = c.ticket`).Scan(&got.Kept, &got.Distinct, &got.Misplaced, &got.Opened, &got.Followed, &got.Told); err != nil {
		t.Fatal(err)
	}
	if got.Kept != n || got.Distinct != n || got.Misplaced != 0 || got.Opened+got.Followed != n || got.Opened == 0 || got.Followed == 0 || got.Told != got.Followed {
		t.Fatalf("%+v", got)
	}
	t.Logf("%d opened their ticket again, %d made a follow-up", got.Opened, got.Followed)
}

func TestMergeAndItsUndoing(t *testing.T) {
	d, db, c := onTuesday(t)
	priya, err := d.people.AddStaff(t.Context(), "p@example.com", "Priya", accounts.Champion, "a long password")
	if err != nil {
		t.Fatal(err)
	}
	open := func(email string) Ticket {
		t.Helper()
		n := request("")
		n.RequesterEmail = email
		tk, err := d.Open(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		c.pass(24 * time.Hour)
		return tk
	}
	a, b, other := open("ines@example.com"), open("ines@example.com"), open("otto@example.com")
	merge := func(number, into int64, confirm bool) error {
		_, err := d.Merge(t.Context(), priya, number, into, "One matter.", 0, confirm)
		return err
	}
	if err := merge(a.Number, a.Number, false); fault.KindOf(err) != fault.Invalid {
		t.Errorf("into itself: %v", err)
	}
	if err := merge(a.Number, 999999, false); fault.KindOf(err) != fault.Invalid {
		t.Errorf("into nothing: %v", err)
	}
	if err := merge(a.Number, other.Number, false); fault.Code(err) != "other_requester" {
		t.Errorf("of different people: %v", err)
	}
	if err := merge(a.Number, b.Number, false); err != nil {
		t.Fatal(err)
	}
	if err := merge(a.Number, b.Number, false); fault.Code(err) != "closed" {
		t.Errorf("merged twice: %v", err)
	}
	if err := merge(b.Number, a.Number, false); fault.KindOf(err) != fault.Invalid {
		t.Errorf("in a circle: %v", err)
	}
	if got := read(t, d, b.Number); !got.UpdateDueAt.Equal(a.UpdateDueAt) {
		t.Errorf("the earlier promise does not win: %s", got.UpdateDueAt)
	}
	// What is said to the merged one is heard by the other; no survey comes of it.
	if got := must(t, d, ines, a.Number, Change{Events: []lifecycle.Event{lifecycle.CustomerReplied{}}, Comment: &Said{By: ines, Body: "Hello?", Public: true}}); got.Number != b.Number {
		t.Errorf("a reply went to %d", got.Number)
	}
	view, err := d.View(t.Context(), read(t, d, b.Number), false)
	if err != nil {
		t.Fatal(err)
	}
	if comments, _ := view["comments"].([]map[string]any); len(comments) != 3 || comments[0]["ticket"] != a.Number {
		t.Errorf("the story of both: %v", view["comments"])
	}
	// Undone within a day: as it was, and the overtaken promise begins anew instead of being late at once.
	undone, err := d.Unmerge(t.Context(), priya, a.Number, "A mistake.")
	if err != nil || undone.Status != lifecycle.Open || undone.MergedInto != 0 || !undone.UpdateDueAt.After(c.now()) {
		t.Fatalf("%+v %v", undone.Ticket, err)
	}
	if _, err := d.Unmerge(t.Context(), priya, a.Number, "A mistake."); fault.Code(err) != "not_merged" {
		t.Errorf("undone twice: %v", err)
	}
	if err := merge(a.Number, b.Number, false); err != nil {
		t.Fatal(err)
	}
	c.pass(undoWithin + time.Second)
	if _, err := d.Unmerge(t.Context(), priya, a.Number, "A mistake."); fault.Code(err) != "too_late" {
		t.Errorf("undone after a day: %v", err)
	}
	if got := mails(t, db, a.Number); got != "[received]" {
		t.Errorf("mails of the merged one: %s", got)
	}
	// Into somebody else's, when a champion confirms it: neither customer sees the other's words.
	mine, theirs := open("mia@example.com"), open("tom@example.com")
	if err := merge(mine.Number, theirs.Number, true); err != nil {
		t.Fatal(err)
	}
	got := must(t, d, ines, mine.Number, Change{Events: []lifecycle.Event{lifecycle.CustomerReplied{}}, Comment: &Said{By: ines, Body: "My secret.", Public: true}})
	if got.Number != mine.Number {
		t.Errorf("Mia was shown ticket %d", got.Number)
	}
	own, err := d.View(t.Context(), read(t, d, mine.Number), false)
	if _, told := own["merged_into"]; err != nil || told {
		t.Errorf("Mia is told of Tom's ticket: %v %v", own, err)
	}
	for _, staff := range []bool{false, true} {
		view, err := d.View(t.Context(), read(t, d, theirs.Number), staff)
		if err != nil {
			t.Fatal(err)
		}
		if seen := strings.Contains(fmt.Sprint(view), "My secret."); seen != staff {
			t.Errorf("staff %v sees Mia's words: %v", staff, seen)
		}
	}
	if _, _, err := d.Escalate(t.Context(), ines, Asked{Reason: "My reason."}, `t.number = $1`, mine.Number); fault.Code(err) != "closed" {
		t.Errorf("Mia escalated Tom's ticket: %v", err)
	}
	// Two merges at once, into each other: one happens.
	x, y := open("eva@example.com"), open("eva@example.com")
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for i, pair := range [][2]int64{{x.Number, y.Number}, {y.Number, x.Number}} {
		wg.Go(func() { errs[i] = merge(pair[0], pair[1], false) })
	}
	wg.Wait()
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Errorf("both or none: %v, %v", errs[0], errs[1])
	}
}

// One ticket that cannot be done, whatever the reason, holds up no other.
func TestOneBadTicketHoldsUpNoTimer(t *testing.T) {
	d, db, c := onTuesday(t)
	var numbers []int64
	for range 3 {
		tk, err := d.Open(t.Context(), request(""))
		if err != nil {
			t.Fatal(err)
		}
		must(t, d, ines, tk.Number, Change{Events: []lifecycle.Event{lifecycle.CustomerSolved{}}})
		numbers = append(numbers, tk.Number)
		c.pass(time.Second)
	}
	if _, err := db.Exec(`UPDATE tickets SET diagnostics = '"damaged"' WHERE number = $1`, numbers[0]); err != nil {
		t.Fatal(err)
	}
	c.pass(48 * time.Hour)
	if err := d.FireDue(t.Context()); err == nil || !strings.Contains(err.Error(), fmt.Sprint(numbers[0])) {
		t.Errorf("the bad one is not told: %v", err)
	}
	for _, number := range numbers[1:] {
		if got := read(t, d, number); got.Status != lifecycle.Closed {
			t.Errorf("ticket %d behind the bad one is %s", number, got.Status)
		}
	}
}
