package main

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/pg/pgtest"
)

// lockUsers lets nobody read or write an account until the test ends, and tells
// how many wait for that.
func lockUsers(t *testing.T, address string) (waiting func() int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	if _, err := conn.Exec(t.Context(), "BEGIN; LOCK TABLE users"); err != nil {
		t.Fatal(err)
	}
	return func() int {
		var n int
		const query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
		if err := conn.QueryRow(t.Context(), query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
}

// Requests, jobs, connections and all share one limit. Here a write hangs, which
// is finished though its client has gone, and so holds its connection for the
// ten seconds of its operation.
func TestStopAsAWholeHasALimit(t *testing.T) {
	t.Parallel()
	address := pgtest.New(t)
	base, out, stop := serving(t, t.TempDir(), onDatabase(address, "SHUTDOWN_TIMEOUT=2s"))
	waiting := lockUsers(t, address)
	go func() {
		body := strings.NewReader(`{"email": "ada@example.com", "username": "ada", "password": "Analytical-1843", "full_name": "Ada"}`)
		if answer, err := http.Post(base+"/api/v1/users", "application/json", body); err == nil { //nolint:noctx // ends with the server
			answer.Body.Close()
		}
	}()
	eventually(t, "the write hangs", func() bool { return waiting() == 1 })

	began := time.Now()
	if code := stop(); code != exitFailed {
		t.Errorf("exit code %d: %s", code, out)
	}
	if took := time.Since(began); took > 2500*time.Millisecond {
		t.Errorf("it took %s: %s", took, out)
	}
}
