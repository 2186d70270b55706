// Command chatbench drives the real protocol against a running server on this
// machine: so many chats at once, a customer and a champion in each, both
// directions. It prints durable delivered messages a second and the latencies, and
// checks afterwards that everything acknowledged can be read back once and in
// order; if not, it fails.
//
// With -beside it starts the product and the floor itself (the smallest program
// that does the same, cmd/chatbench/floor), each with a PostgreSQL of its own, and
// drives them in turn: figures of one machine on one day, side by side.
//
// chatbench faults breaks a whole installation by a plan, under load, and holds what it acknowledged against four
// readings of it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if err := command(); err != nil {
		fmt.Fprintln(os.Stderr, "chatbench:", err)
		os.Exit(1)
	}
}

func command() error {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "faults":
			return breakThings(os.Args[2:])
		case "nats":
			return serveNATS(os.Args[2:])
		}
	}
	return load()
}

func load() error {
	var b bench
	flag.StringVar(&b.base, "url", "http://127.0.0.1:8080", "server, with CHATNOW_RATE_LIMITS=off, open and on loopback")
	flag.StringVar(&b.email, "email", "", "a champion's e-mail address")
	flag.StringVar(&b.password, "password", "", "the champion's password")
	flag.IntVar(&b.chats, "chats", 64, "chats at once, up to 256")
	flag.Float64Var(&b.rate, "rate", 0, "messages a second in all (open loop); 0: each side sends as soon as it has its ack (closed loop)")
	flag.DurationVar(&b.length, "for", 10*time.Second, "how long, up to 10 minutes")
	beside := flag.Bool("beside", false, "start the product and the floor, and drive them in turn at 1, 16, 64, 256 chats and at 1,000 messages/s")
	rounds := flag.Int("rounds", 3, "with -beside: how often each")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if *beside {
		return sideBySide(ctx, b.length, min(*rounds, 20))
	}
	r, err := b.run(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%s\nverified: all %d acknowledged messages are there once and in order\n", r, r.Acked)
	return nil
}
