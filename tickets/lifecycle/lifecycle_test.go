package lifecycle

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"chatnow/hours"
)

var (
	champion = Actor{Kind: "champion", ID: "c1", Name: "Priya"}
	customer = Actor{Kind: "customer", Name: "Ines"}
	tuesday  = time.Date(2026, 11, 24, 15, 0, 0, 0, time.UTC) // 9:00 in Chicago
)

func rules(t testing.TB, counting string) Rules {
	t.Helper()
	c := hours.Default()
	c.Holidays = []hours.Holiday{{Date: "2026-11-26", Name: "Thanksgiving"}}
	cal, err := hours.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return Rules{Hours: cal, Policy: Policy{SolvedClosesAfter: 48 * time.Hour, PendingSolvesAfter: 96 * time.Hour, Counting: counting,
		Reminders: []time.Duration{24 * time.Hour, 72 * time.Hour}, SurveySilent: true}}
}

func in(t testing.TB, r Rules, s Status) Ticket {
	t.Helper()
	tk, _, err := r.Apply(Ticket{Number: 1001}, Created{}, customer, tuesday)
	if err != nil {
		t.Fatal(err)
	}
	step := map[Status][]Event{Open: nil, Pending: {ChampionReplied{Pending}}, Solved: {ChampionReplied{Solved}}, Closed: {ChampionReplied{Solved}, Alarm{}}}
	for _, ev := range step[s] {
		now := tuesday
		if _, ok := ev.(Alarm); ok {
			now = tk.ClosesAt
		}
		if tk, _, err = r.Apply(tk, ev, champion, now); err != nil {
			t.Fatal(err)
		}
	}
	if tk.Status != s {
		t.Fatalf("made %s instead of %s", tk.Status, s)
	}
	return tk
}

// The policy's whole table (1.F of the requirements): every status meets every event.
func TestTransitions(t *testing.T) {
	r := rules(t, Elapsed)
	for _, tc := range []struct {
		ev   Event
		want map[Status]Status
		err  map[Status]error
	}{
		{CustomerReplied{}, map[Status]Status{Open: Open, Pending: Open, Solved: Open, Closed: Closed}, map[Status]error{Closed: ErrClosed}},
		{ChampionReplied{Solved}, map[Status]Status{Open: Solved, Pending: Solved, Solved: Solved, Closed: Closed}, map[Status]error{Closed: ErrClosed}},
		{ChampionReplied{Pending}, map[Status]Status{Open: Pending, Pending: Pending, Solved: Pending, Closed: Closed}, map[Status]error{Closed: ErrClosed}},
		{ChampionReplied{Open}, map[Status]Status{Open: Open, Pending: Open, Solved: Open, Closed: Closed}, map[Status]error{Closed: ErrClosed}},
		{NoteAdded{}, map[Status]Status{Open: Open, Pending: Pending, Solved: Solved, Closed: Closed}, nil},
		{MachineWrote{}, map[Status]Status{Open: Open, Pending: Pending, Solved: Solved, Closed: Closed}, nil},
		{StatusSet{To: Open}, map[Status]Status{Open: Open, Pending: Open, Solved: Open, Closed: Closed}, map[Status]error{Open: ErrMoot, Closed: ErrClosed}},
		{StatusSet{To: Solved}, map[Status]Status{Open: Solved, Pending: Solved, Solved: Solved, Closed: Closed}, map[Status]error{Solved: ErrMoot, Closed: ErrClosed}},
		{StatusSet{To: Closed}, map[Status]Status{Open: Open, Pending: Pending, Solved: Solved, Closed: Closed}, map[Status]error{Open: ErrStatus, Pending: ErrStatus, Solved: ErrStatus, Closed: ErrClosed}},
		{CustomerSolved{}, map[Status]Status{Open: Solved, Pending: Solved, Solved: Solved, Closed: Closed}, map[Status]error{Solved: ErrMoot, Closed: ErrClosed}},
		{Merged{Into: 7}, map[Status]Status{Open: Closed, Pending: Closed, Solved: Closed, Closed: Closed}, map[Status]error{Closed: ErrClosed}},
		{Alarm{}, map[Status]Status{Open: Open, Pending: Pending, Solved: Solved, Closed: Closed}, nil},
	} {
		for _, s := range []Status{Open, Pending, Solved, Closed} {
			got, _, err := r.Apply(in(t, r, s), tc.ev, champion, tuesday.Add(time.Minute))
			if got.Status != tc.want[s] || !errors.Is(err, tc.err[s]) {
				t.Errorf("%s + %T%+v: %s, %v", s, tc.ev, tc.ev, got.Status, err)
			}
		}
	}
}

func TestDueInstants(t *testing.T) {
	chicago, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", s, chicago)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, tc := range []struct{ counting, solved, closes string }{
		{Elapsed, "2026-11-20 16:50", "2026-11-22 16:50"},     // Friday: closes on Sunday, as the policy reads
		{Business, "2026-11-20 16:50", "2026-11-24 16:50"},    // two business days
		{Business, "2026-11-25 10:00", "2026-11-30 10:00"},    // over Thanksgiving and a weekend
		{ElapsedOpen, "2026-11-20 16:50", "2026-11-23 17:00"}, // never while shut
		{Elapsed, "2026-10-31 12:00", "2026-11-02 11:00"},     // 48 hours over the change of the clocks
	} {
		r := rules(t, tc.counting)
		got, _, err := r.Apply(in(t, r, Open), ChampionReplied{Solved}, champion, at(tc.solved))
		if err != nil || !got.ClosesAt.Equal(at(tc.closes)) {
			t.Errorf("%s: solved %s closes %v, %v", tc.counting, tc.solved, got.ClosesAt.In(chicago), err)
		}
	}
	r := rules(t, Elapsed)
	for from, due := range map[string]string{"2026-11-23 16:55": "2026-11-24 17:00", "2026-11-25 09:00": "2026-11-27 17:00", "2026-11-27 12:00": "2026-11-30 17:00"} {
		got, _, err := r.Apply(Ticket{}, Created{}, customer, at(from))
		if err != nil || !got.UpdateDueAt.Equal(at(due)) {
			t.Errorf("created %s: next update %v, %v", from, got.UpdateDueAt.In(chicago), err)
		}
	}
}

// Pending is solved by silence, and closed two days after: the sixth day (M36).
func TestSilenceClosesOnTheSixthDay(t *testing.T) {
	r := rules(t, Elapsed)
	tk := in(t, r, Pending)
	var mails []string
	for now := tuesday; now.Before(tuesday.AddDate(0, 0, 7)); now = now.Add(time.Hour) {
		next, effects, err := r.Apply(tk, Alarm{}, System, now)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range effects {
			if m, ok := e.(Mail); ok {
				mails = append(mails, now.Sub(tuesday).String()+" "+m.Kind)
			}
		}
		tk = next
	}
	want := []string{"24h0m0s reminder", "72h0m0s reminder", "96h0m0s solved", "144h0m0s survey"}
	if tk.Status != Closed || len(mails) != len(want) {
		t.Fatalf("%s, %v", tk.Status, mails)
	}
	for i := range want {
		if mails[i] != want[i] {
			t.Errorf("mail %d: %s, want %s", i, mails[i], want[i])
		}
	}
}

// Whatever happens in whatever order, the ticket keeps its shape.
func TestInAnyOrder(t *testing.T) {
	r := rules(t, Elapsed)
	rapid.Check(t, func(rt *rapid.T) {
		now := tuesday
		tk := in(t, r, Open)
		events := []Event{CustomerReplied{}, ChampionReplied{Solved}, ChampionReplied{Pending}, ChampionReplied{Open}, NoteAdded{}, StatusSet{To: Open},
			PrioritySet{To: Urgent}, PrioritySet{To: Low}, Assigned{To: "c2"}, CustomerSolved{}, EscalationAsked{}, EscalationOver{}, Merged{Into: 9}, Alarm{}}
		for range rapid.IntRange(1, 40).Draw(rt, "n") {
			now = now.Add(time.Duration(rapid.IntRange(0, 60).Draw(rt, "hours")) * time.Hour)
			ev := rapid.SampledFrom(events).Draw(rt, "event")
			next, _, err := r.Apply(tk, ev, champion, now)
			if err != nil && next != tk {
				rt.Fatalf("%T changed the ticket and failed", ev)
			}
			if next != tk && next.Version != tk.Version+1 {
				rt.Fatalf("%T: version %d after %d", ev, next.Version, tk.Version)
			}
			if _, ok := ev.(PrioritySet); ok && err == nil && tk.Status == Open && tk.UpdateDueAt.After(now) && next.UpdateDueAt.After(tk.UpdateDueAt) {
				rt.Fatalf("a priority made the promise later: %v, then %v", tk.UpdateDueAt, next.UpdateDueAt)
			}
			if tk.Status == Closed && next.Status != Closed {
				rt.Fatal("closed is final")
			}
			tk = next
			if tk.SolvesAt.IsZero() == (tk.Status == Pending) || tk.ClosesAt.IsZero() == (tk.Status == Solved) || tk.UpdateDueAt.IsZero() == (tk.Status == Open) {
				rt.Fatalf("%s with the wrong waits: %+v", tk.Status, tk)
			}
			again, _, err := r.Apply(tk, Alarm{}, System, now)
			for range 3 { // one step an alarm; then nothing is left in the past
				again, _, err = r.Apply(again, Alarm{}, System, now)
			}
			if err != nil || due(again.Wake(), now) {
				rt.Fatalf("still due: %+v, %v", again, err)
			}
		}
	})
}

func TestOrder(t *testing.T) {
	now := tuesday
	late := Ticket{Priority: Low, UpdateDueAt: now.Add(-time.Hour)}
	urgent := Ticket{Priority: Urgent, UpdateDueAt: now.Add(time.Hour)}
	raised := Ticket{Priority: Urgent, UpdateDueAt: now.Add(2 * time.Hour), Escalated: true}
	normal := Ticket{Priority: Normal, UpdateDueAt: now.Add(time.Minute)}
	want := []Ticket{late, raised, urgent, normal}
	for i := range want {
		for j := range want {
			if got := Order(want[i], want[j], now); (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("order of %d and %d: %d", i, j, got)
			}
		}
	}
}
