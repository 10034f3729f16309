// Package limit bounds what callers may do: how often in any span of time
// (Window), how soon after failures (Backoff) and how many at once (Gate).
//
// Everything here counts inside one process and forgets at its end, but for
// SharedWindow and SharedBackoff: they count over all processes by way of Redis,
// and in each process alone while Redis is out of reach.
//
// Keys are chosen by callers and so by attackers: Window and Backoff hold a
// bounded number of them and drop those least recently used first. In Redis they
// expire.
package limit

import (
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// defaultMaxKeys is some 20 MB of small windows at most.
const defaultMaxKeys = 100_000

// Option changes a default of a window or a backoff.
type Option func(*options)

type options struct {
	now     func() time.Time
	maxKeys int
}

// WithNow replaces time.Now, for tests. A clock that steps back is treated as
// one that stands still.
func WithNow(now func() time.Time) Option {
	return func(o *options) { o.now = now }
}

// WithMaxKeys sets how many keys are remembered at once; 100,000 if not given.
// Beyond it the key least recently used is forgotten, and with it what was
// counted for it.
func WithMaxKeys(n int) Option {
	return func(o *options) { o.maxKeys = n }
}

func newOptions(opts []Option) options {
	o := options{now: time.Now, maxKeys: defaultMaxKeys}
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// table maps keys to their states, least recently used first out. It is not
// safe for concurrent use: its owner's mutex guards it together with the states.
//
// A least-recently-used order and not a smarter one (TinyLFU) is meant: such a
// policy may refuse to admit a new key while it holds popular ones, which here
// would mean that the new key is never counted.
//
// It is an interface so that those who hold a window or a backoff do not compile the
// generic map behind it once more.
type table[S any] interface {
	Get(key string) (S, bool)
	Peek(key string) (S, bool) // does not count as use
	Add(key string, state S) (evicted bool)
	Remove(key string) (present bool)
	Len() int
	// sweep removes up to two of the keys longest unused whose states are dead.
	// Called once for each key added, it makes the table shrink to what is alive,
	// at a cost that no single call notices.
	sweep(dead func(S) bool)
}

type lru[S any] struct {
	*simplelru.LRU[string, S]
}

func newTable[S any](maxKeys int) table[S] {
	states, err := simplelru.NewLRU[string, S](maxKeys, nil)
	if err != nil {
		panic("limit: the number of keys must be positive")
	}
	return lru[S]{states}
}

func (t lru[S]) sweep(dead func(S) bool) {
	for range 2 {
		key, state, ok := t.GetOldest()
		if !ok || !dead(state) {
			return
		}
		t.Remove(key)
	}
}

// clock turns an injected wall clock into a time that only moves forward, as
// nanoseconds since its start. It needs its owner's mutex, too.
type clock struct {
	now    func() time.Time
	start  time.Time
	latest int64
}

func newClock(now func() time.Time) clock {
	return clock{now: now, start: now()}
}

func (c *clock) read() int64 {
	c.latest = max(c.latest, int64(c.now().Sub(c.start)))
	return c.latest
}
