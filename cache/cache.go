// Package cache keeps values in memory, bounded, and shares them through Redis
// where there is one. A value is kept under a key until its time is over or one
// of its tags is invalidated: nothing that was loaded before an Invalidate is
// given to who asks after it.
package cache

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/redis/go-redis/v9"
)

// maxTags bounds for how many tags it is remembered when they were invalidated.
// Beyond it everything is forgotten.
const maxTags = 100_000

// Options are what a cache is made of.
type Options[V any] struct {
	// MaxBytes bounds what is kept in memory, as Weigh counts it.
	MaxBytes int64
	Weigh    func(V) int
	// Now replaces time.Now.
	Now func() time.Time
	// Fresh says whether the invalidations of other instances arrive. While they
	// do not, nothing is kept or given: every Get loads. nil means always.
	Fresh func() bool
	// Shared is a Redis that other instances use as well; nil for none. Encode and
	// Decode are needed with it.
	Shared redis.UniversalClient
	Encode func(V) ([]byte, error)
	Decode func([]byte) (V, error)
	// Log gets what fails in Redis, which is otherwise no harm; nil discards it.
	Log *slog.Logger
}

// Cache keeps values of one type; it is safe for concurrent use.
type Cache[V any] struct {
	o      Options[V]
	memory *otter.Cache[string, entry[V]]
	shared *shared[V] // nil without Redis

	mu      sync.RWMutex
	flights map[string]*flight[V]
	// sequence counts invalidations. stale says at which one a tag was invalidated
	// last; what began to be loaded before floor is stale whatever its tags.
	sequence, floor uint64
	stale           map[string]invalidation
	longest         time.Duration // the largest TTL so far
}

type invalidation struct {
	sequence uint64
	at       time.Time
}

// entry is a kept value. sequence is that of the cache when its loading began.
type entry[V any] struct {
	value    V
	tags     []string
	sequence uint64
	expires  time.Time
}

// New makes an empty cache.
func New[V any](o Options[V]) *Cache[V] {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Fresh == nil {
		o.Fresh = func() bool { return true }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Cache[V]{o: o, flights: map[string]*flight[V]{}, stale: map[string]invalidation{}}
	c.memory = otter.Must(&otter.Options[string, entry[V]]{
		MaximumWeight: uint64(o.MaxBytes), //nolint:gosec // a bound of memory is positive
		Weigher: func(key string, e entry[V]) uint32 {
			return uint32(len(key) + o.Weigh(e.value)) //nolint:gosec // far below
		},
	})
	if o.Shared != nil {
		c.shared = newShared(o)
	}
	return c
}

// Load gives the value for a key. Unless keep is true, it is given to those who
// wait for it and not kept.
type Load[V any] func(ctx context.Context) (value V, keep bool, err error)

// Get gives the value that is kept under the key, or loads it: one load at a
// time, for which others wait, each until its own ctx ends. The load goes on
// when its first caller has gone; it keeps that caller's deadline and values.
func (c *Cache[V]) Get(ctx context.Context, key string, ttl time.Duration, tags []string, load Load[V]) (V, error) {
	if !c.o.Fresh() {
		value, _, err := load(ctx)
		return value, err
	}
	if e, ok := c.memory.GetIfPresent(key); ok && c.o.Now().Before(e.expires) && c.current(e.sequence, e.tags) {
		return e.value, nil
	}
	return c.join(ctx, key, ttl, tags, load).wait(ctx)
}

// current says whether nothing that a value is made of was invalidated since its
// loading began.
func (c *Cache[V]) current(sequence uint64, tags []string) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.currentLocked(sequence, tags)
}

func (c *Cache[V]) currentLocked(sequence uint64, tags []string) bool {
	for _, tag := range tags {
		if c.stale[tag].sequence > sequence {
			return false
		}
	}
	return sequence >= c.floor
}

// flight is a load that is under way.
type flight[V any] struct {
	sequence uint64
	done     chan struct{}
	value    V
	err      error
	panicked any
}

// join gives the flight for a key: the one that is under way, unless what it
// loads was invalidated after it had begun, or a new one.
func (c *Cache[V]) join(ctx context.Context, key string, ttl time.Duration, tags []string, load Load[V]) *flight[V] {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.flights[key]; f != nil && c.currentLocked(f.sequence, tags) {
		return f
	}
	f := &flight[V]{sequence: c.sequence, done: make(chan struct{})}
	c.flights[key] = f
	c.longest = max(c.longest, ttl)
	go c.fly(ctx, f, key, ttl, tags, load)
	return f
}

// fly loads, keeps, and lets those who wait go on.
func (c *Cache[V]) fly(ctx context.Context, f *flight[V], key string, ttl time.Duration, tags []string, load Load[V]) {
	defer func() {
		f.panicked = recover() // told to those who wait: nobody else could recover it
		c.land(key, f)
	}()
	ctx, cancel := detach(ctx)
	defer cancel()
	if e, ok := c.shared.get(ctx, key, tags); ok {
		e.sequence, f.value = f.sequence, e.value
		c.memory.Set(key, e)
		return
	}
	versions := c.shared.versions(ctx, tags)
	var keep bool
	f.value, keep, f.err = load(ctx)
	if f.err == nil && keep {
		e := entry[V]{value: f.value, tags: tags, sequence: f.sequence, expires: c.o.Now().Add(ttl)}
		c.memory.Set(key, e)
		c.shared.set(ctx, key, e, versions)
	}
}

func (c *Cache[V]) land(key string, f *flight[V]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flights[key] == f {
		delete(c.flights, key)
	}
	close(f.done)
}

func (f *flight[V]) wait(ctx context.Context) (V, error) {
	select {
	case <-f.done:
		if f.panicked != nil {
			panic(f.panicked)
		}
		return f.value, f.err
	case <-ctx.Done():
		var zero V
		return zero, ctx.Err()
	}
}

// detach gives a context that keeps ctx's values and deadline but not its
// cancellation.
func detach(ctx context.Context) (context.Context, context.CancelFunc) {
	free := context.WithoutCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(free, deadline)
	}
	return free, func() {}
}

// Invalidate makes everything with one of the tags stale, here and in Redis. Each
// instance has to call it for each change.
func (c *Cache[V]) Invalidate(ctx context.Context, tags ...string) {
	if len(tags) == 0 {
		return
	}
	c.shared.invalidate(ctx, tags) // first: what is stale there must not come back
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sequence++
	now := c.o.Now()
	for _, tag := range tags {
		c.stale[tag] = invalidation{c.sequence, now}
	}
	if len(c.stale) > maxTags {
		c.prune(now)
	}
}

// prune forgets invalidations that are older than anything that is kept.
func (c *Cache[V]) prune(now time.Time) {
	for tag, i := range c.stale {
		if now.Sub(i.at) > c.longest {
			delete(c.stale, tag)
		}
	}
	if len(c.stale) > maxTags/2 { // too many at once to be told apart
		c.floor = c.sequence
		clear(c.stale)
	}
}

// InvalidateAll makes everything stale: after a time in which invalidations may
// have been missed.
func (c *Cache[V]) InvalidateAll(ctx context.Context) {
	c.shared.invalidateAll(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sequence++
	c.floor = c.sequence
	clear(c.stale)
}
