package lifecycle_test

import (
	"testing"

	"chatnow/hours"
	"chatnow/tickets/lifecycle"
	"chatnow/tickets/lifecycle/lives"
)

// The lives on the pure engine alone.
func TestLives(t *testing.T) {
	lives.Play(t, "testdata", func(t *testing.T) lives.World {
		cal, err := hours.New(lives.Hours())
		if err != nil {
			t.Fatal(err)
		}
		return &lives.Model{Rules: lifecycle.Rules{Hours: cal, Policy: lives.Policy()}}
	})
}
