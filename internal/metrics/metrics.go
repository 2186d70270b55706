// Package metrics answers "is it well, and what is it waiting for?" for Prometheus, on an address of its
// own. No label names a chat, a ticket or a person.
package metrics

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Set is what one node counts.
type Set struct {
	reg      *prometheus.Registry
	requests *prometheus.HistogramVec
	commits  prometheus.Histogram
	batches  prometheus.Histogram
}

// New makes a set. sockets tells how many of each kind are open.
func New(db *sqlx.DB, log *slog.Logger, sockets func() map[string]int) *Set {
	s := &Set{
		reg: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "chatnow_http_request_seconds", Help: "Requests by route and status.",
			Buckets: []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}}, []string{"method", "route", "status"}),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "chatnow_log_commit_seconds", Help: "Time of one commit of the chat log.",
			Buckets: prometheus.ExponentialBuckets(.0005, 2, 14)}),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "chatnow_log_batch_messages", Help: "Messages in one commit of the chat log.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 10)}),
	}
	s.reg.MustRegister(s.requests, s.commits, s.batches, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewDBStatsCollector(db.DB, "chatnow"), &open{sockets}, &work{db: db, log: log})
	return s
}

// Request counts an answered request.
func (s *Set) Request(method, route string, status int, took time.Duration) {
	s.requests.WithLabelValues(method, route, strconv.Itoa(status)).Observe(took.Seconds())
}

// Commit counts a commit of the chat log.
func (s *Set) Commit(messages int, took time.Duration) {
	s.batches.Observe(float64(messages))
	s.commits.Observe(took.Seconds())
}

// Serve answers /metrics and /debug/pprof on l until ctx ends.
func (s *Set) Serve(ctx context.Context, l net.Listener) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.reg, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() }) // a scrape that is cut is asked again
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// open counts sockets when it is asked.
type open struct{ sockets func() map[string]int }

var openDesc = prometheus.NewDesc("chatnow_sockets", "Open sockets of this node.", []string{"kind"}, nil)

func (o *open) Describe(ch chan<- *prometheus.Desc) { ch <- openDesc }

func (o *open) Collect(ch chan<- prometheus.Metric) {
	for kind, n := range o.sockets() {
		ch <- prometheus.MustNewConstMetric(openDesc, prometheus.GaugeValue, float64(n), kind)
	}
}

// work counts in the database what waits, for all nodes alike.
type work struct {
	db  *sqlx.DB
	log *slog.Logger
}

var (
	workDesc  = prometheus.NewDesc("chatnow_waiting", "What waits, on all nodes together.", []string{"what"}, nil)
	delayDesc = prometheus.NewDesc("chatnow_oldest_seconds", "For how long the oldest of it has been due.", []string{"what"}, nil)
	upDesc    = prometheus.NewDesc("chatnow_database_up", "Whether the database answers.", nil, nil)
)

func (w *work) Describe(ch chan<- *prometheus.Desc) {
	ch <- workDesc
	ch <- delayDesc
	ch <- upDesc
}

const waiting = `
	SELECT 'chats' AS what, count(*) AS n, COALESCE(extract(epoch FROM now() - min(waiting_since)), 0) AS oldest FROM chats WHERE state = 'queued'
	UNION ALL SELECT 'mails', count(*), COALESCE(GREATEST(extract(epoch FROM now() - min(next_at)), 0), 0) FROM outbox WHERE state = 'waiting'
	UNION ALL SELECT 'mails_failed', count(*), 0 FROM outbox WHERE state = 'failed'
	UNION ALL SELECT 'tickets_open', count(*), 0 FROM tickets WHERE status = 'open'
	UNION ALL SELECT 'tickets_late', count(*), COALESCE(extract(epoch FROM now() - min(update_due_at)), 0) FROM tickets WHERE status = 'open' AND update_due_at < now()
	UNION ALL SELECT 'timers', count(*), COALESCE(extract(epoch FROM now() - min(wake_at)), 0) FROM tickets WHERE wake_at < now()
	UNION ALL SELECT 'escalations', count(*), COALESCE(extract(epoch FROM now() - min(created_at)), 0) FROM escalations WHERE state = 'open'`

func (w *work) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	var rows []struct {
		What   string  `db:"what"`
		N      float64 `db:"n"`
		Oldest float64 `db:"oldest"`
	}
	up := 1.0
	if err := w.db.SelectContext(ctx, &rows, waiting); err != nil {
		w.log.Warn("count what waits", "err", err)
		up = 0
	}
	ch <- prometheus.MustNewConstMetric(upDesc, prometheus.GaugeValue, up)
	for _, r := range rows {
		ch <- prometheus.MustNewConstMetric(workDesc, prometheus.GaugeValue, r.N, r.What)
		ch <- prometheus.MustNewConstMetric(delayDesc, prometheus.GaugeValue, r.Oldest, r.What)
	}
}
