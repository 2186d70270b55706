package e2e

import (
	"strings"
	"testing"

	"chatnow/internal/app"
	"chatnow/internal/pgtest"
)

func TestMetricsTellWhatWaits(t *testing.T) {
	db := pgtest.URL(t)
	s := serve(t, db, func(cfg *app.Config) { cfg.MetricsListen = freeAddress(t) })
	o := &office{s, "http://" + s.cfg.Listen, ""}
	o.ticket("chris@example.com")
	status, said := ask(t, "GET", "http://"+s.cfg.MetricsListen+"/metrics", "")
	for _, line := range []string{
		`chatnow_waiting{what="tickets_open"} 1`, `chatnow_waiting{what="mails"} 1`, `chatnow_database_up 1`, `chatnow_sockets{kind="customer"} 0`,
		`chatnow_http_request_seconds_count{method="POST",route="/api/v1/tickets",status="201"} 1`, `go_goroutines`, `go_sql_open_connections{db_name="chatnow"}`,
	} {
		if !strings.Contains(said, line) {
			t.Errorf("no %s", line)
		}
	}
	if status != 200 || strings.Contains(said, "chris@") {
		t.Errorf("%d, or it names somebody", status)
	}
	if got, _ := ask(t, "GET", o.base+"/metrics", ""); got != 404 {
		t.Errorf("the customers' address answers /metrics: %d", got)
	}
}
