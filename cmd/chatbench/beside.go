package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	benchEmail    = "bench@example.com"
	benchPassword = "a long password for load"
)

// A subject is a program under load.
type subject struct {
	name, base string
	cmd        *exec.Cmd
}

// sideBySide drives the product and the floor in turn, and prints the medians of the rounds.
func sideBySide(ctx context.Context, length time.Duration, rounds int) (err error) {
	dir, err := os.MkdirTemp("", "chatbench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o755); err != nil { // as root, PostgreSQL runs under another account
		return err
	}
	product, err := startProduct(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, product.stop()) }()
	floor, err := start(ctx, dir, "floor", "./cmd/chatbench/floor", nil, func(listen, data string) []string {
		return []string{"-listen", listen, "-data", data}
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, floor.stop()) }()
	fmt.Printf("| load | program | messages/s | ack p50 | ack p99 | delivery p50 | delivery p99 |\n| --- | --- | ---: | ---: | ---: | ---: | ---: |\n")
	for _, load := range []struct {
		chats int
		rate  float64
	}{{1, 0}, {16, 0}, {64, 0}, {256, 0}, {64, 1000}} {
		results := map[*subject][]result{}
		for range rounds {
			for _, s := range []*subject{product, floor} {
				b := bench{base: s.base, email: benchEmail, password: benchPassword, chats: load.chats, rate: load.rate, length: length}
				r, err := b.run(ctx)
				if err != nil {
					return fmt.Errorf("%s at %d chats: %w", s.name, load.chats, err)
				}
				if r.Errors > 0 {
					return fmt.Errorf("%s at %d chats: %d errors", s.name, load.chats, r.Errors)
				}
				results[s] = append(results[s], r)
			}
		}
		what := fmt.Sprintf("%d chats", load.chats)
		if load.rate > 0 {
			what = fmt.Sprintf("%.0f/s over %d chats", load.rate, load.chats)
		}
		p, f := medians(results[product]), medians(results[floor])
		row := func(name string, m [5]float64) {
			fmt.Printf("| %s | %s | %.0f | %.2f | %.1f | %.2f | %.1f |\n", what, name, m[0], m[1], m[2], m[3], m[4])
		}
		row("product", p)
		row("floor", f)
		fmt.Printf("| | product / floor | %.2f | %.2f | %.2f | %.2f | %.2f |\n", p[0]/f[0], p[1]/f[1], p[2]/f[2], p[3]/f[3], p[4]/f[4])
	}
	return nil
}

// medians of messages/s, ack p50 and p99, delivery p50 and p99.
func medians(rs []result) (out [5]float64) {
	for i, of := range []func(r result) float64{
		func(r result) float64 { return r.PerSecond },
		func(r result) float64 { return r.Ack.P50 }, func(r result) float64 { return r.Ack.P99 },
		func(r result) float64 { return r.Reach.P50 }, func(r result) float64 { return r.Reach.P99 },
	} {
		var all []float64
		for _, r := range rs {
			all = append(all, of(r))
		}
		slices.Sort(all)
		out[i] = all[len(all)/2]
	}
	return out
}

// start builds a program and runs it on a free port with a folder of its own.
func start(ctx context.Context, dir, name, source string, env []string, args func(listen, data string) []string) (*subject, error) {
	bin, data := filepath.Join(dir, name), filepath.Join(dir, name+"-data")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", bin, source).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build %s: %w\n%s", source, err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	listen := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, err
	}
	var said bytes.Buffer
	cmd := exec.Command(bin, args(listen, data)...)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), env...), &said, &said
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &subject{name, "http://" + listen, cmd}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if res, err := http.Get(s.base + "/readyz"); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return s, nil
			}
		}
	}
	return nil, errors.Join(fmt.Errorf("%s is not ready after a minute: %s", name, said.String()), s.stop())
}

// stop ends a program in order.
func (s *subject) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- s.cmd.Wait() }()
	select {
	case err := <-done:
		return err
	case <-time.After(20 * time.Second):
		return errors.Join(errors.New(s.name+" did not end within 20 s"), s.cmd.Process.Kill())
	}
}

// startProduct starts the server as an operator would, with a champion, and open day and night.
func startProduct(ctx context.Context, dir string) (*subject, error) {
	s, err := start(ctx, dir, "chatnow", "./cmd/chatnow", []string{"DATABASE_URL=", "CHATNOW_RATE_LIMITS=off"}, func(listen, data string) []string {
		return []string{"serve", "--listen", listen, "--data", data}
	})
	if err != nil {
		return nil, err
	}
	add := exec.CommandContext(ctx, s.cmd.Path, "champion", "add", "--data", filepath.Join(dir, "chatnow-data"), "--email", benchEmail, "--name", "Bench", "--role", "admin", "--password-stdin")
	add.Stdin = strings.NewReader(benchPassword + "\n")
	if out, err := add.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("add a champion: %w\n%s", err, out), s.stop())
	}
	if err := s.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("open chat: %w", err), s.stop())
	}
	return s, nil
}

// open has chat open at any hour.
func (s *subject) open() error {
	b := bench{base: s.base}
	res, err := b.post("/api/v1/session", "", map[string]string{"email": benchEmail, "password": benchPassword}, &struct{}{})
	if err != nil {
		return err
	}
	cookie := res.Cookies()[0].Name + "=" + res.Cookies()[0].Value
	do := func(method string, body []byte, out any) error {
		req, err := http.NewRequest(method, s.base+"/api/v1/settings", bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Cookie", cookie)
		req.Header.Set("Origin", s.base)
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("%s /settings answers %s", method, res.Status)
		}
		return json.NewDecoder(res.Body).Decode(out)
	}
	var doc map[string]any
	if err := do(http.MethodGet, nil, &doc); err != nil {
		return err
	}
	week := map[string]any{}
	for _, day := range []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} {
		week[day] = [][2]string{{"00:00", "24:00"}}
	}
	doc["hours"], doc["holidays"] = week, []any{}
	raw, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	return do(http.MethodPut, raw, &doc)
}
