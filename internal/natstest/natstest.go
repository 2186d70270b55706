// Package natstest runs a real NATS in the test's own process.
package natstest

import (
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Server is a NATS that can be ended and begun again at the same address.
type Server struct {
	t    *testing.T
	nats *server.Server
}

// Start runs a server until the test ends.
func Start(t *testing.T) *Server {
	s := &Server{t: t}
	s.start(server.RANDOM_PORT)
	return s
}

func (s *Server) start(port int) {
	s.t.Helper()
	n, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, NoLog: true, NoSigs: true})
	if err != nil {
		s.t.Fatal(err)
	}
	n.Start()
	if !n.ReadyForConnections(5 * time.Second) {
		s.t.Fatal("NATS does not start")
	}
	s.t.Cleanup(func() { n.Shutdown(); n.WaitForShutdown() })
	s.nats = n
}

// URL is where clients connect.
func (s *Server) URL() string { return s.nats.ClientURL() }

// Stop ends the server.
func (s *Server) Stop() {
	s.nats.Shutdown()
	s.nats.WaitForShutdown()
}

// Again begins a stopped server at the same address.
func (s *Server) Again() {
	s.t.Helper()
	var port int
	if _, err := fmt.Sscanf(s.URL(), "nats://127.0.0.1:%d", &port); err != nil {
		s.t.Fatal(err)
	}
	s.start(port)
}
