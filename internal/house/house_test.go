// Package house holds the plan of the house: which folder may import which.
package house

import (
	"os/exec"
	"strings"
	"testing"
)

// floors go from the ground up; a package imports its own floor's and the ones below it, never above.
var floors = [][]string{
	{"internal/fault", "internal/text", "hours", "migrations"},
	{"internal/postgres", "chat/protocol", "tickets/lifecycle", "static", "internal/pgtest", "internal/natstest"},
	{"internal/web", "tickets/lifecycle/lives"},
	{"internal/cluster", "internal/mail", "internal/openapi", "internal/metrics"},
	{"internal/settings", "internal/accounts"},
	{"internal/files", "internal/workbench", "internal/reports"},
	{"internal/backup"},
	{"tickets"},
	{"chat"},
	{"internal/demo"},
	{"internal/app", "internal/faults"},
	{"cmd/chatnow"},
}

// pure packages know no SQL, no HTTP and no web framework.
var pure = []string{"hours", "tickets/lifecycle", "chat/protocol"}

func TestArrowsRunOneWay(t *testing.T) {
	height := map[string]int{}
	for i, floor := range floors {
		for _, name := range floor {
			height["chatnow/"+name] = i
		}
	}
	for name, h := range height {
		for _, imported := range imports(t, name) {
			if !strings.HasPrefix(imported, "chatnow/") {
				continue
			}
			other, known := height[imported]
			if !known {
				t.Errorf("%s is on no floor of the plan", imported)
			} else if other > h || (other == h && imported != name && !sameFloorAllowed(name)) {
				t.Errorf("%s imports %s, which is not below it", name, imported)
			}
		}
	}
}

// The settings' API names nobody of accounts, and pgtest serves tests alone.
func sameFloorAllowed(name string) bool { return name == "chatnow/internal/pgtest" }

func TestPureCoresStayPure(t *testing.T) {
	for _, name := range pure {
		out, err := exec.Command("go", "list", "-deps", "chatnow/"+name).Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, dep := range strings.Fields(string(out)) {
			if dep == "database/sql" || dep == "net/http" || strings.Contains(dep, "labstack") || strings.Contains(dep, "lib/pq") {
				t.Errorf("%s depends on %s", name, dep)
			}
		}
	}
}

func imports(t *testing.T, name string) []string {
	out, err := exec.Command("go", "list", "-f", `{{join .Imports "\n"}}`, name).Output()
	if err != nil {
		t.Fatalf("go list %s: %v", name, err)
	}
	return strings.Fields(string(out))
}
