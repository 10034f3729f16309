package tracing

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/accord-api/accord/limit"
)

// within gives a context with a span that is somebody's.
func within(remote, sampled bool) context.Context {
	flags := trace.TraceFlags(0)
	if sampled {
		flags = trace.FlagsSampled
	}
	return trace.ContextWithSpanContext(context.Background(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceFlags: flags, Remote: remote,
	}))
}

func (s *sampler) keeps(ctx context.Context, links ...trace.Link) bool {
	return s.ShouldSample(sdk.SamplingParameters{ParentContext: ctx, TraceID: trace.TraceID{0xff}, Links: links}).Decision == sdk.RecordAndSample
}

func TestSampler(t *testing.T) {
	t.Parallel()
	nothing, everything := newSampler(0), newSampler(1)
	link := func(sampled bool) trace.Link {
		return trace.Link{SpanContext: trace.SpanContextFromContext(within(true, sampled))}
	}
	for name, c := range map[string]struct {
		got, want bool
	}{
		"a root of no share":         {nothing.keeps(t.Context()), false},
		"a root of all":              {everything.keeps(t.Context()), true},
		"below a span that is kept":  {nothing.keeps(within(false, true)), true},
		"below one that is not":      {everything.keeps(within(false, false)), false},
		"a caller's that is kept":    {nothing.keeps(within(true, true)), true},
		"a caller's that is not":     {everything.keeps(within(true, false)), false},
		"a job of a kept request":    {nothing.keeps(t.Context(), link(true)), true},
		"a job of one that is not":   {nothing.keeps(t.Context(), link(false)), false},
		"all jobs where all is kept": {everything.keeps(t.Context(), link(false)), true},
	} {
		if c.got != c.want {
			t.Errorf("%s: kept %t", name, c.got)
		}
	}
}

// Behind a proxy stands anybody: of what callers want traced no more is than a few a
// second, and of the rest no larger share than of all else, whatever ids they choose.
func TestWhatCallersWantTracedIsBounded(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := newSampler(0, limit.WithNow(func() time.Time { return now }))
	for second := range 3 {
		kept := 0
		for range 1000 {
			if s.keeps(within(true, true)) {
				kept++
			}
		}
		if kept != maxRemote {
			t.Errorf("second %d: %d are kept", second, kept)
		}
		now = now.Add(time.Second)
	}
	half := newSampler(0.5, limit.WithNow(func() time.Time { return now }))
	kept := 0
	for range 1000 {
		if half.keeps(within(true, true)) { // trace id 01 00 ... is within any share
			kept++
		}
	}
	if kept < 400 || kept > 620 {
		t.Errorf("%d of 1000 are kept", kept)
	}
}

// A request within a span tells the server that is called of it; its path is nowhere.
func TestTransport(t *testing.T) {
	t.Parallel()
	var got http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		w.WriteHeader(http.StatusTeapot)
	}))
	t.Cleanup(server.Close)
	spans := tracetest.NewInMemoryExporter()
	provider := sdk.NewTracerProvider(sdk.WithSyncer(spans))
	tracing := &Tracing{Tracer: provider.Tracer(scope), provider: provider}
	client := &http.Client{Transport: tracing.Transport(http.DefaultTransport)}
	ask := func(ctx context.Context) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/canary?canary", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
	}
	ask(t.Context())
	if got.Get("Traceparent") != "" || len(spans.GetSpans()) != 0 {
		t.Errorf("outside of a trace: header %v, spans %v", got, spans.GetSpans())
	}
	ctx, parent := tracing.Start(t.Context(), "parent")
	ask(ctx)
	made := spans.GetSpans()
	if len(made) != 1 || made[0].Parent.SpanID() != parent.SpanContext().SpanID() || made[0].Name != http.MethodGet || made[0].Status.Code.String() != "Error" {
		t.Fatalf("spans %v", made)
	}
	if want := made[0].SpanContext; !strings.Contains(got.Get("Traceparent"), want.TraceID().String()+"-"+want.SpanID().String()) {
		t.Errorf("header %q, span %v", got.Get("Traceparent"), want)
	}
	for _, a := range made[0].Attributes {
		if strings.Contains(a.Value.String(), "canary") {
			t.Errorf("the path is in %v", a)
		}
	}
}

func TestHandler(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(NewHandler(slog.NewTextHandler(&out, nil)))
	log.InfoContext(t.Context(), "x")
	if strings.Contains(out.String(), "trace_id") {
		t.Errorf("outside of a trace: %s", out.String())
	}
	log.With("a", 1).WithGroup("g").InfoContext(within(true, false), "x")
	if !strings.Contains(out.String(), "trace_id="+(trace.TraceID{1}).String()) {
		t.Errorf("within one: %s", out.String())
	}
}
