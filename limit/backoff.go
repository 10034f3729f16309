package limit

import (
	"sync"
	"time"
)

const (
	firstRefusal = time.Second
	maxRefusal   = 900 * time.Second
	// quiet is how long after the end of its last refusal a key's failures
	// are forgotten.
	quiet = time.Hour
	// maxParallel is how many attempts a key without failures may have under
	// way: enough for one person's devices, and a bound on the guesses that
	// are made before the first failure is known.
	maxParallel = 4
	// busyWait is what those hear who come while too many are under way.
	busyWait = time.Second
)

// Backoff refuses a key for longer and longer the more of its attempts have
// failed in a row: after the n-th failure for 1, 2, 4 ... 900 seconds. It never
// sleeps: the caller is told how long to wait. It is safe for concurrent use,
// and guesses made in parallel count like guesses made in turn: while a key has
// failures one attempt of it is under way at most, else four.
type Backoff struct {
	mu       sync.Mutex
	clock    clock
	attempts table[*record]
}

// record is what is known of one key.
type record struct {
	failures     int
	running      int
	refusedUntil int64
	failedAt     int64 // when the last failure was seen
}

// Attempt is an attempt that was let through. End it with Fail, Succeed or
// Cancel; only the first of these counts, so that `defer attempt.Cancel()`
// covers every way out. An attempt that is never ended occupies its key.
type Attempt struct {
	backoff *Backoff
	key     string
	record  *record
	ended   bool
	// failedAt is when it failed, and failedBefore when the failure before was seen.
	failedAt, failedBefore int64
}

// NewBackoff returns a Backoff that has seen no failures.
func NewBackoff(opts ...Option) *Backoff {
	o := newOptions(opts)
	return &Backoff{clock: newClock(o.now), attempts: newTable[*record](o.maxKeys)}
}

// Begin starts an attempt of key. A wait above zero means that it is refused
// for that long, and then there is no attempt. A refused attempt does not count
// as a failure.
func (b *Backoff) Begin(key string) (attempt *Attempt, wait time.Duration) {
	return b.begin(key, nil)
}

// begin is Begin with what was heard of other processes, if anything was.
func (b *Backoff) begin(key string, h *heard) (attempt *Attempt, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()

	now := b.clock.read()
	r := b.recordOf(key, now)
	if h != nil {
		r.learn(now, h)
		wait = h.wait
	}
	if wait = max(wait, r.refusal(now)); wait > 0 {
		b.dropIdle(key)
		return nil, wait
	}
	r.running++
	return &Attempt{backoff: b, key: key, record: r}, 0
}

// Forget forgets a key's failures; attempts that are under way count as before.
func (b *Backoff) Forget(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()

	if r, ok := b.attempts.Peek(key); ok {
		r.failures, r.refusedUntil = 0, 0
		b.dropIdle(key)
	}
}

func (b *Backoff) recordOf(key string, now int64) *record {
	r, ok := b.attempts.Get(key)
	if !ok {
		b.attempts.sweep(func(r *record) bool { return r.running == 0 && r.forgotten(now) })
		r = new(record)
		b.attempts.Add(key, r)
	}
	r.forget(now)
	return r
}

func (r *record) forgotten(now int64) bool {
	return now >= r.refusedUntil+int64(quiet)
}

// forget forgets what failed too long ago. An attempt's end asks it as well as a
// begin, so that it is the same whether another has begun in between.
func (r *record) forget(now int64) {
	if r.forgotten(now) {
		r.failures = 0
	}
}

// learn adds what was heard. Where an attempt has succeeded since the last failure
// seen here, what was heard is all there is to know; else nothing is forgotten
// that was seen while nothing could be heard.
func (r *record) learn(now int64, h *heard) {
	if int64(h.success) <= now-r.failedAt {
		r.failures, r.refusedUntil = 0, 0
	}
	if h.failures > r.failures {
		r.failures, r.failedAt = h.failures, now
	}
	r.refusedUntil = max(r.refusedUntil, now+int64(h.refusal))
}

// refusal is how long an attempt has to wait, 0 if it may go on.
func (r *record) refusal(now int64) time.Duration {
	if r.failures == 0 {
		if r.running < maxParallel {
			return 0
		}
		return busyWait
	}
	if now < r.refusedUntil {
		return time.Duration(r.refusedUntil - now)
	}
	if r.running > 0 {
		return busyWait
	}
	return 0
}

// Fail ends the attempt as a failure: its key is refused from now on for twice
// as long as after the failure before.
func (a *Attempt) Fail() { a.end(a.failed) }

func (a *Attempt) failed() {
	b := a.backoff
	r, ok := b.attempts.Peek(a.key)
	if !ok {
		// Forgotten for want of room while the attempt was under way; the
		// failure must count all the same.
		r = a.record
		b.attempts.Add(a.key, r)
	}
	a.failedAt, a.failedBefore = b.clock.read(), r.failedAt
	r.forget(a.failedAt)
	r.failures++
	r.failedAt = a.failedAt
	r.refusedUntil = r.failedAt + int64(refusalAfter(r.failures))
}

// recount takes back what was counted twice: where another process has seen a success
// between the attempt's failure and the one before, those before it count no more.
func (a *Attempt) recount(h *heard) {
	b := a.backoff
	b.mu.Lock()
	defer b.mu.Unlock()

	r, ok := b.attempts.Peek(a.key)
	if ok && r.failedAt == a.failedAt && 0 < h.failures && h.failures < r.failures && int64(h.success) <= a.failedAt-a.failedBefore {
		r.failures = h.failures
		r.refusedUntil = r.failedAt + int64(refusalAfter(r.failures))
	}
}

// Succeed ends the attempt as a success, which forgets the key's failures.
func (a *Attempt) Succeed() { a.end(a.succeeded) }

func (a *Attempt) succeeded() {
	if r, ok := a.backoff.attempts.Peek(a.key); ok {
		r.failures, r.refusedUntil = 0, 0
	}
}

// Cancel ends the attempt as one that proved nothing: the failures stay as
// they were.
func (a *Attempt) Cancel() { a.end(a.cancelled) }

func (a *Attempt) cancelled() {}

// end says whether the attempt had not been ended before.
func (a *Attempt) end(settle func()) (first bool) {
	b := a.backoff
	b.mu.Lock()
	defer b.mu.Unlock()

	if a.ended {
		return false
	}
	a.ended = true
	a.record.running--
	settle()
	b.dropIdle(a.key)
	return true
}

// dropIdle makes room: a record that says nothing need not be kept.
func (b *Backoff) dropIdle(key string) {
	if r, ok := b.attempts.Peek(key); ok && r.running == 0 && r.failures == 0 {
		b.attempts.Remove(key)
	}
}

func refusalAfter(failures int) time.Duration {
	const doublings = 10 // 1024 s is past maxRefusal already
	return min(firstRefusal<<min(failures-1, doublings), maxRefusal)
}
