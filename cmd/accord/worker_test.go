package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/accord-api/accord/pg/pgtest"
)

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
