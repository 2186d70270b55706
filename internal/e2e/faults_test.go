package e2e

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// A short run of chatbench faults: two servers, PostgreSQL, NATS and the lines between them are broken under load, and
// what was acknowledged is held against four readings. docs/faults.md has a long one.
func TestAFewFaults(t *testing.T) {
	dir := reachable(t)
	bench := filepath.Join(t.TempDir(), "chatbench")
	if out, err := exec.Command("go", "build", "-o", bench, "chatnow/cmd/chatbench").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	seed := strconv.FormatInt(time.Now().UnixNano()%1_000_000, 10)
	out, err := exec.CommandContext(t.Context(), bench, "faults", "-chatnow", build(t), "-dir", dir, "-seed", seed, "-faults", "10", "-for", "60s", "-customers", "12", "-champions", "2").CombinedOutput()
	if err != nil {
		t.Fatalf("seed %s: %v\n%s", seed, err, out)
	}
	t.Logf("%s", out)
}
