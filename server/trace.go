package server

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/multitracer"
	"github.com/labstack/echo/v4"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/accord-api/accord/pg"
	"github.com/accord-api/accord/tracing"
)

// lastSpansTime is how long a stop waits for the collector.
const lastSpansTime = time.Second

// openTracing prepares traces, where a collector is named.
func (s *Server) openTracing(ctx context.Context, o Options) (err error) {
	if s.config.OTLPEndpoint == "" {
		return nil
	}
	s.tracing, err = tracing.New(ctx, tracing.Config{
		Endpoint: s.config.OTLPEndpoint, Headers: s.config.OTLPHeaders.Reveal(), Ratio: s.config.TracesRatio,
		Service: s.config.OTELServiceName, Version: thisProgram().version, Environment: string(s.config.Environment),
		Delay: o.TraceDelay, Log: s.log,
	})
	s.log = slog.New(tracing.NewHandler(s.log.Handler()))
	return err
}

// closeTracing sends the last spans. That a collector is away is in the log, and no
// reason to end with an error.
func (s *Server) closeTracing(ctx context.Context) error {
	if s.tracing == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lastSpansTime)
	defer cancel()
	if err := s.tracing.Close(ctx); err != nil {
		s.log.WarnContext(ctx, "the last spans are lost", "error", err)
	}
	return nil
}

// queryTracer is what observes queries: the given one, what development shows, traces,
// any of them together, or nothing.
func (s *Server) queryTracer(given pgx.QueryTracer) pgx.QueryTracer {
	var all []pgx.QueryTracer
	if given != nil {
		all = append(all, given)
	}
	if s.requests != nil {
		all = append(all, s.requests)
	}
	if s.tracing != nil {
		all = append(all, pg.NewTracer(s.tracing))
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return multitracer.New(all...)
}

// jobTracer is nil where nothing is traced.
func (s *Server) jobTracer() trace.Tracer {
	if s.tracing == nil {
		return nil
	}
	return s.tracing
}

// knownMethods are those that a span may be named by: a client can send any word.
var knownMethods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

// beginSpan begins the span of a request. It goes on with the trace of the caller if
// that is a proxy of ours, who alone is believed about who calls.
func (s *Server) beginSpan(c echo.Context, call *call) {
	if s.tracing == nil {
		return
	}
	r, method := c.Request(), c.Request().Method
	if !slices.Contains(knownMethods, method) {
		method = "_OTHER"
	}
	ctx := r.Context()
	if _, trusted := s.proxies.remote(r); trusted {
		ctx = tracing.Extract(ctx, r.Header)
	}
	ctx, call.span = s.tracing.Start(ctx, method, trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(call.start),
		trace.WithAttributes(attribute.String("http.request.method", method), attribute.String("accord.request_id", call.requestID)))
	c.SetRequest(r.WithContext(ctx))
}

// endSpan says which operation it was, and how it went. Who called, from where and
// with what is not in it; the log says so under the request id.
func endSpan(call *call, status int) {
	if call.span == nil {
		return
	}
	call.span.SetAttributes(attribute.Int("http.response.status_code", status))
	if o := call.operation; o != nil {
		call.span.SetName(o.policy.Method + " " + o.policy.Path)
		call.span.SetAttributes(attribute.String("http.route", o.policy.Path), attribute.String("accord.operation", o.policy.OperationID))
	}
	if p := call.problem; p != nil {
		call.span.SetAttributes(attribute.String("error.type", p.kind.Code))
		if p.kind.Status >= http.StatusInternalServerError {
			call.span.SetStatus(codes.Error, p.kind.Code)
		}
	}
	call.span.End()
}
