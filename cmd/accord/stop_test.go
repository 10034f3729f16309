package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
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
		if answer, err := http.Post(base+"/api/v1/users", "application/json", body); err == nil {
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

// openFolder is one that PostgreSQL's own user can come to, even where the tests
// run as root.
func openFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "accord-test-") //nolint:usetesting // others have to come here
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Ctrl-C in the midst of a start is no failure of what the start was at.
func TestInterruptedStart(t *testing.T) {
	t.Parallel()
	dir, out := openFolder(t), &output{}
	ctx, interrupt := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"serve"}, command{dir: dir, environ: []string{"PORT=0"}, out: out, err: out})
	}()
	eventually(t, "the database is being made", func() bool {
		_, err := os.Stat(filepath.Join(dir, ".accord", "postgres", "postgres.new"))
		return err == nil
	})
	interrupt()
	if code := <-ended; code != exitInterrupted || strings.Contains(out.String(), "initdb") || strings.Contains(out.String(), "accord:") {
		t.Errorf("exit code %d: %s", code, out)
	}
}
