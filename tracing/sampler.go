package tracing

import (
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/accord-api/accord/limit"
)

// maxRemote is how many requests a second are traced because a caller says so. Most
// proxies pass a client's traceparent on as it is, so that behind a trusted one may
// stand anybody, who would otherwise have as much traced as they like.
const maxRemote = 20

// sampler decides which traces are kept: in a trace that is kept, all that happens
// here; with a job, what enqueued it; beyond maxRemote, of what callers want traced
// no larger share than of all else.
type sampler struct {
	share  sdk.Sampler
	remote *limit.Window
}

func newSampler(ratio float64, opts ...limit.Option) *sampler {
	return &sampler{share: sdk.TraceIDRatioBased(ratio), remote: limit.NewWindow(maxRemote, time.Second, opts...)}
}

// ShouldSample is sdk.Sampler's.
func (s *sampler) ShouldSample(p sdk.SamplingParameters) sdk.SamplingResult {
	parent := trace.SpanContextFromContext(p.ParentContext)
	keep := sdk.SamplingResult{Decision: sdk.RecordAndSample, Tracestate: parent.TraceState()}
	drop := sdk.SamplingResult{Decision: sdk.Drop, Tracestate: parent.TraceState()}
	switch {
	case parent.IsValid() && !parent.IsSampled():
		return drop
	case parent.IsValid() && !parent.IsRemote():
		return keep
	case parent.IsValid() && s.remote.Take("").Allowed:
		return keep
	case parent.IsValid(): // whose trace id is the caller's choice, and decides nothing
		own, err := newTraceID()
		if err != nil {
			return drop
		}
		p.TraceID = own
	}
	for _, link := range p.Links {
		if link.SpanContext.IsSampled() {
			return keep
		}
	}
	return s.share.ShouldSample(p)
}

// Description is sdk.Sampler's.
func (s *sampler) Description() string { return "accord(" + s.share.Description() + ")" }
