package chat

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var priya, jonas = Party{"p", "Priya"}, Party{"j", "Jonas"}

// Every state meets every event; what is not in the table must change nothing.
func TestTheLifeOfAChat(t *testing.T) {
	at := time.Date(2026, 11, 24, 15, 0, 0, 0, time.UTC)
	waits := Session{State: Queued, WaitingSince: at}
	offered := Session{State: Queued, WaitingSince: at, OfferedTo: "p", OfferedUntil: at}
	active := Session{State: Active, Champion: priya, WaitingSince: at, AcceptedAt: at}
	ended := Session{State: Ended, EndedAt: at}
	for _, tc := range []struct {
		name string
		have Session
		ev   Event
		want State
		err  error
	}{
		{"a waiting chat is taken", waits, Accepted{priya}, Active, nil},
		{"by anybody, whoever was asked", offered, Accepted{jonas}, Active, nil},
		{"taken twice by one is nothing new", active, Accepted{priya}, Active, ErrMoot},
		{"the second is told", active, Accepted{jonas}, Active, ErrTaken},
		{"what is over cannot be taken", ended, Accepted{priya}, Ended, ErrOver},
		{"an offer lapses", offered, OfferLapsed{}, Queued, nil},
		{"no offer, no lapse", waits, OfferLapsed{}, Queued, ErrMoot},
		{"it is handed over", active, Transferred{By: priya, To: jonas}, Active, nil},
		{"a manager takes it over", active, Transferred{By: jonas, To: jonas, Manager: true}, Active, nil},
		{"a manager gives it to who has it", active, Transferred{By: jonas, To: priya, Manager: true}, Active, ErrMoot},
		{"only by who has it", active, Transferred{By: jonas, To: priya}, Active, ErrNotYours},
		{"a champion vanishes", active, ChampionVanished{}, Queued, nil},
		{"a customer vanishes in a chat", active, CustomerVanished{}, Ended, nil},
		{"a customer vanishes from the queue", waits, CustomerVanished{}, Missed, nil},
		{"17:00 comes", waits, GivenUp{ByClosing}, Missed, nil},
		{"a running chat is never cut", active, GivenUp{ByClosing}, Active, ErrMoot},
		{"the customer ends it", active, EndedBy{Reason: ByCustomer}, Ended, nil},
		{"a stranger does not", active, EndedBy{Reason: ByChampion, Who: jonas}, Active, ErrNotYours},
		{"ended twice is nothing new", ended, EndedBy{Reason: ByCustomer}, Ended, ErrMoot},
	} {
		got, _, err := tc.have.Apply(tc.ev, at.Add(time.Minute))
		if got.State != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("%s: %s, %v", tc.name, got.State, err)
		}
	}
}

// The place in the queue is the oldest claim there is, however often the champion is lost.
func TestInAnyOrderOfEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(0, 0)
		s := Session{State: Queued, WaitingSince: now}
		events := []Event{Accepted{priya}, Accepted{jonas}, Transferred{By: priya, To: jonas}, Offered{"p", now}, OfferLapsed{},
			ChampionVanished{}, CustomerVanished{}, GivenUp{ByClosing}, EndedBy{Reason: ByCustomer}, EndedBy{Reason: ByChampion, Who: priya}}
		over := false
		for range rapid.IntRange(1, 30).Draw(t, "n") {
			now = now.Add(time.Second)
			next, _, err := s.Apply(rapid.SampledFrom(events).Draw(t, "event"), now)
			if over && err == nil {
				t.Fatalf("something happened after the end: %+v", next)
			}
			s = next
			over = s.State == Ended || s.State == Missed
			if (s.State == Active) != (s.Champion.ID != "" && !over) {
				t.Fatalf("active without a champion, or a champion without activity: %+v", s)
			}
			if s.OfferedTo != "" && s.State != Queued {
				t.Fatalf("offered while not waiting: %+v", s)
			}
			if !s.WaitingSince.Equal(time.Unix(0, 0)) {
				t.Fatalf("lost its place: %+v", s)
			}
		}
	})
}
