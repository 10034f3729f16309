package server_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/accord-api/accord/servertest"
)

// sentry is a project that keeps what is reported to it.
func sentry(t *testing.T) (dsn string, events <-chan string) {
	t.Helper()
	reported := make(chan string, 100)
	project := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		reported <- string(body)
	}))
	t.Cleanup(project.Close)
	return strings.Replace(project.URL, "http://", "http://publickey@", 1) + "/1", reported
}

// An unexpected failure is reported with its request id and nothing of the
// request; what a client does wrong is not, nor that the server is busy.
func TestSentry(t *testing.T) {
	t.Parallel()
	dsn, events := sentry(t)
	s := servertest.New(t, servertest.Options{Settings: map[string]string{"SENTRY_DSN": dsn, "OTEL_EXPORTER_OTLP_ENDPOINT": newCollector(t).url, "DB_ACQUIRE_TIMEOUT": "1s", "DB_POOL_SIZE": "1", "DB_POOL_OVERFLOW": "0"}})
	p := s.Register()
	p.GET("/api/v1/nothing").Expect(http.StatusNotFound)
	p.PATCH("/api/v1/users/me", "{").Expect(http.StatusBadRequest)
	p.GET("/api/v1/admin/users").Expect(http.StatusForbidden)
	s.Somebody().GET("/api/v1/users/me").Expect(http.StatusUnauthorized)
	release := lock(t, s, "users")
	first := make(chan int, 1)
	go func() { first <- p.GET("/api/v1/users/me").Status }()
	waiting(t, s, 1)
	p.GET("/api/v1/users/me").Expect(http.StatusServiceUnavailable)
	release()
	<-first

	execute(t, s, "ALTER TABLE users RENAME COLUMN full_name TO gone")
	p.Header.Set("Cookie", "canary")
	answer := p.Do(http.MethodPatch, "/api/v1/users/me?canary=canary", "application/merge-patch+json", []byte(`{"full_name": "Canary canary"}`)).Expect(http.StatusInternalServerError)
	select {
	case event := <-events:
		for _, want := range []string{answer.Problem("internal").RequestID, `"operation":"updateMe"`, `"environment":"test"`, `"release":"accord@`, `"trace_id":"`} {
			if !strings.Contains(event, want) {
				t.Errorf("%s is not in the event: %s", want, event)
			}
		}
		for _, secret := range []string{"canary", "Canary", p.Tokens.AccessToken, p.Password, p.User.Email, p.User.ID.String(), p.IP} {
			if strings.Contains(event, secret) {
				t.Errorf("%s is in the event: %s", secret, event)
			}
		}
	case <-time.After(10 * time.Second):
		t.Error("nothing was reported")
	}
	select {
	case event := <-events:
		t.Errorf("one failure, and more than one event: %s", event)
	default:
	}
}
