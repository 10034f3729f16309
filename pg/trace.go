package pg

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// waitShown is how long a connection has to be waited for to get a span.
const waitShown = time.Millisecond

// queryTracer makes a span of each query within a span that is recorded: River's own
// queries and those of start and stop are none's business.
type queryTracer struct{ tracer trace.Tracer }

// NewTracer gives what observes queries for OpenTelemetry, for Config.Tracer. A span
// has the name that the query has in queries/, and neither its text nor its
// parameters; of an error it has the SQLSTATE alone, since messages quote values.
func NewTracer(tracer trace.Tracer) pgx.QueryTracer { return &queryTracer{tracer} }

type (
	querySpanKey struct{}
	waitKey      struct{}
)

// TraceQueryStart is pgx.QueryTracer's.
func (t *queryTracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return ctx
	}
	name := queryName(data.SQL)
	ctx, span := t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("db.system.name", "postgresql"), attribute.String("db.query.summary", name),
	))
	return context.WithValue(ctx, querySpanKey{}, span)
}

// TraceQueryEnd is pgx.QueryTracer's.
func (t *queryTracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	span, ok := ctx.Value(querySpanKey{}).(trace.Span)
	if !ok {
		return
	}
	if data.Err != nil {
		reason := failureOf(data.Err)
		span.SetStatus(codes.Error, reason)
		span.SetAttributes(attribute.String("error.type", reason))
	}
	span.End()
}

// TraceAcquireStart is pgxpool.AcquireTracer's.
func (t *queryTracer) TraceAcquireStart(ctx context.Context, _ *pgxpool.Pool, _ pgxpool.TraceAcquireStartData) context.Context {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return ctx
	}
	return context.WithValue(ctx, waitKey{}, time.Now())
}

// TraceAcquireEnd is pgxpool.AcquireTracer's. Hardly any connection is waited for, so
// that only those get a span that were.
func (t *queryTracer) TraceAcquireEnd(ctx context.Context, _ *pgxpool.Pool, data pgxpool.TraceAcquireEndData) {
	began, ok := ctx.Value(waitKey{}).(time.Time)
	if !ok || time.Since(began) < waitShown {
		return
	}
	_, span := t.tracer.Start(ctx, "wait for a connection", trace.WithTimestamp(began))
	if data.Err != nil {
		span.SetStatus(codes.Error, failureOf(data.Err))
	}
	span.End()
}

// statements are those that have no name of their own.
var statements = []string{"begin", "commit", "rollback", "savepoint", "release", "select", "insert", "update", "delete", "set", "listen"}

// queryName is what sqlc has written before the query, or else the statement's first
// word, if it is a known one.
func queryName(sql string) string {
	const mark = "-- name: "
	if rest, named := strings.CutPrefix(sql, mark); named {
		name, _, _ := strings.Cut(rest, " ")
		return name
	}
	word, _, _ := strings.Cut(strings.TrimSpace(sql), " ")
	if word = strings.ToLower(word); slices.Contains(statements, word) {
		return word
	}
	return "statement"
}

// failureOf says what kind of failure it is, in words that hold no data.
func failureOf(err error) string {
	switch {
	case sqlState(err) != "":
		return sqlState(err)
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	}
	return "connection"
}
