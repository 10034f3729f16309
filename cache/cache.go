// Package cache keeps answers in memory, bounded, and shares them with other
// instances through Redis where there is one.
//
// Every value has tags, which name what it was made of. Invalidate makes all
// values with a tag stale, and the one promise that everything here serves is:
// once Invalidate has returned, no Get that begins on this instance is given
// what was loaded before, wherever it was kept or still on its way. Whoever
// commits a change therefore sees to it that Invalidate is called on every
// instance, and tells by Options.Fresh when that is not sure.
//
// Redis makes a cache better, never worse: without it, or while it does not
// answer, values are loaded from the source and kept in memory.
package cache

import (
	"context"
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/singleflight"

	"github.com/accord-api/accord/memory"
)

const (
	// overhead is what an entry takes beside its key and its value, in bytes.
	overhead = 256
	// defaultTimeout is some hundred times what a Redis nearby takes.
	defaultTimeout = 100 * time.Millisecond
)

// Options are what a Cache needs.
type Options[V any] struct {
	// MaxBytes bounds the memory that is taken, as Weigh measures it, with the
	// keys and some 256 bytes an entry. Required.
	MaxBytes int64
	// Weigh gives the size of a value in bytes. Required.
	Weigh func(V) int
	// Now replaces time.Now, for tests.
	Now func() time.Time
	// Fresh tells whether invalidations by other instances arrive right now.
	// While it is false nothing is taken from the cache nor put into it: every
	// Get loads. Call InvalidateAll before it becomes true again if any may have
	// been lost. Nil means that they always arrive.
	Fresh func() bool
	// Log gets what goes wrong with Redis; nil discards it.
	Log *slog.Logger

	// Shared is the Redis that the instances share, version 7 or newer; nil
	// means memory only. It has to keep to the deadlines of contexts
	// (ContextTimeoutEnabled) and should try nothing twice. Servers that are asked for nothing but the newest
	// state will do: one, or the master that Sentinel names, but no Cluster,
	// where no script sees all tags.
	Shared *redis.Client
	// Prefix begins all keys in Redis. Required with Shared, and to be shared
	// with nothing else on that server, whatever the number of its database.
	// Change it when the encoding changes.
	Prefix string
	// Name gives what a key or a tag is called in Redis, where others may read it.
	// Nil calls it by itself.
	Name func(string) string
	// Timeout bounds each call of Redis; 100 ms if 0.
	Timeout time.Duration
	// Encode and Decode turn a value into bytes and back. Required with Shared.
	// An error means that the value is not shared, or is loaded.
	Encode func(V) ([]byte, error)
	Decode func([]byte) (V, error)
}

// Cache keeps values under keys. Make one with New. It is safe for concurrent
// use; so must be its values, which all callers share: nobody may change them.
type Cache[V any] struct {
	fresh       func() bool
	weigh       func(V) int
	elapsed     func() time.Duration
	memory      memory.Store[string, *entry]
	generations generations
	flights     singleflight.Group

	shared *shared // nil: memory only
	encode func(V) ([]byte, error)
	decode func([]byte) (V, error)
	log    *slog.Logger

	hits, sharedHits, misses atomic.Int64
}

// Stats are counts since New, for metrics.
type Stats struct {
	// Hits were given from memory, or what another Get was loading; SharedHits came
	// from Redis; Misses were loaded.
	Hits, SharedHits, Misses int64
	// Entries and Bytes are what is in memory right now.
	Entries int
	Bytes   uint64
	// Shared says whether there is a Redis; Answers whether it has answered when it
	// was last asked, and Failures how often it has not.
	Shared, Answers bool
	Failures        int64
}

// Stats gives the counts so far.
func (c *Cache[V]) Stats() Stats {
	stats := Stats{
		Hits: c.hits.Load(), SharedHits: c.sharedHits.Load(), Misses: c.misses.Load(),
		Entries: c.memory.EstimatedSize(), Bytes: c.memory.WeightedSize(),
	}
	if c.shared != nil {
		stats.Shared, stats.Answers, stats.Failures = true, !c.shared.down.Load(), c.shared.failures.Load()
	}
	return stats
}

// entry is a value in memory. Its type is not that of the cache, so that all caches
// have one store, compiled once.
type entry struct {
	value any
	until time.Duration // on the cache's clock
	// generation was the sum of the slots before the value was loaded.
	slots      []uint16
	generation uint64
	weight     uint32
}

func newStore(maxBytes uint64) memory.Store[string, *entry] {
	return memory.Weighed(maxBytes, func(_ string, e *entry) uint32 { return e.weight })
}

// New returns an empty cache. It panics if a required option is missing.
func New[V any](o Options[V]) *Cache[V] {
	if o.MaxBytes <= 0 || o.Weigh == nil {
		panic("cache: MaxBytes and Weigh are required")
	}
	if o.Shared != nil && (o.Prefix == "" || o.Encode == nil || o.Decode == nil) {
		panic("cache: Shared requires Prefix, Encode and Decode")
	}
	o = withDefaults(o)
	start := o.Now()
	c := &Cache[V]{
		fresh: o.Fresh, weigh: o.Weigh, encode: o.Encode, decode: o.Decode, log: o.Log,
		elapsed: func() time.Duration { return o.Now().Sub(start) },
		memory:  newStore(uint64(o.MaxBytes)),
	}
	if o.Shared != nil {
		c.shared = newShared(o.Shared, o.Prefix, o.Name, o.Timeout, c.elapsed, o.Log)
	}
	return c
}

func withDefaults[V any](o Options[V]) Options[V] {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Fresh == nil {
		o.Fresh = func() bool { return true }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Name == nil {
		o.Name = func(name string) string { return name }
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	return o
}

// Get gives the value that is kept under key, or else loads it. ttl is how long
// a value may be given after its load began. The same key always comes with the
// same tags.
//
// A key is loaded once at a time, and all who ask meanwhile are given the
// outcome, each waiting no longer than its own context lasts. The load keeps
// the values and the deadline of the context of the one who began it, but is
// not cancelled with it. It returns whether the value may be kept; an error is
// given to those who waited, and never kept. A panic of load goes on in all who
// waited.
//
// The errors are those of load and of ctx.
func (c *Cache[V]) Get(ctx context.Context, key string, ttl time.Duration, tags []string, load func(ctx context.Context) (v V, store bool, err error)) (V, error) {
	if !c.fresh() {
		c.misses.Add(1)
		v, _, err := load(ctx)
		return v, err
	}
	if v, ok := c.kept(key); ok {
		c.hits.Add(1)
		return v, nil
	}
	return c.await(ctx, request[V]{key: key, ttl: ttl, tags: tags, load: load})
}

func (c *Cache[V]) kept(key string) (v V, ok bool) {
	e, ok := c.memory.GetIfPresent(key)
	if !ok || c.elapsed() >= e.until || c.generations.sum(e.slots) != e.generation {
		return v, false
	}
	v, _ = e.value.(V) // only obtain puts values in; an interface may be nil
	return v, true
}

func (c *Cache[V]) keep(key string, v V, e entry) {
	e.value = v
	e.weight = uint32(min(int64(overhead)+int64(len(key))+int64(c.weigh(v)), math.MaxUint32)) //nolint:gosec // min sees to it
	c.memory.Set(key, &e)
}

// Invalidate makes everything stale that has one of the tags and was loaded
// before. It takes at most Options.Timeout, and works whatever becomes of Redis.
// It goes on if ctx ends.
func (c *Cache[V]) Invalidate(ctx context.Context, tags ...string) {
	if c.shared != nil {
		// Redis first: otherwise a Get between the two could take the old value
		// from there back into memory.
		c.shared.forget(ctx, tags)
	}
	c.generations.advance(tags)
}

// InvalidateAll makes everything stale that was loaded before, for all instances
// that share a Redis: for use after a time in which invalidations may have been
// lost. It takes at most Options.Timeout, and goes on if ctx ends.
func (c *Cache[V]) InvalidateAll(ctx context.Context) {
	if c.shared != nil {
		c.shared.forgetAll(ctx)
	}
	c.generations.advanceAll()
	c.memory.InvalidateAll()
}
