package server_test

import (
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/accord-api/accord/servertest"
)

// collector takes spans by OTLP over HTTP.
type collector struct {
	url string
	key string // of the last export

	mu    sync.Mutex
	spans []*tracepb.Span
	about string // the resource of the last export
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var export collectorpb.ExportTraceServiceRequest
		if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &export) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.key = r.Header.Get("Api-Key")
		for _, of := range export.GetResourceSpans() {
			c.about = of.GetResource().String()
			for _, scope := range of.GetScopeSpans() {
				c.spans = append(c.spans, scope.GetSpans()...)
			}
		}
	}))
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

// find gives the first span for which holds is true, or nil.
func (c *collector) find(holds func(*tracepb.Span) bool) *tracepb.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.IndexFunc(c.spans, holds); i >= 0 {
		return c.spans[i]
	}
	return nil
}

// await waits for it.
func (c *collector) await(s *servertest.Server, what string, holds func(*tracepb.Span) bool) (found *tracepb.Span) {
	s.T.Helper()
	s.Eventually("a span came of "+what, func() bool { found = c.find(holds); return found != nil })
	return found
}

// childrenOf gives the names of the spans below one, in the order in which they began;
// the wait for a connection, which a busy machine may have anywhere, is left out.
func (c *collector) childrenOf(parent *tracepb.Span) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []*tracepb.Span
	for _, span := range c.spans {
		if string(span.GetParentSpanId()) == string(parent.GetSpanId()) && span.GetName() != "wait for a connection" {
			found = append(found, span)
		}
	}
	slices.SortStableFunc(found, func(a, b *tracepb.Span) int { return int(a.GetStartTimeUnixNano()) - int(b.GetStartTimeUnixNano()) })
	names := make([]string, len(found))
	for i, span := range found {
		names[i] = span.GetName()
	}
	return names
}

func attribute(span *tracepb.Span, name string) string {
	for _, a := range span.GetAttributes() {
		if a.GetKey() == name {
			return fmt.Sprint(a.GetValue().GetStringValue(), a.GetValue().GetIntValue())
		}
	}
	return ""
}

// of says that a span is an operation's.
func of(operation string) func(*tracepb.Span) bool {
	return func(span *tracepb.Span) bool { return attribute(span, "accord.operation") == operation+"0" }
}

// traced runs a server that sends its spans to a collector at once.
func traced(t *testing.T, c *collector, settings map[string]string) *servertest.Server {
	t.Helper()
	all := map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.url, "OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%2Cb"}
	maps.Copy(all, settings)
	return servertest.New(t, servertest.Options{Start: true, Settings: all, TraceDelay: 10 * time.Millisecond})
}

const (
	callerTrace  = "0af7651916cd43dd8448eb211c80319c"
	callerParent = "00-" + callerTrace + "-b7ad6b7169203331-01"
)

// One change is one trace: the request, which goes on with that of the proxy, and below
// it each query by its name. The line in the log names the trace.
func TestTraceOfAChange(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	s := traced(t, c, nil)
	p := s.Register()
	p.Header.Set("Traceparent", callerParent)
	p.Header.Set("Baggage", "canary=canary")
	answer := p.PATCH("/api/v1/users/me?canary=canary", map[string]any{"full_name": "Ada"}).Expect(http.StatusOK)

	span := c.await(s, "the change", of("updateMe"))
	if got := hex.EncodeToString(span.GetTraceId()); got != callerTrace || hex.EncodeToString(span.GetParentSpanId()) != "b7ad6b7169203331" {
		t.Errorf("trace %s is not the caller's", got)
	}
	for name, want := range map[string]string{
		"http.request.method": "PATCH0", "http.route": "/api/v1/users/me0", "http.response.status_code": "200",
		"accord.request_id": answer.Header.Get("X-Request-Id") + "0",
	} {
		if got := attribute(span, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if span.GetName() != "PATCH /api/v1/users/me" || span.GetKind() != tracepb.Span_SPAN_KIND_SERVER {
		t.Errorf("span %s", span)
	}
	names := c.childrenOf(span)
	begin, end := slices.Index(names, "begin"), slices.Index(names, "commit")
	if within := names[begin+1 : max(end, begin+1)]; begin < 0 || end < begin || !slices.Contains(within, "UserUpdate") || !slices.Contains(within, "AuditEventCreate") {
		t.Errorf("queries %v", names)
	}
	if entry := logLine(s, answer.Header.Get("X-Request-Id")); !strings.Contains(entry, `"trace_id":"`+callerTrace+`"`) {
		t.Errorf("line %s", entry)
	}
	if !strings.Contains(c.about, `"accord"`) || !strings.Contains(c.about, `"test"`) || c.key != "a,b" {
		t.Errorf("resource %s, key %q", c.about, c.key)
	}
}

// A job is a trace of its own, linked to the request that has enqueued it; what it
// asks is below it.
func TestTraceOfAJob(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	s := traced(t, c, nil)
	s.Register()
	request := c.await(s, "the registration", of("registerUser"))
	job := c.await(s, "the mail", func(span *tracepb.Span) bool { return span.GetName() == "job mail" })
	if len(job.GetLinks()) != 1 || string(job.GetLinks()[0].GetTraceId()) != string(request.GetTraceId()) {
		t.Errorf("links %v of %s", job.GetLinks(), request)
	}
	if string(job.GetTraceId()) == string(request.GetTraceId()) || len(job.GetParentSpanId()) != 0 {
		t.Errorf("the job is in the trace of its cause: %s", job)
	}
	if attribute(job, "accord.job.outcome") != "completed0" || !slices.Equal(c.childrenOf(job), []string{"UserGet", "MailTokenCreate"}) {
		t.Errorf("job %s, queries %v", job, c.childrenOf(job))
	}
}

// Failures are marked, with the problem's code and the SQLSTATE; neither they nor
// anything else of a trace tells who somebody is or what they have sent.
func TestTracesHoldNothingPersonal(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	s := traced(t, c, nil)
	p := s.Register()
	p.Header.Set("User-Agent", "canary")
	p.GET("/api/v1/users/me?q=canary").Expect(http.StatusOK)
	p.POST("/api/v1/users", registration(map[string]any{"email": p.User.Email})).Expect(http.StatusConflict)
	p.Do("CANARY", "/canary", "", nil)
	execute(t, s, "ALTER TABLE users RENAME COLUMN full_name TO gone")
	p.GET("/api/v1/users/me").Expect(http.StatusInternalServerError)

	failed := c.await(s, "the failure", func(span *tracepb.Span) bool {
		return of("getMe")(span) && span.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR
	})
	if attribute(failed, "error.type") != "internal0" {
		t.Errorf("span %s", failed)
	}
	c.await(s, "the query", func(span *tracepb.Span) bool {
		return string(span.GetParentSpanId()) == string(failed.GetSpanId()) && attribute(span, "error.type") == "427030"
	})
	conflict := c.await(s, "the conflict", func(span *tracepb.Span) bool { return strings.HasSuffix(attribute(span, "error.type"), "taken0") })
	if conflict.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR {
		t.Errorf("what a client does wrong is no error: %s", conflict)
	}
	c.await(s, "another method", func(span *tracepb.Span) bool { return span.GetName() == "_OTHER" })
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, span := range c.spans {
		text := strings.ToLower(span.String())
		for _, secret := range []string{"canary", "example.com", p.IP, p.User.Username, p.User.ID.String(), strings.ToLower(p.Tokens.AccessToken), "full_name", "select "} {
			if strings.Contains(text, secret) {
				t.Errorf("%q is in %s", secret, text)
			}
		}
	}
}

// Who is not a proxy of ours says nothing about traces.
func TestTracesOfStrangersAreTheirOwn(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	s := traced(t, c, map[string]string{"TRUSTED_PROXIES": ""})
	p := s.Somebody()
	p.Header.Set("Traceparent", callerParent)
	p.GET("/livez").Expect(http.StatusOK)
	if span := c.await(s, "the request", of("getLiveness")); hex.EncodeToString(span.GetTraceId()) == callerTrace || len(span.GetParentSpanId()) != 0 {
		t.Errorf("a stranger's trace goes on: %s", span)
	}
}

// Without a share nothing is traced but what a proxy wants to be. The log names the
// trace all the same.
func TestTheProxyDecidesWhatIsTraced(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	s := traced(t, c, map[string]string{"OTEL_TRACES_SAMPLER_ARG": "0"})
	p := s.Somebody()
	p.GET("/health").Expect(http.StatusOK)
	p.Header.Set("Traceparent", strings.TrimSuffix(callerParent, "1")+"0")
	untraced := p.GET("/readyz").Expect(http.StatusOK)
	p.Header.Set("Traceparent", callerParent)
	p.GET("/livez").Expect(http.StatusOK)
	span := c.await(s, "what the proxy wants", of("getLiveness"))
	if hex.EncodeToString(span.GetTraceId()) != callerTrace {
		t.Errorf("span %s", span)
	}
	if other := c.find(func(span *tracepb.Span) bool { return !of("getLiveness")(span) }); other != nil {
		t.Errorf("traced though nobody wants it: %s", other)
	}
	if entry := logLine(s, untraced.Header.Get("X-Request-Id")); !strings.Contains(entry, callerTrace) {
		t.Errorf("line %s", entry)
	}
}

// A collector that is away costs spans and nothing else, and is told once.
func TestCollectorIsAway(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	s := traced(t, c, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"})
	s.Somebody().GET("/livez").Expect(http.StatusOK)
	s.Eventually("it is told", func() bool { return strings.Contains(s.Log.String(), "traces are not taken") })
	s.Somebody().GET("/livez").Expect(http.StatusOK)
	if n := strings.Count(s.Log.String(), "traces are not taken"); n != 1 {
		t.Errorf("it is told %d times", n)
	}
}
