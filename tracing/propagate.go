package tracing

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// w3c is the only form of context that is read and written (W3C Trace Context).
// Baggage is neither: it may hold whatever somebody has put there.
var w3c = propagation.TraceContext{}

// newTraceID makes a random one.
func newTraceID() (id trace.TraceID, err error) {
	_, err = rand.Read(id[:])
	return id, err
}

// Extract gives a context with the caller's span, if the header names one.
func Extract(ctx context.Context, header http.Header) context.Context {
	return w3c.Extract(ctx, propagation.HeaderCarrier(header))
}

// TraceID is the id of the trace that ctx belongs to, "" for none.
func TraceID(ctx context.Context) string {
	if span := trace.SpanContextFromContext(ctx); span.HasTraceID() {
		return span.TraceID().String()
	}
	return ""
}

// Transport makes a span of each request within one that is recorded, and tells the
// server that is called of it.
func (t *Tracing) Transport(next http.RoundTripper) http.RoundTripper {
	return &transport{tracer: t.Tracer, next: next}
}

type transport struct {
	tracer trace.Tracer
	next   http.RoundTripper
}

// RoundTrip is http.RoundTripper's. Paths and queries stay out of the span: they may
// name people's files.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if !trace.SpanFromContext(r.Context()).IsRecording() {
		return t.next.RoundTrip(r)
	}
	ctx, span := t.tracer.Start(r.Context(), r.Method, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("http.request.method", r.Method), attribute.String("server.address", r.URL.Hostname()),
	))
	defer span.End()
	r = r.Clone(ctx)
	w3c.Inject(ctx, propagation.HeaderCarrier(r.Header))
	response, err := t.next.RoundTrip(r)
	if err != nil {
		span.SetStatus(codes.Error, "no answer")
		return response, err
	}
	span.SetAttributes(attribute.Int("http.response.status_code", response.StatusCode))
	if response.StatusCode >= http.StatusBadRequest {
		span.SetStatus(codes.Error, "")
	}
	return response, nil
}

// handler adds the trace to what is logged within one.
type handler struct{ slog.Handler }

// NewHandler gives a log handler that adds trace_id to each line that is written
// within a trace.
func NewHandler(next slog.Handler) slog.Handler { return handler{next} }

// Handle is slog.Handler's.
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	if id := TraceID(ctx); id != "" {
		r.AddAttrs(slog.String("trace_id", id))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs is slog.Handler's.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs)}
}

// WithGroup is slog.Handler's.
func (h handler) WithGroup(name string) slog.Handler { return handler{h.Handler.WithGroup(name)} }
