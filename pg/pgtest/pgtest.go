// Package pgtest gives each test a PostgreSQL database of its own: a clone of
// one that was migrated once, in some tens of milliseconds.
//
// A test package calls Main:
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
package pgtest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/accord-api/accord/pg/devpg"
)

// urlEnv is the URL of a running server, as its superuser, to use instead of a
// private one.
const urlEnv = "TEST_DATABASE_URL"

// ChangeEnv is SQL that changes the schema of every database that
// New gives: `go run ./pg/sqlmutants` sees which test notices.
const ChangeEnv = "TEST_SCHEMA_CHANGE"

const closeTimeout = 15 * time.Second

var shared struct {
	once   sync.Once
	server *server
	err    error
}

// Main runs the tests of a package and then stops the server, if any test has
// started one. Each of judges is asked once all tests have ended, and fails the
// package with its error.
func Main(m *testing.M, judges ...func() error) {
	os.Exit(run(m, judges))
}

func run(m *testing.M, judges []func() error) int {
	code := m.Run()
	for _, judge := range judges {
		if err := judge(); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	if shared.server == nil {
		return code
	}
	if err := shared.server.close(); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "pgtest:", err)
		return max(code, 1)
	}
	return code
}

// New returns the URL of a fresh database with the current schema. It is
// dropped when the test ends.
func New(t testing.TB) string {
	t.Helper()
	s := start(t)
	template, err := s.template(t.Context())
	if err != nil {
		t.Fatalf("pgtest: making the template database: %v", err)
	}
	return s.create(t, template)
}

// Empty returns the URL of a fresh database with nothing in it. It is dropped
// when the test ends.
func Empty(t testing.TB) string {
	t.Helper()
	return start(t).create(t, "template0")
}

func start(t testing.TB) *server {
	t.Helper()
	shared.once.Do(func() {
		shared.server, shared.err = startServer()
	})
	if shared.err != nil {
		t.Fatalf("pgtest: no PostgreSQL for the tests: %v\nEither install it (Debian: apt-get install postgresql), or run one and set %s=postgres://superuser:password@host:5432/postgres", shared.err, urlEnv)
	}
	return shared.server
}

// startServer is not bound to the first test's context: all share the server.
func startServer() (*server, error) {
	ctx := context.Background()
	if url := os.Getenv(urlEnv); url != "" {
		return newServer(ctx, url, func(context.Context) error { return nil })
	}
	private, err := devpg.Start(ctx, devpg.Options{Volatile: true, Log: progress})
	if err != nil {
		return nil, err
	}
	return newServer(ctx, private.URL("postgres"), private.Close)
}

func progress(format string, args ...any) {
	_, _ = fmt.Fprintf(os.Stderr, format+"\n", args...)
}
