package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/accord-api/accord/cache"
	"github.com/accord-api/accord/pg"
)

// backlogTimeout bounds what a scrape waits for the database.
const backlogTimeout = 2 * time.Second

// state is what the parts of a server count by themselves, and is read when Prometheus
// asks: it costs requests nothing.
type state struct {
	server *Server
	// certificateEnds is when the certificate ends that is served; zero without one.
	certificateEnds time.Time
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("accord_"+name, help, labels, nil)
}

var (
	poolConnections = desc("db_pool_connections", "Database connections by what they do.", "pool", "state")
	poolMax         = desc("db_pool_max_connections", "The most connections that a pool may have.", "pool")
	poolAcquires    = desc("db_pool_acquires_total", "Connections that were taken from the pool.", "pool")
	poolWaits       = desc("db_pool_waits_total", "Those that had to be waited for, or made.", "pool")
	poolWaitTime    = desc("db_pool_wait_seconds_total", "The time that was waited for them.", "pool")
	poolCanceled    = desc("db_pool_canceled_acquires_total", "Those that did not come in time.", "pool")

	databaseUp   = desc("database_up", "Whether the database has counted the jobs at this scrape, within 2 s; without it there are no accord_job_backlog metrics.")
	jobsWaiting  = desc("job_backlog_waiting", "Jobs in the database that are due and not yet begun; the same in all processes.", "kind")
	jobsOldest   = desc("job_backlog_oldest_seconds", "For how long the first of them has been due.", "kind")
	jobsRunning  = desc("job_backlog_running", "Jobs in the database that are at work in any process.", "kind")
	jobsRetrying = desc("job_backlog_retrying", "Jobs in the database that have failed and run again later.", "kind")

	cacheRequests = desc("cache_requests_total", "What was asked of a cache: hit in memory, shared hit in Redis, miss.", "cache", "result")
	cacheEntries  = desc("cache_entries", "What a cache holds in memory, about.", "cache")
	cacheBytes    = desc("cache_bytes", "The memory that it takes, about.", "cache")

	redisUp       = desc("redis_up", "Whether Redis has answered when it was last asked; absent without REDIS_URL.", "use")
	redisFailures = desc("redis_failures_total", "Calls that Redis has not answered; those that are spared while it fails are not among them.", "use")

	streamsOpen   = desc("streams_open", "Streams that are open.")
	hashesRunning = desc("password_hashes_running", "Password hashes that are made.")
	hashesWaiting = desc("password_hashes_waiting", "Password hashes that wait for their turn; 64 may.")
	listening     = desc("listening", "Whether changes of other instances are heard; while they are not, nothing is taken from the cache of answers.")
	certificate   = desc("tls_certificate_not_after_timestamp_seconds", "When the certificate of TLS_CERT_FILE ends that is served; absent without one.")
)

// wireState adds the state of all parts to the metrics.
func (s *Server) wireState(Options) error {
	st := &state{server: s}
	if s.config.TLS() {
		pair, err := tls.LoadX509KeyPair(s.config.TLSCertFile, s.config.TLSKeyFile)
		if err != nil {
			return fmt.Errorf("reading the certificate: %w", err)
		}
		leaf, err := x509.ParseCertificate(pair.Certificate[0])
		if err != nil {
			return fmt.Errorf("reading the certificate: %w", err)
		}
		st.certificateEnds = leaf.NotAfter
	}
	s.metrics.beginJobs(s.jobs.Kinds())
	return s.metrics.registry.Register(st)
}

// Describe is prometheus.Collector's. What is collected differs with the settings, and
// saying nothing here allows for that.
func (st *state) Describe(chan<- *prometheus.Desc) {}

// Collect is prometheus.Collector's.
func (st *state) Collect(into chan<- prometheus.Metric) {
	s := st.server
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		into <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	count := func(d *prometheus.Desc, value float64, labels ...string) {
		into <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, value, labels...)
	}
	collectPool(gauge, count, "requests", s.pool)
	collectPool(gauge, count, "direct", s.direct)
	st.collectJobs(gauge)

	hits, misses := s.sessions.hits.Load(), s.sessions.misses.Load()
	collectCache(gauge, count, "sessions", cache.Stats{Hits: hits, Misses: misses, Entries: s.sessions.known.EstimatedSize()})
	hits, misses, known := s.tokens.Remembered()
	collectCache(gauge, count, "tokens", cache.Stats{Hits: hits, Misses: misses, Entries: known})
	public, own := s.answers.public.Stats(), s.answers.own.Stats()
	collectCache(gauge, count, "answers", public)
	gauge(cacheBytes, float64(public.Bytes), "answers")
	collectCache(gauge, count, "own-answers", own)
	gauge(cacheBytes, float64(own.Bytes), "own-answers")

	if s.redis != nil {
		answers, failures := s.limits.Health()
		gauge(redisUp, oneIf(answers), "limits")
		count(redisFailures, float64(failures), "limits")
		gauge(redisUp, oneIf(public.Answers), "cache")
		count(redisFailures, float64(public.Failures), "cache")
	}
	gauge(streamsOpen, float64(s.streams.count()))
	running, waiting := s.hasher.Load()
	gauge(hashesRunning, float64(running))
	gauge(hashesWaiting, float64(waiting))
	if s.serves.Load() {
		gauge(listening, oneIf(s.hearsEverything()))
	}
	if !st.certificateEnds.IsZero() {
		gauge(certificate, float64(st.certificateEnds.Unix()))
	}
}

// sample is how one value is given to a scrape.
type sample func(d *prometheus.Desc, value float64, labels ...string)

func collectPool(gauge, count sample, name string, pool *pg.Pool) {
	stat := pool.Stat()
	gauge(poolConnections, float64(stat.AcquiredConns()), name, "acquired")
	gauge(poolConnections, float64(stat.IdleConns()), name, "idle")
	gauge(poolConnections, float64(stat.ConstructingConns()), name, "constructing")
	gauge(poolMax, float64(stat.MaxConns()), name)
	count(poolAcquires, float64(stat.AcquireCount()), name)
	count(poolWaits, float64(stat.EmptyAcquireCount()), name)
	count(poolWaitTime, stat.EmptyAcquireWaitTime().Seconds(), name)
	count(poolCanceled, float64(stat.CanceledAcquireCount()), name)
}

// collectJobs asks the database. Where it does not answer, the rest is told all the
// same: that is when it is needed.
func (st *state) collectJobs(gauge sample) {
	ctx, cancel := context.WithTimeout(context.Background(), backlogTimeout)
	defer cancel()
	backlog, err := st.server.jobs.Backlog(ctx)
	gauge(databaseUp, oneIf(err == nil))
	if err != nil {
		st.server.log.DebugContext(ctx, "counting the jobs for a scrape", "error", err)
		return
	}
	for _, kind := range st.server.jobs.Kinds() {
		b := backlog[kind]
		gauge(jobsWaiting, float64(b.Waiting), kind)
		gauge(jobsOldest, b.Oldest.Seconds(), kind)
		gauge(jobsRunning, float64(b.Running), kind)
		gauge(jobsRetrying, float64(b.Retrying), kind)
	}
}

func collectCache(gauge, count sample, name string, stats cache.Stats) {
	count(cacheRequests, float64(stats.Hits), name, "hit")
	count(cacheRequests, float64(stats.Misses), name, "miss")
	if stats.Shared {
		count(cacheRequests, float64(stats.SharedHits), name, "shared")
	}
	gauge(cacheEntries, float64(stats.Entries), name)
}

// oneIf is 1 for true.
func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
