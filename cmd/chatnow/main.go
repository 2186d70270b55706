// Command chatnow serves live chat and tickets. It holds flags, environment and
// signals, and no logic.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"chatnow/internal/accounts"
	"chatnow/internal/app"
	"chatnow/internal/cluster"
	"chatnow/internal/postgres"
)

var cli struct {
	Listen         string   `default:"127.0.0.1:8080" env:"CHATNOW_LISTEN" help:"HTTP and WebSocket address."`
	DatabaseURL    string   `env:"DATABASE_URL" help:"PostgreSQL to use; without one, a private PostgreSQL runs in the data folder."`
	Data           string   `default:"./chatnow-data" env:"CHATNOW_DATA" help:"Folder of the private PostgreSQL and of uploads."`
	BaseURL        string   `env:"CHATNOW_BASE_URL" help:"What links begin with; default http:// and the listen address."`
	SMTPURL        string   `name:"smtp-url" env:"CHATNOW_SMTP_URL" help:"Mail server, such as smtp://user:pass@host:587; without one, mails stay readable in the outbox."`
	MailFrom       string   `env:"CHATNOW_MAIL_FROM" help:"Sender of mails; default support@ and the host of the base URL."`
	NATSURL        string   `name:"nats-url" env:"CHATNOW_NATS_URL" help:"NATS that carries what servers on one database tell each other, such as nats://host:4222; without one, the database carries it."`
	S3URL          string   `name:"s3-url" env:"CHATNOW_S3_URL" help:"Bucket for uploads, such as s3://KEY:SECRET@host:9000/bucket?region=eu-central-1 (tls=off without TLS); without one, they are kept in the data folder, which several nodes must share."`
	MetricsListen  string   `env:"CHATNOW_METRICS_LISTEN" help:"Separate address for /metrics and /debug/pprof, such as 127.0.0.1:9090; without one there are none."`
	TrustedProxies []string `env:"CHATNOW_TRUSTED_PROXIES" help:"Networks whose X-Forwarded-For is believed."`
	RateLimits     string   `default:"on" enum:"on,off" env:"CHATNOW_RATE_LIMITS" help:"off for load tests."`
	LogLevel       string   `default:"info" enum:"debug,info,warn,error" env:"CHATNOW_LOG_LEVEL" help:"How much is logged."`

	Serve    struct{} `cmd:"" default:"1" help:"Migrate the database, then serve."`
	Migrate  struct{} `cmd:"" help:"Bring the schema up to date and exit."`
	Champion struct {
		Add struct {
			Email         string `required:"" help:"E-mail address."`
			Name          string `required:"" help:"Name that customers see."`
			Role          string `required:"" enum:"champion,manager,admin" help:"champion, manager or admin."`
			PasswordStdin bool   `required:"" help:"Read the password from standard input."`
		} `cmd:"" help:"Make a staff account, or update it."`
	} `cmd:"" help:"Staff accounts."`
	Demo   struct{} `cmd:"" help:"Serve with lively sample data on a throw-away database."`
	Doctor struct {
		JSON bool `help:"For programs."`
	} `cmd:"" help:"Look at everything that a server needs, and say what to do."`
	Backup struct {
		File string `arg:"" help:"File to write; it must not be there yet."`
	} `cmd:"" help:"Write database and uploads into one file, also while a server runs."`
	Restore struct {
		File string `arg:"" help:"File that backup has written."`
	} `cmd:"" help:"Make a new server of a backup: into an empty database and data folder."`
	Psql    struct{} `cmd:"" help:"Open psql on the database of a running server."`
	Version struct{} `cmd:"" help:"Version, commit and Go version."`
}

func main() {
	k := kong.Parse(&cli, kong.Name("chatnow"), kong.Description("Live chat and tickets in one binary."), kong.UsageOnError())
	if err := run(k.Command()); err != nil {
		fmt.Fprintln(os.Stderr, "chatnow:", err)
		os.Exit(1)
	}
}

func run(command string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var level slog.Level
	if err := level.UnmarshalText([]byte(cli.LogLevel)); err != nil {
		return err
	}
	cfg := app.Config{Listen: cli.Listen, DatabaseURL: cli.DatabaseURL, Data: cli.Data, BaseURL: cli.BaseURL, TrustedProxies: cli.TrustedProxies, SMTPURL: cli.SMTPURL, NATSURL: cli.NATSURL, S3URL: cli.S3URL, MetricsListen: cli.MetricsListen, Version: release, MailFrom: cli.MailFrom,
		RateLimits: cli.RateLimits == "on", Out: os.Stdout, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))}
	switch command {
	case "version":
		return version()
	case "migrate":
		db, _, closeDB, err := app.Database(ctx, cfg)
		if err != nil {
			return err
		}
		return errors.Join(postgres.Migrate(ctx, db.DB), closeDB())
	case "demo":
		return app.Demo(ctx, cfg)
	case "doctor":
		return app.Doctor(ctx, cfg, cli.Doctor.JSON)
	case "backup <file>":
		return app.Backup(ctx, cfg, cli.Backup.File)
	case "restore <file>":
		return app.Restore(ctx, cfg, cli.Restore.File)
	case "psql":
		return psql(app.Running(ctx, cfg))
	case "champion add":
		return addChampion(ctx, cfg)
	}
	return app.Run(ctx, cfg)
}

// release is the version of the program.
const release = "0.1.0"

func version() error {
	commit := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = s.Value
			}
		}
	}
	_, err := fmt.Printf("chatnow "+release+", commit %s, %s\n", commit, runtime.Version())
	return err
}

// addChampion works beside a running server: then the private database is reached by its database.url.
func addChampion(ctx context.Context, cfg app.Config) (err error) {
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && line == "" {
		return fmt.Errorf("read the password from standard input: %w", err)
	}
	for len(line) > 0 && (line[len(line)-1] == '\n' || line[len(line)-1] == '\r') {
		line = line[:len(line)-1]
	}
	cfg.DatabaseURL = app.Running(ctx, cfg)
	db, _, closeDB, err := app.Database(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeDB()) }()
	if err := postgres.Migrate(ctx, db.DB); err != nil {
		return err
	}
	in := cli.Champion.Add
	p, err := accounts.New(db, nil, nil, cluster.NewLocal(), cfg.Now, cfg.Log).AddStaff(ctx, in.Email, in.Name, accounts.Role(in.Role), line)
	if err == nil {
		fmt.Printf("%s, %s, is %s and may sign in.\n", p.Name, p.Email, p.Role)
	}
	return err
}

// psql becomes psql, with the terminal as it is.
func psql(dsn string) error {
	if dsn == "" {
		return errors.New("no server runs on this data: start it, or set DATABASE_URL")
	}
	path, err := exec.LookPath("psql")
	if err != nil {
		return fmt.Errorf("psql is not installed; the database is %s", dsn)
	}
	return syscall.Exec(path, []string{"psql", dsn}, os.Environ())
}
