package server_test

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/accord-api/accord/servertest"
)

// goneClient sends a request as a person and hangs up when ctx ends. It tells
// whether an answer came before, which is not looked at.
func goneClient(ctx context.Context, p *servertest.Person, method, path string, body []byte) (answered <-chan bool) {
	p.T.Helper()
	r, err := http.NewRequestWithContext(ctx, method, p.URL+path, bytes.NewReader(body))
	if err != nil {
		p.T.Fatal(err)
	}
	r.Header.Set("X-Forwarded-For", p.IP)
	r.Header.Set("Authorization", "Bearer "+p.Tokens.AccessToken)
	r.Header.Set("Content-Type", "application/json")
	maps.Copy(r.Header, p.Header)
	ended := make(chan bool, 1)
	go func() {
		response, err := p.HTTP.Do(r)
		if err == nil {
			response.Body.Close()
		}
		ended <- err == nil
	}()
	return ended
}

// A cancelled read cancels its queries: when the client goes away, nothing of it
// is at work in the database any more, though what it waited for is still held.
func TestCancelledReadCancelsItsQueries(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin := s.Admin()
	admin.GET("/api/v1/users/me").Expect(http.StatusOK) // from here on the session is remembered
	locked := "LOCK TABLE sessions, users"
	// bare-drops {
	placed := order(admin, line(product(admin, "LAMP", nil), 1))
	locked += ", orders, notifications, files"
	// bare-drops }
	release := hold(t, s, locked+" IN ACCESS EXCLUSIVE MODE")
	for path, query := range map[string]string{
		"/api/v1/auth/sessions": "SessionList",
		"/api/v1/admin/users":   "UserList",
		// bare-drops {
		"/api/v1/orders":                       "OrderList",
		"/api/v1/orders/" + placed.ID.String(): "OrderGetVisible",
		"/api/v1/admin/orders":                 "OrderListAll",
		"/api/v1/export/orders":                "OrderLineExport",
		"/api/v1/notifications":                "NotificationList",
		"/api/v1/notifications/unread-count":   "NotificationCountUnread",
		"/api/v1/files":                        "FileList",
		"/api/v1/dashboard":                    "%", // some at once
		// bare-drops }
	} {
		ctx, hangUp := context.WithCancel(t.Context())
		answered := goneClient(ctx, admin, http.MethodGet, path, nil)
		waits(t, s, query)
		hangUp()
		if <-answered {
			t.Errorf("%s is answered", path)
		}
		s.Eventually(path+" has no query any more", func() bool {
			return column(t, s, "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'active'") == "0"
		})
	}
	release()
	admin.GET("/api/v1/auth/sessions").Expect(http.StatusOK) // no connection is lost for good
	for _, level := range []string{`"level":"WARN"`, `"level":"ERROR"`} {
		if strings.Contains(s.Log.String(), level) {
			t.Errorf("it counts as a failure of the server:\n%s", s.Log)
		}
	}
}

// waits waits until a query waits for a lock.
func waits(t *testing.T, s *servertest.Server, query string) {
	t.Helper()
	s.Eventually(query+" waits", func() bool {
		return column(t, s, "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE $1", "-- name: "+query+" %") != "0"
	})
}
