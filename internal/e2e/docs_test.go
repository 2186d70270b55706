package e2e

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// The examples of docs/api.md, as they stand there but for the address, in one shell.
func TestTheExamplesOfTheDocsRun(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Fatal("curl is missing: make test installs it")
	}
	page, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	o := newOffice(t)
	script := "set -eu\n"
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		script += strings.ReplaceAll(block[1], "http://localhost:8080", o.base)
	}
	if !strings.Contains(script, o.base) {
		t.Fatalf("no examples in\n%s", page)
	}
	// each line of the page says its answer on lines of its own
	cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(script, "\ncurl -s", "\necho; curl -s"))
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	rest := string(out)
	for _, want := range []string{
		`"role":"admin"`, `"email":"ada@example.com"`, `"queue":0`, `"ticket_url":"/tickets/new"`, `"number":1001`,
		`"tickets":[`, `"number":1001`, `"status":"pending"`, `"name":"service.log"`, `"code":"stale"`, `"code":"invalid"`, `"field":"diagnostics.devices[0]"`, `"field":"email"`,
	} {
		if want == `"status":"pending"` { // the members of one answer stand in the order of their names
			_, rest, _ = strings.Cut(rest, `"tickets":[`)
		}
		if !strings.Contains(rest, want) {
			t.Errorf("%s is not in what is said:\n%s", want, out)
		}
	}
}
