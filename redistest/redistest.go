// Package redistest gives tests a real Redis.
package redistest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Server is a Redis of one test.
type Server struct {
	// URL is what REDIS_URL takes.
	URL string

	address string
	t       testing.TB
	process *exec.Cmd
}

// New starts a Redis that ends with the test. Without a redis-server the test
// fails in CI, and says aloud that it is skipped elsewhere.
func New(t testing.TB) *Server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("there is no redis-server: install Debian's package redis-server")
		}
		t.Skip("NOT TESTED: there is no redis-server (Debian's package redis-server)")
	}
	s := &Server{t: t, address: freeAddress(t)}
	s.URL = "redis://" + s.address
	s.Start()
	t.Cleanup(s.Stop)
	return s
}

// freeAddress of loopback. Another process may take it before Redis does; then
// the start fails and says so.
func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// Start begins, or begins again with nothing in it.
func (s *Server) Start() {
	s.t.Helper()
	_, port, err := net.SplitHostPort(s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	dir := s.t.TempDir()
	s.process = exec.Command("redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no", "--dir", dir, "--logfile", filepath.Join(dir, "log"))
	if err := s.process.Start(); err != nil {
		s.t.Fatalf("starting redis-server: %v", err)
	}
	client := s.Client()
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	for {
		err := client.Ping(ctx).Err()
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			s.t.Fatalf("redis-server does not answer: %v", errors.Join(err, ctx.Err()))
		}
	}
}

// Stop ends it at once, as a crash would.
func (s *Server) Stop() {
	if s.process == nil {
		return
	}
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
	s.process = nil
}

// Client is a client that ends with the test.
func (s *Server) Client() *redis.Client {
	s.t.Helper()
	options, err := redis.ParseURL(s.URL)
	if err != nil {
		s.t.Fatal(fmt.Errorf("reading the address of redis-server: %w", err))
	}
	client := redis.NewClient(options)
	s.t.Cleanup(func() { _ = client.Close() })
	return client
}
