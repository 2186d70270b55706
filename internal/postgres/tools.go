package postgres

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/jmoiron/sqlx"
)

// Tool makes a command of PostgreSQL's own programs (pg_dump, pg_restore) for a database. It takes one that is not older
// than the server, for an older one does not know what it reads. The password goes by the environment, where other
// users of the machine do not see it.
func Tool(ctx context.Context, db *sqlx.DB, dsn, name string, args ...string) (*exec.Cmd, error) {
	var server int
	if err := db.GetContext(ctx, &server, `SELECT current_setting('server_version_num')::int / 10000`); err != nil {
		return nil, fmt.Errorf("ask the database for its version: %w", err)
	}
	path := ""
	for _, p := range installed(usualPlaces()) {
		if at := filepath.Join(p.dir, name); p.major >= server {
			if _, err := os.Stat(at); err == nil {
				path = at // the oldest that will do
			}
		}
	}
	if path == "" {
		if at, err := exec.LookPath(name); err == nil && versionOf(at) >= server {
			path = at
		}
	}
	if path == "" {
		return nil, fmt.Errorf("%s of PostgreSQL %d or newer is needed and not installed: run %q", name, server, strings.Replace(installCommand(), "install postgresql", "install postgresql-client", 1))
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, fmt.Errorf("the address of the database cannot be read")
	}
	env := os.Environ()
	if password, ok := u.User.Password(); ok {
		env = append(env, "PGPASSWORD="+password)
		u.User = url.User(u.User.Username())
	}
	cmd := exec.CommandContext(ctx, path, append(args, "--dbname="+u.String())...)
	cmd.Env = env
	return cmd, nil
}

// RunTool runs a command of Tool and says in its error what the program said.
func RunTool(cmd *exec.Cmd, out io.Writer) error {
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = out, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, strings.TrimSpace(said.String()))
	}
	return nil
}
