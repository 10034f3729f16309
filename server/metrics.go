package server

import (
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// MetricsPath is where the private listener serves the metrics to Prometheus.
const MetricsPath = "/metrics"

// metrics are one server's own, so that several in one process do not meet.
type metrics struct {
	registry *prometheus.Registry
	// deprecated counts calls by operation, role and client: of each there are few,
	// whatever is called. Which accounts they are is in the log, whose lines name
	// operation and user.
	deprecated *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		deprecated: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "accord_deprecated_calls_total",
			Help: "Calls of deprecated operations, refused ones included.",
		}, []string{"operation", "role", "client"}),
	}
	m.registry.MustRegister(m.deprecated,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
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
