package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/limit"
	"github.com/accord-api/accord/policy"
)

// bare is a server with what the chain needs and no database.
func bare(log *strings.Builder) *Server {
	s := &Server{now: time.Now, log: slog.New(slog.NewJSONHandler(log, nil)), failures: limit.NewBackoff()}
	s.anonymous = s.newRateLimit(api.Anonymous)
	return s
}

// What the contract says and nothing enforces must not be served.
func TestUnenforcedPoliciesAreRefused(t *testing.T) {
	t.Parallel()
	s := bare(&strings.Builder{})
	for name, p := range map[string]policy.Policy{
		"Idempotent":      {OperationID: "x", Timeout: time.Second, Idempotent: true},
		"Cache":           {OperationID: "x", Timeout: time.Second, Cache: &policy.Cache{}},
		"Sunset":          {OperationID: "x", Timeout: time.Second, Sunset: time.Now()},
		"DeprecatedAfter": {OperationID: "x", Timeout: time.Second, DeprecatedAfter: time.Now()},
		"Stall":           {OperationID: "x", Stall: time.Second},
		"timeout":         {OperationID: "x"},
	} {
		if _, err := s.newOperation(&p); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "operation x") {
			t.Errorf("%s: error %v", name, err)
		}
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

func TestFullGateIsUnavailable(t *testing.T) {
	t.Parallel()
	s := bare(&strings.Builder{})
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
	call := func() error {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r = r.WithContext(context.WithValue(r.Context(), callKey{}, s.newCall(r)))
		return handler(echo.New().NewContext(r, httptest.NewRecorder()))
	}
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
	e := echo.New()
	e.HTTPErrorHandler = s.handleError
	recorder := httptest.NewRecorder()
	_ = s.edge(handler)(e.NewContext(r, recorder))
	return recorder
}

func TestPanicIsAnInternalProblem(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	s := bare(&log)
	answer := serveThrough(s, httptest.NewRequest(http.MethodGet, "/x?token=canary", nil), func(echo.Context) error { panic("secret detail") })

	body := answer.Body.String()
	if answer.Code != http.StatusInternalServerError || !strings.Contains(body, answer.Header().Get("X-Request-Id")) {
		t.Errorf("%d %s", answer.Code, body)
	}
	if strings.Contains(body, "secret detail") || strings.Contains(body, ".go:") {
		t.Errorf("the answer tells: %s", body)
	}
	if !strings.Contains(log.String(), "secret detail") || !strings.Contains(log.String(), "operation_internal_test.go") || strings.Contains(log.String(), "canary") {
		t.Errorf("log %s", log.String())
	}
}

func TestAbortBreaksTheConnection(t *testing.T) {
	t.Parallel()
	defer func() {
		if r := recover(); r != http.ErrAbortHandler {
			t.Errorf("recovered %v", r)
		}
	}()
	serveThrough(bare(&strings.Builder{}), httptest.NewRequest(http.MethodGet, "/", nil), func(echo.Context) error { panic(http.ErrAbortHandler) })
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
	s := bare(&strings.Builder{})
	s.config.Environment = Development
	for host, want := range map[string]int{
		"localhost:8080": 200, "127.0.0.1": 200, "[::1]:8080": 200, "shop.localhost": 200,
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
