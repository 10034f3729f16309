package main

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/pg/pgtest"
)

// A worker that is killed in the middle of a report leaves it to another one: the
// report is made, once, and its user is told once.
func TestKilledWorker(t *testing.T) {
	t.Parallel()
	url, dir := pgtest.New(t), t.TempDir()
	environ := onDatabase(url, "JOBS=false", "PUBLIC_URL=http://localhost")
	base, _, _ := serving(t, dir, environ)
	send(t, http.MethodPost, base+"/api/v1/users", "", "application/json",
		`{"email": "ada@example.com", "username": "ada", "password": "Analytical-1843", "full_name": "Ada"}`, http.StatusCreated)
	token := tokenOf(t, base, "ada", "Analytical-1843")

	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close(context.WithoutCancel(t.Context())) }()
	lock, err := db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Exec(t.Context(), "LOCK TABLE orders IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	send(t, http.MethodPost, base+"/api/v1/reports/generate", token, "application/json", `{"kind": "orders", "format": "csv", "days": 30}`, http.StatusAccepted)
	status := func(want string) func() bool {
		return func() bool {
			var got string
			if err := db.QueryRow(t.Context(), "SELECT status FROM reports").Scan(&got); err != nil {
				t.Fatal(err)
			}
			return got == want
		}
	}
	first := startWorker(t, dir, environ)
	eventually(t, "the report is being made", status("running"))
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait() // killed
	if err := lock.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}

	second := startWorker(t, dir, environ)
	eventually(t, "the report is made", status("succeeded"))
	if told := strings.Count(send(t, http.MethodGet, base+"/api/v1/notifications", token, "", "", http.StatusOK), `"report.succeeded"`); told != 1 {
		t.Errorf("the user is told %d times", told)
	}
	if err := second.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := second.Wait(); err != nil {
		t.Errorf("the worker ends with %v", err)
	}
}

// startWorker runs `accord worker` as a process.
func startWorker(t *testing.T, dir string, environ []string) *exec.Cmd {
	t.Helper()
	worker := exec.Command(os.Args[0], "worker")
	worker.Dir, worker.Env = dir, append(environ, asProgram+"=1")
	worker.Stdout, worker.Stderr = t.Output(), t.Output()
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = worker.Process.Kill() })
	return worker
}
