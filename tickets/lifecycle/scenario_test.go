package lifecycle_test

import (
	"testing"

	"chatnow/hours"
	"chatnow/tickets/lifecycle"
	"chatnow/tickets/lifecycle/lives"
)

func engine(t *testing.T, c hours.Config) lives.World {
	cal, err := hours.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return &lives.Model{Rules: lifecycle.Rules{Hours: cal, Policy: lives.Policy()}}
}

// The lives on the pure engine alone.
func TestLives(t *testing.T) {
	lives.Play(t, "testdata", func(t *testing.T) lives.World { return engine(t, lives.Hours()) })
}

// A quarter with holidays and clocks that go back and forward, against a table made by hand.
func TestAQuarter(t *testing.T) { lives.Quarter(t, "testdata/quarter/table.txt", engine) }
