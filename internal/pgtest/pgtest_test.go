package pgtest

import "testing"

func TestEachTestHasItsOwnDatabase(t *testing.T) {
	a, b := New(t), New(t)
	a.MustExec(`INSERT INTO people (name, role) VALUES ('a', 'admin')`)
	var n int
	if err := b.Get(&n, `SELECT count(*) FROM people`); err != nil || n != 0 {
		t.Fatalf("the other database has %d people, %v", n, err)
	}
}
