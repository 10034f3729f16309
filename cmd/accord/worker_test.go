package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
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

// A worker tells how its jobs go, on the private listener.
func TestWorkerHasMetrics(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	out, ended := &output{}, make(chan int, 1)
	environ := onDatabase(pgtest.New(t), "JOBS=false", "PUBLIC_URL=http://localhost", "ADMIN_PORT=0")
	go func() {
		ended <- run(ctx, []string{"worker"}, command{dir: t.TempDir(), environ: environ, out: out, err: out})
	}()
	var at string
	eventually(t, "it says where its metrics are", func() bool {
		at = regexp.MustCompile(`http://[0-9.:]+/metrics`).FindString(out.String())
		return at != "" && strings.Contains(out.String(), "works on jobs")
	})
	eventually(t, "a job is counted", func() bool {
		return strings.Contains(send(t, http.MethodGet, at, "", "", "", http.StatusOK), `accord_jobs_total{kind="sweep",outcome="completed"} 1`)
	})
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d: %s", code, out)
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

func tokenOf(t *testing.T, base, name, password string) string {
	t.Helper()
	var answer struct {
		Token string `json:"access_token"`
	}
	body := send(t, http.MethodPost, base+"/api/v1/auth/login", "", "application/x-www-form-urlencoded", "username="+name+"&password="+password, http.StatusOK)
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Token
}

func send(t *testing.T, method, address, token, contentType, body string, want int) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != want {
		t.Fatalf("%s %s: %d %s %v", method, address, response.StatusCode, answer, err)
	}
	return string(answer)
}
