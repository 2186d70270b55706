package cluster

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/jmoiron/sqlx"

	"chatnow/internal/natstest"
)

func overNATSOn(t *testing.T, db *sqlx.DB, address string) node {
	t.Helper()
	p, err := NewNATS(db, address, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return run(t, p)
}

func TestNATSCarriesHintsAndItsLossIsNoticed(t *testing.T) {
	db, _ := database(t)
	s := natstest.Start(t)
	address := s.URL()
	a, b := overNATSOn(t, db, address), overNATSOn(t, db, address)
	at := (&ear{}).on(b, "chat")
	eventually(t, "they know of each other", func() bool { return !a.Alone() && !b.Alone() })
	eventually(t, "the first hint", func() bool {
		a.Publish(t.Context(), Hint{Topic: "chat", Key: "first"})
		return at.heard("first")
	})
	for i := range 1000 {
		a.Publish(t.Context(), Hint{Topic: "chat", Key: fmt.Sprint(i), Body: []byte{'m'}})
	}
	eventually(t, "the thousandth", func() bool { return at.heard("999") })

	// NATS goes, and comes back at the same address: what was said meanwhile is said again or read again.
	_, before := at.keys()
	s.Stop()
	a.Publish(t.Context(), Hint{Topic: "chat", Key: "while it was gone"})
	s.Again()
	eventually(t, "it is back", func() bool { _, lost := at.keys(); return lost > before })
	eventually(t, "a hint after it", func() bool {
		a.Publish(t.Context(), Hint{Topic: "chat", Key: "after"})
		return at.heard("after")
	})
}

func TestNATSIsNotWaitedFor(t *testing.T) {
	db, _ := database(t)
	a := overNATSOn(t, db, "nats://127.0.0.1:1") // nobody is there
	at := (&ear{}).on(a, "chat")
	a.Publish(t.Context(), Hint{Topic: "chat", Key: "own"})
	eventually(t, "its own hint", func() bool { return at.heard("own") })
	for _, wrong := range []string{"", "127.0.0.1:4222", "http://x"} {
		if _, err := NewNATS(db, wrong, "test", slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}
