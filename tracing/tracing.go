// Package tracing sends spans to an OpenTelemetry collector. Where nothing asks for
// it, nothing of it is there: no tracer, no context value, no goroutine.
//
// Spans name what was done and how it went, in words of this program: operations,
// queries, kinds of jobs. What people send, are called or own is never in one.
package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// scope is what spans are said to be made by.
const scope = "github.com/accord-api/accord"

// Config says where spans go and which. Endpoint and Log are required.
type Config struct {
	// Endpoint is the base URL of a collector that takes OTLP over HTTP; /v1/traces is
	// added, as the specification has it for OTEL_EXPORTER_OTLP_ENDPOINT.
	Endpoint string
	// Headers are sent with each export: name=value, separated by commas, both
	// percent-encoded.
	Headers string
	// Ratio is the share of traces that is kept, of those that begin here: 0 to 1.
	Ratio float64
	// Service, Version and Environment say whose the spans are.
	Service, Version, Environment string
	// Delay is how long spans are gathered; 0 means the SDK's, 5 s.
	Delay time.Duration
	// Log is told when the collector takes no spans, and when it does again.
	Log *slog.Logger
}

// Tracing makes spans and sends them.
type Tracing struct {
	// Tracer makes spans.
	trace.Tracer
	provider *sdk.TracerProvider
}

// CheckHeaders tells whether Config.Headers can be read. The error does not quote it.
func CheckHeaders(headers string) error {
	_, err := parseHeaders(headers)
	return err
}

func parseHeaders(text string) (map[string]string, error) {
	headers := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		name, nameErr := url.PathUnescape(strings.TrimSpace(name))
		value, valueErr := url.PathUnescape(strings.TrimSpace(value))
		if !ok || name == "" || nameErr != nil || valueErr != nil {
			return nil, errors.New("it must be name=value, separated by commas")
		}
		headers[name] = value
	}
	return headers, nil
}

// New prepares the sending of spans; nothing is sent before there are any. What else
// the specification calls OTEL_* (certificates, timeouts, batches, attributes of the
// resource) the SDK reads from the environment of the process.
func New(ctx context.Context, c Config) (*Tracing, error) {
	headers, err := parseHeaders(c.Headers)
	if err != nil {
		return nil, fmt.Errorf("reading the headers of exports: %w", err)
	}
	options := []otlptracehttp.Option{otlptracehttp.WithEndpointURL(strings.TrimSuffix(c.Endpoint, "/") + "/v1/traces")}
	if len(headers) > 0 {
		options = append(options, otlptracehttp.WithHeaders(headers))
	}
	inner, err := otlptracehttp.New(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("preparing the export of traces: %w", err)
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithFromEnv(), resource.WithAttributes(
		attribute.String("service.name", c.Service), attribute.String("service.version", c.Version),
		attribute.String("deployment.environment.name", c.Environment),
	))
	if err != nil {
		return nil, fmt.Errorf("reading the attributes of traces: %w", err)
	}
	var batching []sdk.BatchSpanProcessorOption
	if c.Delay > 0 {
		batching = append(batching, sdk.WithBatchTimeout(c.Delay))
	}
	provider := sdk.NewTracerProvider(
		sdk.WithBatcher(&exporter{SpanExporter: inner, log: c.Log}, batching...),
		sdk.WithSampler(newSampler(c.Ratio)), sdk.WithResource(about),
	)
	return &Tracing{Tracer: provider.Tracer(scope), provider: provider}, nil
}

// Close sends what there is left, as long as ctx lets it.
func (t *Tracing) Close(ctx context.Context) error {
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("sending the last spans: %w", err)
	}
	return nil
}

// exporter tells the log of an outage once, instead of the process's standard error
// each time.
type exporter struct {
	sdk.SpanExporter
	log     *slog.Logger
	failing atomic.Bool
}

// ExportSpans sends spans. What is not taken is lost, which is no error to anybody.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	switch {
	case err != nil && !e.failing.Swap(true):
		e.log.WarnContext(ctx, "traces are not taken: spans are lost until they are", "error", err)
	case err == nil && e.failing.Swap(false):
		e.log.InfoContext(ctx, "traces are taken again")
	}
	return nil
}
