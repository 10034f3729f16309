package limit

import (
	"sync"
	"time"
)

// Window allows each key at most a number of calls in any span of time. It is
// exact: there is no span, wherever it begins, in which more were allowed. It
// remembers the instant of every allowed call for that, eight bytes each.
// Refused calls do not count. It is safe for concurrent use.
type Window struct {
	limit int
	span  int64

	mu    sync.Mutex
	clock clock
	calls table[*ring]
}

// Decision is the answer to one call.
type Decision struct {
	Allowed bool
	// Limit is the number of calls that a span may hold, Remaining how many
	// more would be allowed right now.
	Limit, Remaining int
	// Reset is the time until all of Limit is free again if no call follows.
	Reset time.Duration
	// RetryAfter is the time until the next call will be allowed: 0 unless
	// this one was refused.
	RetryAfter time.Duration
}

// NewWindow returns a window of at most limit calls in any span. It panics if
// either is not positive: both come from the contract, which is checked.
func NewWindow(limit int, span time.Duration, opts ...Option) *Window {
	if limit < 1 || span < 1 {
		panic("limit: a window needs a positive limit and span")
	}
	o := newOptions(opts)
	return &Window{
		limit: limit,
		span:  int64(span),
		clock: newClock(o.now),
		calls: newTable[*ring](o.maxKeys),
	}
}

// Take asks for one call of key and counts it if it is allowed.
func (w *Window) Take(key string) Decision {
	w.mu.Lock()
	defer w.mu.Unlock()

	now := w.clock.read()
	calls := w.callsOf(key, now)
	calls.dropUntil(now - w.span)

	if calls.len == w.limit {
		return w.refused(calls, now)
	}
	calls.push(now, w.limit)
	return Decision{
		Allowed:   true,
		Limit:     w.limit,
		Remaining: w.limit - calls.len,
		Reset:     time.Duration(w.span),
	}
}

// refused is the decision on a key whose calls fill the span before now.
func (w *Window) refused(calls *ring, now int64) Decision {
	return Decision{
		Limit:      w.limit,
		Reset:      time.Duration(calls.newest() + w.span - now),
		RetryAfter: time.Duration(calls.oldest() + w.span - now),
	}
}

// refusal is what Take would answer if it would refuse key; it is not ok if it
// would not. Nothing is counted.
func (w *Window) refusal(key string) (d Decision, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()

	calls, known := w.calls.Get(key)
	if !known {
		return Decision{}, false
	}
	now := w.clock.read()
	calls.dropUntil(now - w.span)
	if calls.len < w.limit {
		return Decision{}, false
	}
	return w.refused(calls, now), true
}

func (w *Window) callsOf(key string, now int64) *ring {
	if calls, ok := w.calls.Get(key); ok {
		return calls
	}
	w.calls.sweep(func(r *ring) bool { return r.len == 0 || r.newest() <= now-w.span })
	calls := new(ring)
	w.calls.Add(key, calls)
	return calls
}

// ring is a queue of instants in rising order that grows as it is needed: most
// keys never come near their limit.
type ring struct {
	at   []int64
	head int
	len  int
}

const ringStart = 4

func (r *ring) oldest() int64 { return r.at[r.head] }

func (r *ring) newest() int64 { return r.at[r.index(r.len-1)] }

func (r *ring) index(i int) int {
	i += r.head
	if i >= len(r.at) {
		i -= len(r.at)
	}
	return i
}

// dropUntil forgets the instants up to and including t.
func (r *ring) dropUntil(t int64) {
	for r.len > 0 && r.oldest() <= t {
		r.head = r.index(1)
		r.len--
	}
}

// push appends t, growing to at most limit places.
func (r *ring) push(t int64, limit int) {
	if r.len == len(r.at) {
		r.grow(min(limit, max(ringStart, 2*r.len)))
	}
	r.at[r.index(r.len)] = t
	r.len++
}

func (r *ring) grow(size int) {
	at := make([]int64, size)
	n := copy(at, r.at[r.head:])
	copy(at[n:], r.at[:r.head])
	r.at, r.head = at, 0
}
