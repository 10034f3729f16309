package server

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/limit"
	"github.com/accord-api/accord/policy"
)

// bare is a server with what the chain needs and no database.
func bare(log io.Writer) *Server {
	s := &Server{now: time.Now, log: slog.New(slog.NewJSONHandler(log, nil)), failures: limit.NewSharedBackoff(nil, "login"), streams: newStreams(), metrics: newMetrics()}
	s.anonymous = s.newRateLimit("anonymous", api.Anonymous)
	return s
}

// What the contract says and nothing enforces must not be served.
func TestUnenforcedPoliciesAreRefused(t *testing.T) {
	t.Parallel()
	s := bare(io.Discard)
	row := policy.Policy{OperationID: "x", Timeout: time.Second, Idempotent: true, Sunset: time.Now()}
	for _, c := range []struct {
		enforced []string
		want     string
	}{
		{[]string{"OperationID", "Timeout", "Sunset"}, "Idempotent"},
		{[]string{"OperationID", "Timeout", "Idempotent"}, "Sunset"},
		{[]string{"OperationID", "Idempotent", "Sunset"}, "Timeout"},
	} {
		if err := checkEnforced(&row, c.enforced); err == nil || !strings.Contains(err.Error(), "operation x") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v", c.want, err)
		}
	}
	if _, err := s.newOperation(&policy.Policy{OperationID: "x"}); err == nil || !strings.Contains(err.Error(), "neither a timeout nor a stall") {
		t.Errorf("no timeout: error %v", err)
	}
	for id, p := range api.Policies {
		if _, err := s.newOperation(p); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}

func TestOperationsWithoutChainAreRefused(t *testing.T) {
	t.Parallel()
	chains := map[string][]echo.MiddlewareFunc{}
	for id := range api.Policies {
		chains[id] = []echo.MiddlewareFunc{func(next echo.HandlerFunc) echo.HandlerFunc { return next }}
	}
	handlers := api.NewStrictHandler(nil, nil)
	if err := registerOperations(echo.New(), handlers, chains); err != nil {
		t.Error(err)
	}
	delete(chains, "deleteMe")
	if err := registerOperations(echo.New(), handlers, chains); err == nil || !strings.Contains(err.Error(), "DELETE /api/v1/users/me") {
		t.Errorf("error %v", err)
	}
}

// testOperation serves an operation under a policy of the test's own: edge and
// chain around the handler, on a real connection.
func testOperation(t *testing.T, p policy.Policy, log io.Writer, handler echo.HandlerFunc) *httptest.Server {
	t.Helper()
	return serveOperation(t, bare(log), p, handler)
}

func serveOperation(t *testing.T, s *Server, p policy.Policy, handler echo.HandlerFunc) *httptest.Server {
	t.Helper()
	p.OperationID = "x"
	o, err := s.newOperation(&p)
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	e.HTTPErrorHandler = s.handleError
	e.Use(s.edge)
	e.Any("/", handler, o.chain)
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	return server
}

// Each row of the table gives its handler just the row's time, and lets just
// the row's number in at once.
func TestChainKeepsTimeoutAndConcurrencyOfEachRow(t *testing.T) {
	t.Parallel()
	s := bare(io.Discard)
	for id, p := range api.Policies {
		row := *p
		row.Access, row.RateLimits, row.ContentTypes, row.Audit = nil, nil, nil, "" // not what this test is about
		o, err := s.newOperation(&row)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		err = o.chain(func(c echo.Context) error {
			deadline, ok := c.Request().Context().Deadline()
			if left := deadline.Sub(start); ok != (row.Timeout > 0) || ok && (left < row.Timeout || left > row.Timeout+time.Second) {
				t.Errorf("%s: %s are left of %s", id, left, row.Timeout)
			}
			return nil
		})(recorded(s))
		if err != nil {
			t.Errorf("%s: %v", id, err)
		}
		if bounded := o.gate != nil; bounded != (row.Concurrency > 0) {
			t.Errorf("%s: bounded %t", id, bounded)
		}
	}
}

// recorded is a request's context without a connection.
func recorded(s *Server) echo.Context {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r = r.WithContext(context.WithValue(r.Context(), callKey{}, s.newCall(r)))
	return echo.New().NewContext(r, httptest.NewRecorder())
}

// readAll is a handler that reads its body as the generated ones do.
func readAll(c echo.Context) error {
	if err := (binder{}).Bind(new(api.EmailRequest), c); err != nil {
		return err
	}
	return c.NoContent(http.StatusOK)
}

// dial sends the beginning of a request and gives the connection.
func dial(t *testing.T, server *httptest.Server, text string) *net.TCPConn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn.(*net.TCPConn)
}

func statusOn(t *testing.T, conn net.Conn) (status int, body string) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// A body has the operation's time to come in; one that never ends is a fault of
// the client and no failure of ours.
func TestBodiesThatDoNotEnd(t *testing.T) {
	t.Parallel()
	const head = "POST / HTTP/1.1\r\nHost: x\r\n"
	for name, c := range map[string]struct {
		request string
		gone    bool // no more is sent, and the client waits
		want    int
	}{
		"slow":          {head + "Content-Length: 100\r\n\r\nabc", false, 408},
		"slow, chunked": {head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", false, 408},
		"cut":           {head + "Content-Length: 100\r\n\r\nabc", true, 400},
		"cut, chunked":  {head + "Transfer-Encoding: chunked\r\n\r\n3\r\nab", true, 400},
		"bad chunks":    {head + "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n", false, 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log record
			server := testOperation(t, policy.Policy{Timeout: 300 * time.Millisecond, BodyLimit: 1 << 10}, &log, readAll)
			conn := dial(t, server, c.request)
			if c.gone {
				if err := conn.CloseWrite(); err != nil {
					t.Fatal(err)
				}
			}
			if got, body := statusOn(t, conn); got != c.want || !strings.Contains(body, "/problems/") {
				t.Errorf("status %d, want %d: %s", got, c.want, body)
			}
			if strings.Contains(log.String(), `"ERROR"`) {
				t.Errorf("log %s", log.String())
			}
		})
	}
}

// What comes later on the connection is not bounded by the time of an operation
// before, whether that ended well or was given up.
func TestConnectionOutlivesTheTimeout(t *testing.T) {
	t.Parallel()
	const timeout = 200 * time.Millisecond
	for _, want := range []int{http.StatusOK, http.StatusServiceUnavailable} {
		late := want != http.StatusOK
		server := testOperation(t, policy.Policy{Timeout: timeout, BodyLimit: 1 << 10}, io.Discard, func(c echo.Context) error {
			if _, err := readBody(c); err != nil {
				return err
			}
			if err := c.Request().Context().Err(); err != nil {
				return err
			}
			if c.Request().Method == http.MethodGet || !late {
				return c.NoContent(http.StatusOK)
			}
			<-c.Request().Context().Done()
			// A query is given up in this way: not at the very moment.
			timer := time.NewTimer(timeout / 4)
			defer timer.Stop()
			<-timer.C
			return c.Request().Context().Err()
		})
		conn := dial(t, server, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
		if got, body := statusOn(t, conn); got != want {
			t.Errorf("status %d, want %d: %s", got, want, body)
		}
		idle := time.NewTimer(2 * timeout)
		<-idle.C
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if got, body := statusOn(t, conn); got != http.StatusOK {
			t.Errorf("after a %d, the next request on the connection gets %d: %s", want, got, body)
		}
	}
}

func TestFullGateIsUnavailable(t *testing.T) {
	t.Parallel()
	s := bare(io.Discard)
	o, err := s.newOperation(&policy.Policy{OperationID: "x", Timeout: time.Minute, Concurrency: 1})
	if err != nil {
		t.Fatal(err)
	}
	o.gate = limit.NewGate(1, 0, time.Minute)
	inside, leave := make(chan struct{}), make(chan struct{})
	handler := o.chain(func(c echo.Context) error {
		if deadline, ok := c.Request().Context().Deadline(); !ok || time.Until(deadline) > time.Minute {
			t.Errorf("deadline %s", deadline)
		}
		close(inside)
		<-leave
		return nil
	})
	call := func() error { return handler(recorded(s)) }
	first := make(chan error, 1)
	go func() { first <- call() }()
	<-inside
	if p := problemOf(call()); p.kind != api.ProblemUnavailable || p.retryAfter == 0 {
		t.Errorf("problem %v", p)
	}
	close(leave)
	if err := <-first; err != nil {
		t.Error(err)
	}
}

// serveThrough runs a handler behind the edge.
func serveThrough(s *Server, r *http.Request, handler echo.HandlerFunc) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	serveInto(recorder, s, r, handler)
	return recorder
}

func serveInto(w http.ResponseWriter, s *Server, r *http.Request, handler echo.HandlerFunc) {
	e := echo.New()
	e.HTTPErrorHandler = s.handleError
	_ = s.edge(handler)(e.NewContext(r, w))
}

// record is a log that may be read while it is written.
type record struct {
	mu   sync.Mutex
	text strings.Builder
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// The stack of a panic is for us: the answer has the id to find it by, and the
// log has nothing of the request but its line.
func TestPanicIsAnInternalProblem(t *testing.T) {
	t.Parallel()
	for name, answers := range map[string]bool{"before the answer": false, "in the midst of it": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log record
			s := bare(&log)
			r := httptest.NewRequest(http.MethodPost, "/x?token=canary", strings.NewReader("canary"))
			r.Header.Set("Authorization", "Bearer canary")
			r.Header.Set("Cookie", "canary")
			answer, broken := httptest.NewRecorder(), any(nil)
			func() {
				defer func() { broken = recover() }()
				serveInto(answer, s, r, func(c echo.Context) error {
					if answers {
						_ = c.String(http.StatusOK, "begun") // a recorder takes everything
					}
					return errors.New(callFrom(c.Request().Context()).operation.accept) // of no operation
				})
			}()
			if answers != (broken == any(http.ErrAbortHandler)) {
				t.Errorf("the connection is broken: %v", broken)
			}

			body, id := answer.Body.String(), answer.Header().Get("X-Request-Id")
			if !answers && (answer.Code != http.StatusInternalServerError || !strings.Contains(body, id) || !strings.Contains(body, "/problems/internal")) {
				t.Errorf("%d %s", answer.Code, body)
			}
			if strings.Contains(body, "nil pointer") || strings.Contains(body, ".go") || strings.Contains(body, "goroutine") {
				t.Errorf("the answer tells: %s", body)
			}
			for _, want := range []string{"nil pointer", "operation_internal_test.go", id, `"ERROR"`} {
				if !strings.Contains(log.String(), want) {
					t.Errorf("%s is not in the log: %s", want, log.String())
				}
			}
			if strings.Contains(log.String(), "canary") || strings.Count(log.String(), "\n") != 1 {
				t.Errorf("log %s", log.String())
			}
		})
	}
}

func TestAbortBreaksTheConnection(t *testing.T) {
	t.Parallel()
	defer func() {
		if r, ok := recover().(error); !ok || !errors.Is(r, http.ErrAbortHandler) {
			t.Errorf("recovered %v", r)
		}
	}()
	serveThrough(bare(io.Discard), httptest.NewRequest(http.MethodGet, "/", nil), func(echo.Context) error { panic(http.ErrAbortHandler) })
}

// What is no problem is a 500 that tells nothing; a client that has gone is not
// our failure.
func TestUnknownErrorsTellNothing(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	s := bare(&log)
	answer := serveThrough(s, httptest.NewRequest(http.MethodGet, "/", nil), func(echo.Context) error { return errors.New("the database says password=x") })
	if answer.Code != http.StatusInternalServerError || strings.Contains(answer.Body.String(), "password") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	gone := serveThrough(s, httptest.NewRequest(http.MethodGet, "/", nil), func(echo.Context) error { return context.Canceled })
	if gone.Code != http.StatusRequestTimeout {
		t.Errorf("status %d", gone.Code)
	}
}

func TestDevelopmentAnswersLoopbackNamesOnly(t *testing.T) {
	t.Parallel()
	s := bare(io.Discard)
	s.config.Environment = Development
	for host, want := range map[string]int{
		"localhost:8080": 200, "127.0.0.1": 200, "[::1]:8080": 200, "shop.localhost": 200,
		"LOCALHOST:8080": 200, "localhost.": 200, "Shop.LocalHost.:80": 200, "localhost..": 421, "evil.example.": 421, ".": 421, "[::1].": 421,
		"evil.example": 421, "localhost.evil.example:8080": 421, "10.0.0.1": 421, "": 421,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		answer := serveThrough(s, r, func(c echo.Context) error { return c.NoContent(http.StatusOK) })
		if answer.Code != want {
			t.Errorf("%q: status %d, want %d", host, answer.Code, want)
		}
	}
}

// A body may come in slowly where its pauses are bounded, and must not stand still,
// whether the whole has a time limit or not.
func TestStalledBody(t *testing.T) {
	t.Parallel()
	for _, timeout := range []time.Duration{0, time.Minute} {
		t.Run(timeout.String(), func(t *testing.T) { t.Parallel(); testStalledBody(t, timeout) })
	}
}

func testStalledBody(t *testing.T, timeout time.Duration) {
	t.Helper()
	const stall = 300 * time.Millisecond
	server := testOperation(t, policy.Policy{Timeout: timeout, Stall: stall, BodyLimit: 1 << 10}, io.Discard, func(c echo.Context) error {
		if _, err := readBody(c); err != nil {
			return &bodyError{err}
		}
		left := time.NewTimer(2 * stall) // the client is there all the time
		defer left.Stop()
		select {
		case <-c.Request().Context().Done():
			return errors.New("given up after the body")
		case <-left.C:
			return c.NoContent(http.StatusOK)
		}
	})
	const head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"
	slow, stalled := dial(t, server, head), dial(t, server, head)
	for range 5 {
		between := time.NewTimer(stall / 2)
		<-between.C
		if _, err := slow.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if got, body := statusOn(t, slow); got != http.StatusOK {
		t.Errorf("slow: %d %s", got, body)
	}
	if got, body := statusOn(t, stalled); got != http.StatusRequestTimeout {
		t.Errorf("stalled: %d %s", got, body)
	}
}

// A stalled client ends a stream, however long it may take altogether.
func TestStall(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	server := testOperation(t, policy.Policy{Stall: time.Second}, io.Discard, func(c echo.Context) error {
		chunk := make([]byte, 1<<20)
		for {
			if _, err := c.Response().Write(chunk); err != nil {
				ended <- err
				return nil //nolint:nilerr // the test looks at it
			}
		}
	})
	response := get(t, server)
	defer response.Body.Close()
	began := time.Now()
	// As long as the client reads, there is no end.
	if _, err := io.CopyN(io.Discard, response.Body, 64<<20); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		t.Fatalf("it ended with %v after %s, and the client was reading", err, time.Since(began))
	default:
	}
	if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("it ended with %v", err)
	}
}

// A stream has no deadline, and ends when the server stops.
func TestStreamEndsWithTheServer(t *testing.T) {
	t.Parallel()
	began, ended := make(chan bool, 1), make(chan error, 1)
	s := bare(io.Discard)
	server := serveOperation(t, s, policy.Policy{Stall: time.Second}, func(c echo.Context) error {
		_, bounded := c.Request().Context().Deadline()
		began <- bounded
		<-c.Request().Context().Done()
		ended <- context.Cause(c.Request().Context())
		return nil
	})
	go func() {
		if response, err := http.Get(server.URL); err == nil { // ends with the server
			response.Body.Close()
		}
	}()
	if <-began {
		t.Error("it has a deadline")
	}
	s.streams.closeAll()
	if err := <-ended; !errors.Is(err, errStopping) {
		t.Errorf("it ended with %v", err)
	}
	for len(s.streams.of(uuid.Nil)) > 0 { // the chain takes it out when the handler has returned
		runtime.Gosched()
	}
}

// The end of an operation is told in time (RFC 9745, RFC 8594).
func TestDeprecation(t *testing.T) {
	t.Parallel()
	after, sunset := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	server := testOperation(t, policy.Policy{Timeout: time.Second, DeprecatedAfter: after, Sunset: sunset}, io.Discard, func(echo.Context) error {
		return problem(api.ProblemNotFound, "told on failures as well")
	})
	response := get(t, server)
	defer response.Body.Close()
	if got := response.Header.Get("Deprecation"); got != "@1767225600" {
		t.Errorf("Deprecation: %s", got)
	}
	if got := response.Header.Get("Sunset"); got != "Fri, 01 Jan 2027 00:00:00 GMT" {
		t.Errorf("Sunset: %s", got)
	}
}

func get(t *testing.T, server *httptest.Server) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	return response
}
