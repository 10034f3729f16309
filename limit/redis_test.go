package limit_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"github.com/accord-api/accord/limit"
	"github.com/accord-api/accord/redistest"
)

// journal is a log that may be read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// silence is called once, since the client's logger is a variable that tests which
// run at once would all write. What it says comes back as an error as well.
var silence = sync.OnceFunc(logging.Disable)

func connect(t testing.TB, url string) *redis.Client {
	t.Helper()
	silence()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	options.ContextTimeoutEnabled, options.MaxRetries, options.DialerRetries = true, -1, 1
	options.ReadTimeout = time.Minute // what is tested is ours
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// process is what one process has of a Redis: a connection of its own. It is
// patient, so that a busy machine is not taken for an outage.
func process(t testing.TB, url string) (*limit.Redis, *journal) {
	t.Helper()
	return processWith(t, url, 10*time.Second)
}

func processWith(t testing.TB, url string, timeout time.Duration) (*limit.Redis, *journal) {
	t.Helper()
	log := &journal{}
	return limit.NewRedis(limit.RedisConfig{
		Client: connect(t, url), Blind: blind, Log: slog.New(slog.NewTextHandler(log, nil)), Timeout: timeout,
	}), log
}

func blind(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:16])
}

var serial atomic.Int64

// newName is a limit's name that nothing else has.
func newName() string { return fmt.Sprint("test", serial.Add(1)) }

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(15 * time.Second); !holds(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("it never came true that %s", what)
		}
	}
}

// answered fails a test that was to see Redis decide, and where it did not in
// time.
func answered(t testing.TB, log *journal) {
	t.Helper()
	if text := log.String(); text != "" {
		t.Errorf("Redis has not always decided: %s", text)
	}
}

// Each outage is told once, whatever the number of calls, and so is its end. It
// costs one wait a second, not one a call.
func TestRedisOutageIsToldOnceAndCostsLittle(t *testing.T) {
	t.Parallel()

	for name, outage := range map[string]struct{ begin, end func(*redistest.Server) }{
		"killed": {(*redistest.Server).Kill, (*redistest.Server).Restart},
		"hangs":  {(*redistest.Server).Pause, (*redistest.Server).Resume},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			r, log := processWith(t, server.URL(), 100*time.Millisecond)
			w := limit.NewSharedWindow(r, newName(), 1_000_000, time.Hour)
			w.Take(t.Context(), "a") // on a connection that the outage will find open
			outage.begin(server)
			began := time.Now()
			for range 200 {
				if !w.Take(t.Context(), "a").Allowed {
					t.Fatal("a call was refused")
				}
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("200 calls took %s", took)
			}
			if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "level=WARN") {
				t.Errorf("log %q", text)
			}

			outage.end(server)
			eventually(t, "the end of the outage is told", func() bool {
				w.Take(t.Context(), "a")
				return strings.Contains(log.String(), "Redis answers again")
			})
			if n := strings.Count(log.String(), "\n"); n != 2 {
				t.Errorf("%d lines: %s", n, log)
			}
		})
	}
}

// Nothing of a key is to be read in Redis, and nothing stays there for ever.
func TestRedisKeysTellNothingAndExpire(t *testing.T) {
	t.Parallel()

	url := redistest.URL(t)
	r, log := process(t, url)
	limit.NewSharedWindow(r, "login:field:email", 5, time.Minute).Take(t.Context(), "ada@example.com")
	b := limit.NewSharedBackoff(r, "login")
	for _, end := range []func(*limit.SharedAttempt){
		func(a *limit.SharedAttempt) { a.Fail(t.Context()) },
		func(a *limit.SharedAttempt) { a.Succeed(t.Context()) },
		func(a *limit.SharedAttempt) { a.Cancel(t.Context()) },
		func(*limit.SharedAttempt) {},
	} {
		attempt, _ := b.Begin(t.Context(), newName()+" 203.0.113.0/24")
		end(attempt)
	}
	answered(t, log)

	client := connect(t, url)
	most := map[string]time.Duration{
		"accord:limit:login:field:email:5/1m0s:" + blind("ada@example.com"): time.Minute + time.Second,
	}
	keys := client.Keys(t.Context(), "*").Val()
	if len(keys) != 3 { // nothing is to be known of what has succeeded or was cancelled
		t.Errorf("keys %v", keys)
	}
	for _, key := range keys {
		limit, ok := most[key]
		if !ok {
			limit = 75*time.Minute + time.Second
		}
		if left := client.PTTL(t.Context(), key).Val(); left <= limit-5*time.Second || left > limit {
			t.Errorf("%s expires in %s, want %s", key, left, limit)
		}
		if strings.Contains(key, "ada@") || strings.Contains(key, "203.") {
			t.Errorf("key %s", key)
		}
		delete(most, key)
	}
	if len(most) > 0 {
		t.Errorf("%v is missing among %v", most, keys)
	}
}
