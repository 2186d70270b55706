package postgres

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// programs is one installed PostgreSQL.
type programs struct {
	dir   string
	major int
}

// oldest is the oldest PostgreSQL that the driver speaks to.
const oldest = 14

// installed lists the versions on this machine, newest first. Tests give their own places.
func installed(places []string) []programs {
	var found []programs
	for _, place := range places {
		dirs, _ := filepath.Glob(place) // the patterns are ours, so the only error cannot be
		for _, dir := range dirs {
			if major := versionOf(filepath.Join(dir, "postgres")); major >= oldest {
				if _, err := os.Stat(filepath.Join(dir, "initdb")); err == nil {
					found = append(found, programs{dir, major})
				}
			}
		}
	}
	slices.SortStableFunc(found, func(a, b programs) int { return b.major - a.major })
	return found
}

func usualPlaces() []string {
	places := []string{
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin",
		"/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin", "/usr/libexec/postgresql*",
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			places = append(places, filepath.Dir(real))
		}
	}
	return places
}

// versionOf asks the program, since folders may be named anything. "postgres (PostgreSQL) 15.18 (…)".
func versionOf(program string) int {
	out, err := exec.Command(program, "--version").Output()
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(out))
	if len(fields) < 3 {
		return 0
	}
	return leadingNumber(fields[2])
}

func leadingNumber(s string) int {
	end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		s = s[:end]
	}
	n, _ := strconv.Atoi(s)
	return n
}

// choose takes the version that wrote the data directory, and the newest for a new one. Never
// another: one major version cannot read the files of the next.
func choose(found []programs, dataDir string) (programs, error) {
	raw, err := os.ReadFile(filepath.Join(dataDir, "PG_VERSION"))
	if os.IsNotExist(err) {
		if len(found) == 0 {
			return programs{}, fmt.Errorf("PostgreSQL %d or newer is needed and not installed: run %q, or set DATABASE_URL", oldest, installCommand())
		}
		return found[0], nil
	}
	if err != nil {
		return programs{}, fmt.Errorf("read which PostgreSQL the data is of: %w", err)
	}
	want := leadingNumber(strings.TrimSpace(string(raw)))
	for _, p := range found {
		if p.major == want {
			return p, nil
		}
	}
	return programs{}, fmt.Errorf("the data in %s was written by PostgreSQL %d, which is not installed: install that version, or move the data with pg_upgrade", dataDir, want)
}

func installCommand() string {
	for _, m := range [][2]string{
		{"apt-get", "apt-get install postgresql"}, {"dnf", "dnf install postgresql-server"},
		{"apk", "apk add postgresql"}, {"brew", "brew install postgresql@17"},
	} {
		if _, err := exec.LookPath(m[0]); err == nil {
			return m[1]
		}
	}
	if runtime.GOOS == "darwin" {
		return "brew install postgresql@17"
	}
	return "apt-get install postgresql"
}
