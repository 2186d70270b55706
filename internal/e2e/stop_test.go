package e2e

import (
	"net"
	"testing"
	"time"

	"chatnow/internal/pgtest"
)

// Browsers open connections in advance. A server that ends does not wait for what was never asked on them.
func TestTheEndDoesNotWaitForUnusedConnections(t *testing.T) {
	s := serve(t, pgtest.URL(t))
	c, err := net.Dial("tcp", s.cfg.Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got, _ := ask(t, "GET", "http://"+s.cfg.Listen+"/healthz", ""); got != 200 { // by now the server has taken the other one
		t.Fatal(got)
	}
	begun := time.Now()
	s.stop()
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("the end took %s", took)
	}
}
