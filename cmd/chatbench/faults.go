package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"chatnow/internal/faults"
)

// breakThings is "chatbench faults": an installation of its own, under load, broken by a plan.
func breakThings(args []string) (err error) {
	set := flag.NewFlagSet("faults", flag.ExitOnError)
	cfg := faults.Config{Out: os.Stdout}
	set.Uint64Var(&cfg.Seed, "seed", 1, "the same seed gives the same plan of faults")
	set.IntVar(&cfg.Faults, "faults", 17, "how many, up to 1000; 17 are one of each kind")
	set.DurationVar(&cfg.For, "for", 30*time.Minute, "no new fault after this, up to 2 hours")
	set.IntVar(&cfg.Nodes, "nodes", 2, "servers on one database, 1 to 4")
	set.IntVar(&cfg.Customers, "customers", 24, "customers at once, up to 150")
	set.IntVar(&cfg.Champions, "champions", 4, "champions, up to 10")
	set.DurationVar(&cfg.Pace, "pace", 200*time.Millisecond, "between two messages of one customer, on average")
	set.StringVar(&cfg.Chatnow, "chatnow", "", "the server's program; without it, it is built")
	path := set.String("report", "", "file for the report; it is also printed")
	keep := set.String("dir", "", "folder for databases, ledger and logs, to be kept; without it, they go at the end unless something broke")
	if err := set.Parse(args); err != nil {
		return err
	}
	if cfg.Faults < 1 || cfg.Faults > 1000 || cfg.For > 2*time.Hour || cfg.Nodes < 1 || cfg.Nodes > 4 || cfg.Customers < 1 || cfg.Customers > 150 ||
		cfg.Champions < 1 || cfg.Champions > 10 || cfg.Pace < time.Millisecond {
		return errors.New("1 to 1000 faults within 2 hours, on 1 to 4 servers, with 1 to 150 customers and 1 to 10 champions")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if cfg.Self, err = os.Executable(); err != nil {
		return err
	}
	if cfg.Dir = *keep; cfg.Dir == "" {
		if cfg.Dir, err = os.MkdirTemp("", "chatnow-faults-"); err != nil {
			return err
		}
		defer func() {
			if err == nil {
				err = os.RemoveAll(cfg.Dir)
				return
			}
			fmt.Fprintln(os.Stderr, "ledger and logs are kept in", cfg.Dir)
		}()
	}
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return err
	}
	if err := os.Chmod(cfg.Dir, 0o755); err != nil { // PostgreSQL's own account must enter
		return err
	}
	if cfg.Chatnow == "" {
		cfg.Chatnow = filepath.Join(cfg.Dir, "chatnow")
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", cfg.Chatnow, "chatnow/cmd/chatnow").CombinedOutput(); err != nil {
			return fmt.Errorf("build the server: %w\n%s", err, out)
		}
	}
	report, err := faults.Run(ctx, cfg)
	if report == nil {
		return err
	}
	return errors.Join(err, tell(report, *path))
}

// tell prints the report and writes it to a file where one is named.
func tell(report *faults.Report, path string) error {
	var out io.Writer = os.Stdout
	if path != "" {
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		defer f.Close()
		out = io.MultiWriter(out, f)
	}
	report.Write(out)
	return report.Err()
}

// serveNATS is "chatbench nats PORT": a NATS that can be killed, until it is.
func serveNATS(args []string) error {
	if len(args) != 1 {
		return errors.New("nats: name a port")
	}
	port, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, NoSigs: true, NoLog: true})
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s.Start()
	<-ctx.Done()
	s.Shutdown()
	s.WaitForShutdown()
	return nil
}
