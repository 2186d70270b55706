package workbench

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"chatnow/internal/fault"
	"chatnow/internal/pgtest"
)

var tuesday = time.Date(2026, 11, 24, 15, 0, 0, 0, time.UTC)

func bench(t *testing.T) (*Bench, *time.Time) {
	now := tuesday
	return New(pgtest.New(t), func() time.Time { return now }), &now
}

func TestAMacroIsCheckedBeforeACustomerSeesIt(t *testing.T) {
	b, _ := bench(t)
	for _, c := range []struct{ name, body, field string }{
		{"Hello", "Good morning, {{customer.first_name}}.", ""},
		{"Spaces  in\tthe name", "{{ customer.name }}", ""},
		{"", "body", "name"},
		{strings.Repeat("x", 101), "body", "name"},
		{"No body", " \n", "body"},
		{"Too long", strings.Repeat("x", 20_001), "body"},
		{"Misspelt", "{{customer.fist_name}}", "body"},
		{"Braces of another kind", "{ {customer} } and {{}", ""},
		{"hello", "The same name in another case", "name"},
	} {
		m, err := b.AddMacro(t.Context(), c.name, c.body, "Priya")
		var wrong *fault.Error
		switch {
		case c.field == "" && err != nil:
			t.Errorf("%q: %v", c.name, err)
		case c.field == "" && strings.Contains(m.Name, "  "):
			t.Errorf("the name %q is not one line", m.Name)
		case c.field != "" && (!errors.As(err, &wrong) || len(wrong.Fields) != 1 || wrong.Fields[0].Field != c.field):
			t.Errorf("%q: got %v, want an error of the field %s", c.name, err, c.field)
		}
	}
}

func TestTwoWhoEditAMacro(t *testing.T) {
	b, _ := bench(t)
	ctx := t.Context()
	m, err := b.AddMacro(ctx, "Update", "Please update.", "Priya")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.ChangeMacro(ctx, m.ID, "Update first", "Please update to {{product.version}}.", m.Version, "Jonas"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.ChangeMacro(ctx, m.ID, "Mine", "Mine", m.Version, "Priya"); fault.Code(err) != "stale" {
		t.Errorf("the second got %v, want stale", err)
	}
	if _, err := b.ChangeMacro(ctx, uuid.NewString(), "Nobody's", "Nobody's", 1, "Priya"); fault.KindOf(err) != fault.Missing {
		t.Errorf("an unknown one got %v", err)
	}
	for range 2 { // removed twice is removed
		if err := b.DropMacro(ctx, m.ID); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := b.Macros(ctx); err != nil || len(list) != 0 {
		t.Errorf("left are %v, %v", list, err)
	}
}

func TestDraftsAreOnesOwn(t *testing.T) {
	b, now := bench(t)
	ctx := t.Context()
	priya, jonas := person(t, b, "Priya"), person(t, b, "Jonas")
	keep := func(who, place, body string) {
		t.Helper()
		if err := b.KeepDraft(ctx, who, place, body); err != nil {
			t.Fatal(err)
		}
	}
	keep(priya, "ticket:1001", "half a sent")
	keep(priya, "ticket:1001", "half a sentence")
	keep(priya, "ticket-note:1001", "a note")
	keep(jonas, "ticket:1001", "of Jonas")
	keep(priya, "ticket-note:1001", "")
	list, err := b.Drafts(ctx, priya)
	if err != nil || len(list) != 1 || list[0].Body != "half a sentence" {
		t.Fatalf("Priya has %v, %v", list, err)
	}
	for _, place := range []string{"", "ticket:0", "ticket:1x", "chat:short", "other:1", "ticket:1\nticket:2"} {
		if err := b.KeepDraft(ctx, priya, place, "x"); fault.KindOf(err) != fault.Invalid {
			t.Errorf("place %q: %v", place, err)
		}
	}
	if err := b.KeepDraft(ctx, priya, "ticket:1", strings.Repeat("x", maxDraft+1)); fault.KindOf(err) != fault.Invalid {
		t.Errorf("too long: %v", err)
	}
	*now = tuesday.AddDate(0, 0, 31)
	keep(jonas, "ticket:1001", "still at it")
	if err := b.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	for who, want := range map[string]int{priya: 0, jonas: 1} {
		if list, err := b.Drafts(ctx, who); err != nil || len(list) != want {
			t.Errorf("after a month %d drafts are left, want %d (%v)", len(list), want, err)
		}
	}
}

func person(t *testing.T, b *Bench, name string) string {
	id := uuid.NewString()
	if _, err := b.db.ExecContext(context.Background(), `INSERT INTO people (id, name, role) VALUES ($1, $2, 'champion')`, id, name); err != nil {
		t.Fatal(err)
	}
	return id
}
