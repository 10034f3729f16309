package redistest_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/accord-api/accord/redistest"
)

func connect(t *testing.T, url string) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	options.MaxRetries, options.ReadTimeout = -1, 100*time.Millisecond
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestEachCallHasADatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	first, second := connect(t, redistest.URL(t)), connect(t, redistest.URL(t))
	if err := first.Set(t.Context(), "a", 1, 0).Err(); err != nil {
		t.Fatal(err)
	}
	if n, err := second.Exists(t.Context(), "a").Result(); err != nil || n != 0 {
		t.Errorf("the second database has %d keys, %v", n, err)
	}
}

func TestServerOfATest(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	client := connect(t, s.URL())
	ping := func(what string, want bool) {
		t.Helper()
		if err := client.Ping(t.Context()).Err(); (err == nil) != want {
			t.Fatalf("%s: %v", what, err)
		}
	}
	ping("started", true)
	s.Pause()
	ping("paused", false)
	s.Resume()
	ping("resumed", true)
	s.Kill()
	ping("killed", false)
	s.Restart()
	ping("restarted", true)
}

// asChild makes the test binary start a server and die without a word.
const asChild = "ACCORD_REDISTEST_AS_CHILD"

// A process that is killed leaves neither server nor folder behind.
func TestServerEndsWithTheProcess(t *testing.T) {
	t.Parallel()
	if os.Getenv(asChild) != "" {
		_, _ = os.Stdout.WriteString(redistest.URL(t) + "\n")
		os.Exit(3)
	}
	redistest.URL(t) // skips where there is none
	child := exec.Command(os.Args[0], "-test.run=^TestServerEndsWithTheProcess$")
	child.Env = append(os.Environ(), asChild+"=1")
	out, _ := child.Output() // it dies on purpose
	url, _, _ := strings.Cut(string(out), "\n")
	socket := strings.TrimSuffix(strings.TrimPrefix(url, "unix://"), "?db=0")
	if !strings.HasSuffix(socket, "/redis.sock") {
		t.Fatalf("the child says %q", out)
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(15 * time.Second); ; <-tick.C {
		if _, err := os.Stat(strings.TrimSuffix(socket, "/redis.sock")); errors.Is(err, fs.ErrNotExist) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s is still there", socket)
		}
	}
}
