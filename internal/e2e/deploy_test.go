package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"chatnow/internal/app"
	"chatnow/internal/pgtest"
)

// What the dashboard and the alerts ask for is what a server tells.
func TestEveryMetricOfTheDashboardIsThere(t *testing.T) {
	s := serve(t, pgtest.URL(t), func(cfg *app.Config) { cfg.MetricsListen = freeAddress(t) })
	ask(t, "GET", "http://"+s.cfg.Listen+"/api/v1/availability", "")
	_, told := ask(t, "GET", "http://"+s.cfg.MetricsListen+"/metrics", "")
	asked := 0
	for _, name := range []string{"grafana-dashboard.json", "prometheus-rules.yaml"} {
		raw, err := os.ReadFile(filepath.Join("../../docs/deploy", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, metric := range regexp.MustCompile(`\b(chatnow|go_sql|process)_[a-z_]+`).FindAllString(string(raw), -1) {
			asked++
			if !strings.Contains(told, "\n"+metric+"{") && !strings.Contains(told, "\n"+metric+" ") {
				t.Errorf("%s asks for %s, which nobody tells", name, metric)
			}
		}
		for _, what := range regexp.MustCompile(`what=~?\\"([a-z_|]+)\\"`).FindAllStringSubmatch(string(raw), -1) {
			for _, one := range strings.Split(what[1], "|") {
				if !strings.Contains(told, `what="`+one+`"`) {
					t.Errorf("%s asks for what=%s, which nobody tells", name, one)
				}
			}
		}
	}
	if asked < 20 {
		t.Errorf("only %d metrics are asked for", asked)
	}
}
