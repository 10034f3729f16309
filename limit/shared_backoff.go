package limit

import (
	"context"
	"crypto/rand"
	_ "embed"
	"time"

	"github.com/redis/go-redis/v9"
)

// attemptLease is when an attempt counts as given up whose process does not say
// how it ended: longer than any attempt takes.
const attemptLease = 30 * time.Second

var (
	//go:embed backoff_begin.lua
	beginLua string
	//go:embed backoff_end.lua
	endLua string

	beginScript = redis.NewScript(beginLua)
	endScript   = redis.NewScript(endLua)
)

// What an attempt has come to, in the words of backoff_end.lua.
const (
	failed    = "failed"
	succeeded = "succeeded"
	cancelled = "cancelled"
)

// SharedBackoff is a Backoff over several processes: an attempt that fails in one
// is answered by refusals in all. Each process keeps what it has seen itself and
// what it has heard from Redis, and refuses whatever either of the two refuses,
// so that nothing opens up when Redis fails, or comes back without what it knew.
// A success forgets the failures in every process that can hear of it.
//
// Instants come from the processes' clocks, in microseconds. Where these differ,
// a refusal is longer or shorter by that difference. It is safe for concurrent
// use.
type SharedBackoff struct {
	local *Backoff
	redis *Redis // nil: the process refuses alone
	name  string
	now   func() time.Time
}

// SharedAttempt is an attempt that was let through. It is ended like an Attempt;
// one that is never ended, because its process has died, occupies its key for
// half a minute.
type SharedAttempt struct {
	local  *Attempt
	shared *SharedBackoff
	key    string // in Redis
	id     string
}

// NewSharedBackoff returns a Backoff that processes share which give it the same
// name, by way of r; with a nil r each refuses alone.
func NewSharedBackoff(r *Redis, name string, opts ...Option) *SharedBackoff {
	return &SharedBackoff{local: NewBackoff(opts...), redis: r, name: "backoff:" + name, now: newOptions(opts).now}
}

// Begin starts an attempt of key, as Backoff.Begin does. It waits for Redis no
// longer than RedisConfig.Timeout, and so does the attempt's end.
func (b *SharedBackoff) Begin(ctx context.Context, key string) (attempt *SharedAttempt, wait time.Duration) {
	a := &SharedAttempt{shared: b, id: "attempt:" + rand.Text()}
	h := b.ask(ctx, a, key)
	a.local, wait = b.local.begin(key, h)
	if wait == 0 {
		return a, 0
	}
	if h == nil || h.wait == 0 { // it has begun in Redis, or may have
		b.tell(ctx, a, cancelled)
	}
	return nil, wait
}

// Forget forgets a key's failures in every process that can hear of it, as the
// success of an attempt does.
func (b *SharedBackoff) Forget(ctx context.Context, key string) {
	if b.redis != nil { // first, or they would be heard of again
		b.tell(ctx, &SharedAttempt{key: b.redis.name(b.name, key), id: "attempt:" + rand.Text()}, succeeded)
	}
	b.local.Forget(key)
}

// heard is what all processes together know of a key.
type heard struct {
	wait time.Duration // 0: the attempt may begin
	// failures in a row, and for how long they refuse from now on, perhaps below
	// zero.
	failures int
	refusal  time.Duration
	// success is how long ago an attempt last succeeded.
	success time.Duration
}

// ask begins the attempt in Redis. It gives nil where only this process is left
// to decide.
func (b *SharedBackoff) ask(ctx context.Context, a *SharedAttempt, key string) *heard {
	if b.redis == nil {
		return nil
	}
	a.key = b.redis.name(b.name, key)
	now := b.now()
	answer, err := b.redis.run(ctx, beginScript, 4, a.key,
		a.id, now.UnixMicro(), now.Add(attemptLease).UnixMicro(), micros(quiet), maxParallel, micros(busyWait), backoffExpiry)
	if err != nil {
		return nil
	}
	return &heard{
		wait: fromMicros(answer[0]), failures: int(answer[1]),
		refusal: fromMicros(answer[2]), success: fromMicros(answer[3]),
	}
}

// backoffExpiry is in milliseconds: a key says nothing any more when the longest
// refusal and the quiet after it are over.
const backoffExpiry = int64((maxRefusal + quiet + expiryMargin) / time.Millisecond)

// tell ends the attempt in Redis, and gives what is known of the key then. Where that
// fails, it gives nil, the attempt counts as given up after attemptLease, and a failure
// is known to this process alone.
func (b *SharedBackoff) tell(ctx context.Context, a *SharedAttempt, outcome string) *heard {
	if b.redis == nil {
		return nil
	}
	answer, err := b.redis.run(ctx, endScript, 2, a.key,
		a.id, outcome, b.now().UnixMicro(), micros(quiet), micros(firstRefusal), micros(maxRefusal), backoffExpiry)
	if err != nil {
		return nil
	}
	return &heard{failures: int(answer[0]), success: fromMicros(answer[1])}
}

// Fail ends the attempt as a failure, in every process.
func (a *SharedAttempt) Fail(ctx context.Context) { a.end(ctx, a.local.failed, failed) }

// Succeed ends the attempt as a success, which forgets the key's failures.
func (a *SharedAttempt) Succeed(ctx context.Context) { a.end(ctx, a.local.succeeded, succeeded) }

// Cancel ends the attempt as one that proved nothing.
func (a *SharedAttempt) Cancel(ctx context.Context) { a.end(ctx, a.local.cancelled, cancelled) }

func (a *SharedAttempt) end(ctx context.Context, settle func(), outcome string) {
	if !a.local.end(settle) {
		return
	}
	if h := a.shared.tell(ctx, a, outcome); h != nil && outcome == failed {
		a.local.recount(h)
	}
}
