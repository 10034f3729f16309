package limit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// outageRest is how long Redis is left alone after it has failed to answer.
const outageRest = time.Second

// errResting is returned while Redis is left alone after a failure.
var errResting = errors.New("Redis has failed to answer a moment ago")

// Redis is where several processes count together: what SharedWindow and
// SharedBackoff need of it. A failure of Redis is never theirs: it is logged
// here once for each outage, and until Redis answers again, each process goes by
// what it has counted itself. It is safe for concurrent use.
type Redis struct {
	client  redis.Scripter
	blind   func(string) string
	log     *slog.Logger
	timeout time.Duration
	breaker *breaker
	// failures counts calls that were not answered.
	failures atomic.Int64
}

// RedisConfig says how Redis is reached. All of it is required.
type RedisConfig struct {
	// Client should not try again by itself and must heed deadlines of contexts
	// (ContextTimeoutEnabled). Whoever made it closes it.
	Client redis.Scripter
	// Blind gives the name that stands for a key in Redis, the same in every
	// process and of no use to a reader: keys are addresses of people.
	Blind func(key string) string
	// Log is told of each outage, and of its end.
	Log *slog.Logger
	// Timeout is how long Redis may take to answer. When it does not, those wait
	// for so long who have asked already, and then one caller in a second.
	Timeout time.Duration
}

// NewRedis returns the store behind c.Client. It does not try to reach it.
func NewRedis(c RedisConfig) *Redis {
	return &Redis{client: c.Client, blind: c.Blind, log: c.Log, timeout: c.Timeout, breaker: newBreaker(outageRest)}
}

// name is the key in Redis of one key of the limit that is called so.
func (r *Redis) name(limit, key string) string {
	return "accord:limit:" + limit + ":" + r.blind(key)
}

// run runs a script that answers with want numbers, within the timeout. The caller's context ends nothing: what a client has asked for counts, even if it does not wait
// for the answer.
func (r *Redis) run(ctx context.Context, script *redis.Script, want int, key string, args ...any) ([]int64, error) {
	if !r.breaker.tries() {
		return nil, errResting
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.timeout)
	defer cancel()
	answer, err := script.Run(bounded, r.client, []string{key}, args...).Int64Slice()
	if err == nil && len(answer) != want {
		err = fmt.Errorf("the script answers with %d numbers instead of %d", len(answer), want)
	}
	r.note(ctx, err)
	return answer, err
}

// Health says whether Redis has answered when it was last asked, true before the
// first time, and how many calls it has failed to answer so far. For metrics.
func (r *Redis) Health() (answers bool, failures int64) {
	return !r.breaker.isOpen(), r.failures.Load()
}

// note tells the log when an outage begins and when it ends.
func (r *Redis) note(ctx context.Context, err error) {
	if err != nil {
		r.failures.Add(1)
	}
	switch {
	case err != nil && r.breaker.open():
		r.log.WarnContext(ctx, "Redis fails: until it answers again, limits hold in each process alone", "error", err)
	case err == nil && r.breaker.close():
		r.log.InfoContext(ctx, "Redis answers again: limits are shared")
	}
}

// micros is d in microseconds, rounded up: Redis counts with numbers that hold
// no more than that of the time since 1970 exactly.
func micros(d time.Duration) int64 {
	return int64((d + time.Microsecond - 1) / time.Microsecond)
}

func fromMicros(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
