// Package redistest gives tests a real Redis: one server for all the tests of a
// process (URL), or one that a test may stop and break (Start). It needs the
// program redis-server on the PATH.
package redistest

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
)

// databases is how many calls of URL get a database that nobody else has.
const databases = 10_000

var shared struct {
	once   sync.Once
	server *server
	err    error
	taken  atomic.Int64
}

// URL returns the address of an empty database on the server that all tests of
// the process share. The server is started by the first call and ends with the
// process. Without redis-server the test is skipped, or fails where CI is true.
func URL(t testing.TB) string {
	t.Helper()
	program := find(t)
	shared.once.Do(func() { shared.server, shared.err = start(program, false) })
	if shared.err != nil {
		t.Fatalf("redistest: starting Redis: %v", shared.err)
	}
	n := shared.taken.Add(1)
	if n > databases {
		t.Fatalf("redistest: more than %d databases were asked for", databases)
	}
	return fmt.Sprintf("%s?db=%d", shared.server.url(), n-1)
}

// find gives the path of redis-server.
func find(t testing.TB) string {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err == nil {
		return program
	}
	const missing = "there is no redis-server (Debian: apt-get install redis-server)"
	if os.Getenv("CI") == "true" {
		t.Fatalf("redistest: %s", missing)
	}
	sayOnce(t.Name())
	t.Skipf("redistest: %s", missing)
	return ""
}

var said sync.Once

// sayOnce speaks up even where go test hides the reasons of what is skipped.
func sayOnce(first string) {
	said.Do(func() {
		_, _ = fmt.Fprintf(os.Stderr, "redistest: there is no redis-server: %s and all other tests with Redis are SKIPPED\n", first)
	})
}
