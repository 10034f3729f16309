package server

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/accord-api/accord/jobs"
	"github.com/accord-api/accord/policy"
)

// MetricsPath is where the private listener serves the metrics to Prometheus.
const MetricsPath = "/metrics"

// unrouted is called operation what leads to none: pages, and paths that there
// are not.
const unrouted = "none"

// The buckets end where nobody waits any longer.
var (
	requestBuckets = []float64{.0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	jobBuckets     = []float64{.01, .05, .1, .5, 1, 5, 15, 60, 300, 1800}
)

// metrics are one server's own, so that several in one process do not meet. Whatever
// is a label has few values that are known at the start: nothing that a client sends
// is one.
type metrics struct {
	registry *prometheus.Registry
	// deprecated counts calls by operation, role and client: of each there are few,
	// whatever is called. Which accounts they are is in the log, whose lines name
	// operation and user.
	deprecated *prometheus.CounterVec
	requests   *prometheus.CounterVec
	durations  *prometheus.HistogramVec
	inFlight   *prometheus.GaugeVec
	problems   *prometheus.CounterVec
	limits     *prometheus.CounterVec
	jobs       *prometheus.CounterVec
	jobTimes   *prometheus.HistogramVec
	unrouted   *requestMetrics
}

func newMetrics() *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	}
	m := &metrics{
		registry:   prometheus.NewRegistry(),
		deprecated: counter("accord_deprecated_calls_total", "Calls of deprecated operations, refused ones included.", "operation", "role", "client"),
		requests: counter("accord_requests_total",
			"Requests that were answered, by the answer's status; one that broke after its first byte counts as what it broke of.", "operation", "status"),
		durations: histogram("accord_request_duration_seconds", "How long requests took, streams left out.", requestBuckets, "operation"),
		inFlight: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "accord_requests_in_flight", Help: "Requests that are being answered, streams included.",
		}, []string{"operation"}),
		problems: counter("accord_problems_total", "Requests that ended with a problem, by its code in the catalogue.", "operation", "problem"),
		limits: counter("accord_rate_limit_decisions_total",
			"What rate limits have decided; the operation anonymous is what failures of sign-in count for.", "operation", "by", "decision"),
		jobs:     counter("accord_jobs_total", "Runs of jobs in this process by how they ended.", "kind", "outcome"),
		jobTimes: histogram("accord_job_duration_seconds", "How long runs of jobs took in this process.", jobBuckets, "kind"),
	}
	m.registry.MustRegister(m.deprecated, m.requests, m.durations, m.inFlight, m.problems, m.limits, m.jobs, m.jobTimes, buildInfo(),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.unrouted = m.ofRequests(unrouted, []int{200, 204, 304, 404, 405, 421}, false)
	return m
}

// buildInfo says which program it is.
func buildInfo() prometheus.Collector {
	program := thisProgram()
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "accord_build_info", Help: "1, with the version of the contract, the revision of the source and that of Go.",
		ConstLabels: prometheus.Labels{"version": program.version, "revision": program.revision, "go_version": program.goVersion},
	}, func() float64 { return 1 })
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// requestMetrics are an operation's own, so that nothing is looked up for a request.
type requestMetrics struct {
	operation string
	statuses  map[int]prometheus.Counter
	other     prometheus.Counter
	duration  prometheus.Observer // nil for streams, which last as long as somebody listens
	inFlight  prometheus.Gauge
}

// ofRequests makes those of an operation that has these answers beside what goes
// wrong, from zero on: a counter that begins with its first failure shows no rise.
func (m *metrics) ofRequests(operation string, statuses []int, stream bool) *requestMetrics {
	r := &requestMetrics{
		operation: operation, statuses: map[int]prometheus.Counter{}, other: m.requests.WithLabelValues(operation, "other"),
		inFlight: m.inFlight.WithLabelValues(operation),
	}
	for _, status := range slices.Concat(statuses, []int{http.StatusInternalServerError, http.StatusServiceUnavailable, http.StatusGatewayTimeout}) {
		r.statuses[status] = m.requests.WithLabelValues(operation, strconv.Itoa(status))
	}
	if !stream {
		r.duration = m.durations.WithLabelValues(operation)
	}
	return r
}

// count takes down a request that has ended.
func (r *requestMetrics) count(status int, took time.Duration) {
	counter, declared := r.statuses[status]
	if !declared {
		counter = r.other
	}
	counter.Inc()
	if r.duration != nil {
		r.duration.Observe(took.Seconds())
	}
}

// countRequest takes down how a call has ended.
func (s *Server) countRequest(call *call, status int, took time.Duration) {
	of := s.metrics.unrouted
	if call.operation != nil {
		of = call.operation.requests
	}
	if call.problem != nil {
		s.metrics.problems.WithLabelValues(of.operation, call.problem.kind.Code).Inc()
		if call.broken {
			status = call.problem.kind.Status
		}
	}
	of.count(status, took)
}

// limitMetrics count what one limit decides.
type limitMetrics struct{ allowed, refused prometheus.Counter }

func (m *metrics) ofLimit(scope string, by policy.By) limitMetrics {
	of := func(decision string) prometheus.Counter { return m.limits.WithLabelValues(scope, string(by), decision) }
	return limitMetrics{allowed: of("allowed"), refused: of("refused")}
}

func (l limitMetrics) count(allowed bool) {
	if allowed {
		l.allowed.Inc()
	} else {
		l.refused.Inc()
	}
}

// beginJobs makes the counts of all kinds of jobs, from zero on.
func (m *metrics) beginJobs(kinds []string) {
	for _, kind := range kinds {
		m.jobTimes.WithLabelValues(kind)
		for _, outcome := range jobs.Outcomes() {
			m.jobs.WithLabelValues(kind, string(outcome))
		}
	}
}

// countJob is told of each run of a job.
func (m *metrics) countJob(kind string, outcome jobs.Outcome, took time.Duration) {
	m.jobs.WithLabelValues(kind, string(outcome)).Inc()
	m.jobTimes.WithLabelValues(kind).Observe(took.Seconds())
}

// countDeprecated counts a call of an operation that is to end.
func (o *operation) countDeprecated(call *call) {
	if o.policy.DeprecatedAfter.IsZero() && o.policy.Sunset.IsZero() {
		return
	}
	role := call.who.Role
	if role == "" {
		role = "none"
	}
	o.server.metrics.deprecated.WithLabelValues(o.policy.OperationID, role, clientFamily(call.userAgent)).Inc()
}

// clientFamilies are clients by the first product of their User-Agent, in lower
// case. Anybody can send any: what is not here counts as one.
var clientFamilies = map[string]string{
	"mozilla": "browser", "curl": "curl", "wget": "wget", "go-http-client": "go",
	"python": "python", "python-requests": "python", "python-httpx": "python", "python-urllib": "python",
	"node": "javascript", "undici": "javascript", "axios": "javascript", "deno": "javascript", "bun": "javascript",
	"java": "java", "java-http-client": "java", "okhttp": "java", "apache-httpclient": "java",
	"ruby": "ruby", "faraday": "ruby", "guzzlehttp": "php", "dart": "dart", "reqwest": "rust", "postmanruntime": "postman",
}

func clientFamily(userAgent string) string {
	if userAgent == "" {
		return "none"
	}
	product, _, _ := strings.Cut(userAgent, " ")
	product, _, _ = strings.Cut(product, "/")
	if family, known := clientFamilies[strings.ToLower(product)]; known {
		return family
	}
	return "other"
}
