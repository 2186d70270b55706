package faults

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"chatnow/internal/postgres"
)

// Config is what a run needs to know.
type Config struct {
	Seed                 uint64
	Faults               int
	For                  time.Duration // no new fault after this
	Nodes                int
	Customers, Champions int
	Pace                 time.Duration // between two messages of one customer, on average
	Chatnow              string        // the server's program
	Self                 string        // a program whose command "nats PORT" is a NATS
	Dir                  string        // for databases, ledger and logs; others can enter it
	Out                  io.Writer
}

// backWithin bounds how long after a fault's end somebody may wait for an answer.
const backWithin = 30 * time.Second

// ErrBroken says that something did not hold; the report says what.
var ErrBroken = errors.New("an invariant is broken")

// A suffered fault is one that happened, and what came of it.
type suffered struct {
	Fault
	At     time.Duration // since the load began
	Back   time.Duration // from its end until every customer was answered again
	Waited time.Duration // the longest that anybody waited for an answer meanwhile
}

// A run is the installation and everybody in it.
type run struct {
	cfg       Config
	w         *world
	led       *ledger
	boss      string // cookie
	customers []*customer
	champions []*champion
	names     []string
	verdicts  []*verdict
	suffered  []suffered
	begun     time.Time
}

// Run breaks things until the plan or the time is at its end, and reports. It ends whatever it started.
func Run(ctx context.Context, cfg Config) (report *Report, err error) {
	r := &run{cfg: cfg, verdicts: newVerdicts()}
	if r.led, err = openLedger(filepath.Join(cfg.Dir, "ledger.jsonl")); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.led.close()) }()
	r.w, err = newWorld(ctx, cfg.Dir, cfg.Chatnow, cfg.Self, cfg.Nodes)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.w.close()) }()
	if err := r.people(ctx); err != nil {
		return nil, err
	}
	r.begun = time.Now()
	if err := r.load(ctx); err != nil {
		return nil, err
	}
	if err := r.judge(ctx); err != nil {
		return nil, err
	}
	return r.report(), nil
}

// people makes the staff, opens the hours and names everybody.
func (r *run) people(ctx context.Context) error {
	if err := r.w.champion(ctx, "boss@example.com", "Boss", "admin"); err != nil {
		return err
	}
	boss, err := r.w.signIn(ctx, "boss@example.com")
	if err != nil {
		return err
	}
	r.boss = boss
	if err := r.w.alwaysOpen(ctx, boss); err != nil {
		return err
	}
	for i := range r.cfg.Champions {
		name := fmt.Sprintf("champion%d", i)
		if err := r.w.champion(ctx, name+"@example.com", name, "champion"); err != nil {
			return err
		}
		cookie, err := r.w.signIn(ctx, name+"@example.com")
		if err != nil {
			return err
		}
		r.champions = append(r.champions, newChampion(r.w, r.led, name, cookie, rand.New(rand.NewPCG(r.cfg.Seed, uint64(1000+i))), i, r.cfg.Pace/4))
	}
	for i := range r.cfg.Customers {
		name := fmt.Sprintf("customer%d", i)
		r.names = append(r.names, name)
		r.customers = append(r.customers, &customer{w: r.w, led: r.led, name: name, random: rand.New(rand.NewPCG(r.cfg.Seed, uint64(i+1))), at: i, pace: r.cfg.Pace, length: 200})
	}
	return nil
}

// load lets everybody talk while the plan is carried out, and a while longer.
func (r *run) load(ctx context.Context) (err error) {
	work, stop := context.WithCancel(ctx)
	defer stop()
	listen, hangUp := context.WithCancel(ctx)
	defer hangUp()
	var all sync.WaitGroup
	for _, c := range r.champions {
		all.Go(func() { c.run(listen) })
	}
	if err := r.onDuty(ctx); err != nil {
		hangUp()
		all.Wait()
		return err
	}
	for _, c := range r.customers {
		all.Go(func() { c.run(listen) })
	}
	if _, everybody := r.back(work, time.Now()); !everybody {
		err = errors.New("not every customer was answered before the first fault")
	}
	if err == nil {
		err = r.carryOut(work)
	}
	r.quiet()
	r.settle(ctx)
	hangUp()
	all.Wait()
	return err
}

// carryOut goes through the plan.
func (r *run) carryOut(ctx context.Context) error {
	for i, f := range Plan(r.cfg.Seed, r.cfg.Faults, r.cfg.Nodes) {
		if time.Since(r.begun) > r.cfg.For || !wait(ctx, f.Pause) {
			break
		}
		at := time.Now()
		if err := r.w.inflict(ctx, f); err != nil {
			return fmt.Errorf("fault %d, %s: %w", i+1, f.Kind, err)
		}
		healed := time.Now()
		back, everybody := r.back(ctx, healed)
		s := suffered{Fault: f, At: at.Sub(r.begun), Back: back, Waited: r.led.longest(at)}
		r.suffered = append(r.suffered, s)
		fmt.Fprintf(r.cfg.Out, "%3d  %-32s node %d  for %-6s  all back after %-6s  longest answer %s\n", i+1, f.Kind, f.Node,
			healed.Sub(at).Round(10*time.Millisecond), back.Round(10*time.Millisecond), s.Waited.Round(10*time.Millisecond))
		if !everybody {
			return fmt.Errorf("fault %d, %s: not every customer was answered within %s of its end", i+1, f.Kind, backWithin)
		}
		for _, d := range r.w.nodes {
			if !d.p.running() {
				return fmt.Errorf("fault %d, %s: server %d has ended by itself: %w: %s", i+1, f.Kind, d.n, d.p.err, d.said())
			}
		}
	}
	return nil
}

// back waits until every customer was answered after t.
func (r *run) back(ctx context.Context, t time.Time) (time.Duration, bool) {
	for time.Since(t) < backWithin && ctx.Err() == nil {
		if r.led.since(t, r.names) == len(r.names) {
			return time.Since(t), true
		}
		wait(ctx, 20*time.Millisecond)
	}
	return time.Since(t), false
}

// onDuty waits until chats may begin.
func (r *run) onDuty(ctx context.Context) error {
	for end := time.Now().Add(backWithin); time.Now().Before(end); wait(ctx, 50*time.Millisecond) {
		var a struct{ Chat string }
		code, _, err := r.w.ask(ctx, 0, http.MethodGet, "/api/v1/availability", credentials{}, nil, &a)
		if err == nil && code == http.StatusOK && a.Chat == "available" {
			return nil
		}
	}
	return errors.New("no champion came on duty")
}

// quiet ends the sending; everybody goes on listening.
func (r *run) quiet() {
	r.led.mu.Lock()
	r.led.shut = true
	r.led.mu.Unlock()
}

// settle waits until what was sent has been shown to whoever listens, for as long as that may take.
func (r *run) settle(ctx context.Context) {
	for end := time.Now().Add(backWithin); time.Now().Before(end) && ctx.Err() == nil; wait(ctx, 100*time.Millisecond) {
		if r.settled(ctx) {
			return
		}
	}
}

func (r *run) settled(ctx context.Context) bool {
	var rows []struct {
		ID  string
		Seq int64
	}
	if r.w.db.SelectContext(ctx, &rows, `SELECT id, seq FROM chats`) != nil {
		return false
	}
	head := map[string]int64{}
	for _, c := range rows {
		head[c.ID] = c.Seq
	}
	for _, c := range r.customers {
		if !c.caughtUp(head) {
			return false
		}
	}
	for _, c := range r.champions {
		if !c.caughtUp(head) {
			return false
		}
	}
	return r.led.pending() == 0
}

// judge reads everything back and holds it against the ledger.
func (r *run) judge(ctx context.Context) error {
	var talks []*talk
	for _, c := range r.customers {
		talks = append(talks, c.talks...)
	}
	read, err := r.w.readBack(ctx, talks, r.boss)
	if err != nil {
		return err
	}
	judge(r.verdicts, r.led.ops, talks, read)
	judgeLive(r.verdicts, r.customers, r.champions, read["SQL"])
	for i, t := range talks { // a token opens its own chat alone
		other := talks[(i+1)%len(talks)]
		if other == t {
			continue
		}
		code, _, err := r.w.ask(ctx, i, http.MethodGet, "/api/v1/chats/"+other.id+"/messages", credentials{token: t.token}, nil, nil)
		if err != nil {
			return err
		}
		if code != http.StatusNotFound {
			r.verdicts[i8].broke("the token of chat %s reads chat %s: %d", t.id, other.id, code)
		}
	}
	if err := r.w.judgeRest(ctx, r.verdicts, r.led); err != nil {
		return postgres.Kind(ctx, err)
	}
	return nil
}
