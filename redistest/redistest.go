// Package redistest gives tests a Redis: a redis-server of a test's own, which
// it may kill and start again, or the one that REDIS_TEST_URL names.
package redistest

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
)

// urlEnv is the URL of a running server to use where a test does not need one of
// its own.
const urlEnv = "REDIS_TEST_URL"

const (
	startTimeout = 20 * time.Second
	pollEvery    = 5 * time.Millisecond
)

// guard runs a server that ends with its standard input: so it is killed when
// the test says so, and also when the test's process has come to a sudden end.
const guard = `"$0" "$@" >/dev/null 2>&1 & cat >/dev/null; kill -9 $! 2>/dev/null; wait`

// Server is a redis-server on a socket in a folder of its own.
type Server struct {
	t       testing.TB
	program string
	dir     string
	stdin   io.Closer // nil while it does not run
	guard   *exec.Cmd
}

// URL gives a Redis for t: the one that REDIS_TEST_URL names, which t shares
// with others, so it should give its keys a prefix of its own; else one that
// ends with t.
func URL(t testing.TB) string {
	t.Helper()
	if url := os.Getenv(urlEnv); url != "" {
		return url
	}
	return Start(t).URL()
}

// Start starts a redis-server, which ends with t. Without the program t is
// skipped, or fails if CI is set.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, program: find(t)}
	dir, err := os.MkdirTemp("", "redis-") //nolint:usetesting // the path of a socket has to be short
	if err != nil {
		t.Fatalf("redistest: making a folder: %v", err)
	}
	s.dir = dir
	t.Cleanup(func() {
		s.Kill()
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("redistest: removing the folder: %v", err)
		}
	})
	s.Restart()
	return s
}

func find(t testing.TB) string {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err == nil {
		return program
	}
	missing := fmt.Sprintf("redistest: no redis-server for %s: install it (Debian: apt-get install redis-server), or run one and set %s=redis://host:6379", t.Name(), urlEnv)
	if os.Getenv("CI") != "" {
		t.Fatal(missing)
	}
	_, _ = fmt.Fprintln(os.Stderr, missing)
	t.Skip(missing)
	return ""
}

// URL is where it listens; it stays the same when it starts again.
func (s *Server) URL() string { return "unix://" + s.socket() }

func (s *Server) socket() string { return filepath.Join(s.dir, "socket") }

// Kill ends the server as a crash would, if it runs. Nothing is saved.
func (s *Server) Kill() {
	s.t.Helper()
	if s.stdin == nil {
		return
	}
	_ = s.stdin.Close()
	if err := s.guard.Wait(); err != nil {
		s.t.Errorf("redistest: ending redis-server: %v", err)
	}
	s.stdin = nil
}

// Restart starts the server, after killing it if it runs, with what the last
// SAVE has saved. It returns when the server answers.
func (s *Server) Restart() {
	s.t.Helper()
	s.Kill()
	//nolint:gosec // the program is redis-server, wherever PATH has it
	s.guard = exec.Command("sh", "-c", guard, s.program,
		"--port", "0", "--unixsocket", s.socket(), "--save", "", "--dir", s.dir, "--logfile", "log")
	stdin, err := s.guard.StdinPipe()
	if err == nil {
		err = s.guard.Start()
	}
	if err != nil {
		s.t.Fatalf("redistest: starting redis-server: %v", err)
	}
	s.stdin = stdin
	if err := s.await(); err != nil {
		log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		s.t.Fatalf("redistest: redis-server does not answer: %v\n%s", err, log)
	}
}

// await waits until the server has loaded what it saved and answers.
func (s *Server) await() error {
	logging.Disable() // it would tell of every try
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: s.socket(), MaxRetries: -1, DialerRetries: 1})
	defer func() { _ = client.Close() }()
	for {
		err := client.Ping(ctx).Err()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pollEvery):
		}
	}
}
