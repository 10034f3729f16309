package server

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/accord-api/accord/policy"
)

// deprecatedCalls are the lines of the counter that a scrape gets.
func deprecatedCalls(s *Server) string {
	answer := httptest.NewRecorder()
	s.metrics.handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, MetricsPath, nil))
	var lines []string
	for line := range strings.Lines(answer.Body.String()) {
		if labels, ok := strings.CutPrefix(line, "accord_deprecated_calls_total"); ok {
			lines = append(lines, labels)
		}
	}
	return strings.Join(lines, "")
}

// Who still calls what is to end is counted under few labels, whatever is sent.
func TestCallsOfDeprecatedOperationsAreCounted(t *testing.T) {
	t.Parallel()
	s := bare(io.Discard)
	server := serveOperation(t, s, policy.Policy{
		Timeout: time.Second, DeprecatedAfter: time.Now(),
		RateLimits: []policy.RateLimit{{Limit: 5, Window: time.Hour, By: policy.ByIP}},
	}, func(c echo.Context) error { return c.NoContent(http.StatusNoContent) })
	for _, userAgent := range []string{
		"curl/8.5.0", "Mozilla/5.0 (X11; Linux x86_64)", "c0ffee00-0000-7000-8000-000000000001", "other/2 of somebody@example.com",
		"Go-http-client/1.1", "go-HTTP-client/2.0", // the last one is refused by the limit
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("User-Agent", userAgent)
		response, err := server.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
	}
	if got, want := deprecatedCalls(s), `{client="browser",operation="x",role="none"} 1
{client="curl",operation="x",role="none"} 1
{client="go",operation="x",role="none"} 2
{client="other",operation="x",role="none"} 2
`; got != want {
		t.Errorf("counted\n%swant\n%s", got, want)
	}
}

func TestCallsOfOtherOperationsAreNotCounted(t *testing.T) {
	t.Parallel()
	s := bare(io.Discard)
	server := serveOperation(t, s, policy.Policy{Timeout: time.Second}, func(c echo.Context) error { return c.NoContent(http.StatusNoContent) })
	get(t, server).Body.Close()
	if got := deprecatedCalls(s); got != "" {
		t.Errorf("counted %s", got)
	}
}

// Roles are counted, and not who has them.
func TestRolesOfDeprecatedCallsAreCounted(t *testing.T) {
	t.Parallel()
	s := bare(io.Discard)
	o, err := s.newOperation(&policy.Policy{OperationID: "x", Timeout: time.Second, Sunset: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{"user", "user", "admin", ""} {
		o.countDeprecated(&call{who: principal{UserID: newID(), Role: role}})
	}
	if got, want := deprecatedCalls(s), `{client="none",operation="x",role="admin"} 1
{client="none",operation="x",role="none"} 1
{client="none",operation="x",role="user"} 2
`; got != want {
		t.Errorf("counted\n%swant\n%s", got, want)
	}
}
