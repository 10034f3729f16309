package server

import (
	"net/http"
	"testing"
	"time"
)

// BenchmarkRequestMetrics is what metrics add to each request.
func BenchmarkRequestMetrics(b *testing.B) {
	s := &Server{metrics: newMetrics()}
	one := &call{operation: &operation{requests: s.metrics.ofRequests("x", []int{http.StatusOK, http.StatusBadRequest}, false)}}
	b.ReportAllocs()
	for b.Loop() {
		one.operation.requests.inFlight.Inc()
		s.countRequest(one, http.StatusOK, 37*time.Microsecond)
		one.operation.requests.inFlight.Dec()
	}
}
