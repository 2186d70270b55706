package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

var quiet = slog.New(slog.DiscardHandler)

// folder is one that PostgreSQL's own account can enter; a test's folder is closed to others.
func folder(t *testing.T) string {
	dir, err := os.MkdirTemp("", "chatnow-pg-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func start(t *testing.T, dir string) *Private {
	t.Helper()
	p, err := StartPrivate(t.Context(), dir, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Stop() })
	return p
}

func exec1(t *testing.T, p *Private, query string) {
	t.Helper()
	db, err := Open(t.Context(), p.URL(), Options{MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(query); err != nil {
		t.Fatal(err)
	}
}

func postmaster(t *testing.T, dir string) int {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "postgres", "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.SplitN(string(raw), "\n", 2)[0])
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func TestDataOutlivesAStopAndASecondStartIsRefused(t *testing.T) {
	dir := folder(t)
	p := start(t, dir)
	exec1(t, p, `CREATE TABLE kept (n int)`)
	if _, err := StartPrivate(t.Context(), dir, quiet); err == nil || !strings.Contains(err.Error(), "another chatnow already runs") {
		t.Fatalf("a second start: %v", err)
	}
	exec1(t, p, `INSERT INTO kept VALUES (1)`) // the second start has not touched the first
	info, err := os.Stat(filepath.Join(dir, "database.url"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("database.url: %v, %v", info, err)
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	exec1(t, start(t, dir), `INSERT INTO kept VALUES (2)`)
}

func TestAKilledPostmasterComesBack(t *testing.T) {
	dir := folder(t)
	p := start(t, dir)
	exec1(t, p, `CREATE TABLE kept (n int)`)
	old := postmaster(t, dir)
	if err := syscall.Kill(old, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		db, err := Open(ctx, p.URL(), Options{MaxConns: 1})
		if err == nil {
			_, err = db.ExecContext(ctx, `INSERT INTO kept VALUES (1)`)
			_ = db.Close()
		}
		cancel()
		if err == nil && postmaster(t, dir) != old {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("not back within 30 s: %v", err)
		}
	}
}

// The parent is this test's own program, run again; TestMain hands over to it.
func TestMain(m *testing.M) {
	if dir := os.Getenv("CHATNOW_TEST_PARENT"); dir != "" {
		if _, err := StartPrivate(context.Background(), dir, quiet); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println("ready")
		select {}
	}
	os.Exit(m.Run())
}

func TestAKilledParentLeavesNoOrphanAndNoDamage(t *testing.T) {
	dir := folder(t)
	for range 3 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "CHATNOW_TEST_PARENT="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 16)); err != nil {
			t.Fatal(err)
		}
		pid := postmaster(t, dir)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		for end := time.Now().Add(10 * time.Second); isPostgres(pid); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("the server outlived its parent")
			}
		}
	}
	exec1(t, start(t, dir), `SELECT 1`)
}

func TestWhatAnInterruptedStartLeftIsCleared(t *testing.T) {
	dir := folder(t)
	half := filepath.Join(dir, "postgres", "data.new", "base")
	if err := os.MkdirAll(half, 0o755); err != nil {
		t.Fatal(err)
	}
	exec1(t, start(t, dir), `SELECT 1`)
	if _, err := os.Stat(filepath.Dir(half)); !os.IsNotExist(err) {
		t.Fatalf("the half database is still there: %v", err)
	}
}

func TestALongPathStillHasASocket(t *testing.T) {
	dir := filepath.Join(folder(t), strings.Repeat("long-", 20))
	exec1(t, start(t, dir), `SELECT 1`)
}

// The version that wrote the data is taken, never the newest; an unknown one is a sentence.
func TestTheVersionIsChosenByTheData(t *testing.T) {
	found := []programs{{"/new", 17}, {"/mid", 16}, {"/old", 9}}
	dir := t.TempDir()
	if p, err := choose(found, dir); err != nil || p.major != 17 {
		t.Errorf("for new data: %+v, %v", p, err)
	}
	for version, want := range map[string]string{"16\n": "/mid", "9.6\n": "/old"} {
		if err := os.WriteFile(filepath.Join(dir, "PG_VERSION"), []byte(version), 0o600); err != nil {
			t.Fatal(err)
		}
		if p, err := choose(found, dir); err != nil || p.dir != want {
			t.Errorf("for %q: %+v, %v", version, p, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "PG_VERSION"), []byte("15\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := choose(found, dir); err == nil || !strings.Contains(err.Error(), "PostgreSQL 15, which is not installed") {
		t.Errorf("for a version that is not there: %v", err)
	}
	if _, err := choose(nil, t.TempDir()); err == nil || !strings.Contains(err.Error(), "install") {
		t.Errorf("with nothing installed: %v", err)
	}
}

func TestAnAccountThatIsMissingIsSaid(t *testing.T) {
	if err := knownAccount(strconv.Itoa(os.Geteuid())); err != nil {
		t.Errorf("our own: %v", err)
	}
	if err := knownAccount("543219876"); err == nil || !strings.Contains(err.Error(), "/etc/passwd") || !strings.Contains(err.Error(), "543219876") {
		t.Errorf("nobody's: %v", err)
	}
}
