package cluster

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/nats-io/nats-server/v2/server"
)

func natsServer(t *testing.T, port int) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(5 * time.Second) {
		t.Fatal("NATS does not start")
	}
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return s
}

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
	s := natsServer(t, server.RANDOM_PORT)
	address := s.ClientURL()
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
	port := portOf(t, address)
	s.Shutdown()
	s.WaitForShutdown()
	a.Publish(t.Context(), Hint{Topic: "chat", Key: "while it was gone"})
	natsServer(t, port)
	eventually(t, "it is back", func() bool { _, lost := at.keys(); return lost > before })
	eventually(t, "a hint after it", func() bool {
		a.Publish(t.Context(), Hint{Topic: "chat", Key: "after"})
		return at.heard("after")
	})
}

func portOf(t *testing.T, address string) (port int) {
	t.Helper()
	if _, err := fmt.Sscanf(address, "nats://127.0.0.1:%d", &port); err != nil {
		t.Fatal(err)
	}
	return port
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
