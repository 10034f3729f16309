package jobs

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/riverqueue/river/rivertype"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// traceParent is the member of a job's metadata that says what has enqueued it, in
// the form of the W3C's header.
const traceParent = "traceparent"

// InsertMany notes with each job the span that enqueues it, if that is recorded.
func (o *observed) InsertMany(ctx context.Context, all []*rivertype.JobInsertParams, insert func(context.Context) ([]*rivertype.JobInsertResult, error)) ([]*rivertype.JobInsertResult, error) {
	if o.tracer == nil || !trace.SpanContextFromContext(ctx).IsSampled() {
		return insert(ctx)
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	for _, job := range all {
		metadata := map[string]any{}
		if len(job.Metadata) > 0 {
			if err := json.Unmarshal(job.Metadata, &metadata); err != nil {
				return nil, fmt.Errorf("reading the metadata of a %s job: %w", job.Kind, err)
			}
		}
		metadata[traceParent] = carrier[traceParent]
		var err error
		if job.Metadata, err = json.Marshal(metadata); err != nil {
			return nil, fmt.Errorf("writing the metadata of a %s job: %w", job.Kind, err)
		}
	}
	return insert(ctx)
}

// beginSpan begins the span of a job, in a trace of its own that is linked to what has
// enqueued it: that may be long past, and each try gets one.
func (o *observed) beginSpan(ctx context.Context, job *rivertype.JobRow) (context.Context, trace.Span) {
	var metadata map[string]any
	cause := context.Background()
	if json.Unmarshal(job.Metadata, &metadata) == nil { // else there is no link
		if parent, ok := metadata[traceParent].(string); ok {
			cause = propagation.TraceContext{}.Extract(cause, propagation.MapCarrier{traceParent: parent})
		}
	}
	options := []trace.SpanStartOption{
		trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
			attribute.String("accord.job.kind", job.Kind), attribute.String("accord.job.queue", job.Queue),
			attribute.Int64("accord.job.id", job.ID), attribute.Int("accord.job.attempt", job.Attempt),
		),
	}
	if span := trace.SpanContextFromContext(cause); span.IsValid() {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: span}))
	}
	return o.tracer.Start(ctx, "job "+job.Kind, options...)
}

// endSpan ends it. What has failed is in the log: errors of mails quote addresses.
func endSpan(span trace.Span, outcome Outcome) {
	span.SetAttributes(attribute.String("accord.job.outcome", string(outcome)))
	if outcome == Failed || outcome == Discarded || outcome == Cancelled {
		span.SetStatus(codes.Error, string(outcome))
	}
	span.End()
}
