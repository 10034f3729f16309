package cache

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// prefix of all keys; the braces keep them in one slot of a Redis cluster.
	prefix = "{accord}:cache:"
	// epoch is the version that everything has beside those of its tags.
	epoch = prefix + "epoch"
	// sharedTimeout bounds each question to Redis, and sharedPause is how long
	// there is none after one has failed.
	sharedTimeout = 100 * time.Millisecond
	sharedPause   = time.Second
	// versionMemory is how long a version is kept. One that is lost is no harm:
	// what carries it is stale from then on.
	versionMemory = 24 * time.Hour
)

// shared are values in Redis. Each carries the versions that its tags had before
// it was loaded, and is current while they are the same. Versions are random, so
// that one that was lost and made anew never equals an earlier one. The methods
// of a nil shared do nothing.
type shared[V any] struct {
	o Options[V]

	mu sync.Mutex
	// paused is until when Redis is not asked.
	paused time.Time
	// lost counts invalidations that Redis was not told. Nothing in there counts
	// until the epoch has another version, which mends those up to mended.
	lost, mended uint64
}

func newShared[V any](o Options[V]) *shared[V] { return &shared[V]{o: o} }

// sharedEntry is what is stored.
type sharedEntry struct {
	Versions []string
	Expires  time.Time
	Value    []byte
}

// versionKeys of the epoch and the tags.
func versionKeys(tags []string) []string {
	keys := []string{epoch}
	for _, tag := range tags {
		keys = append(keys, prefix+"tag:"+tag)
	}
	return keys
}

// get reads a value and the versions that it has to have, in one round trip.
func (s *shared[V]) get(ctx context.Context, key string, tags []string) (e entry[V], ok bool) {
	if s == nil {
		return e, false
	}
	var found []any
	if !s.ask(ctx, "reading", func(ctx context.Context) (err error) {
		found, err = s.o.Shared.MGet(ctx, append(versionKeys(tags), prefix+"key:"+key)...).Result()
		return err
	}) {
		return e, false
	}
	var stored sharedEntry
	text, _ := found[len(found)-1].(string)
	if json.Unmarshal([]byte(text), &stored) != nil || !sameVersions(found[:len(found)-1], stored.Versions) || !s.o.Now().Before(stored.Expires) {
		return e, false
	}
	value, err := s.o.Decode(stored.Value)
	return entry[V]{value: value, tags: tags, expires: stored.Expires}, err == nil
}

func sameVersions(found []any, stored []string) bool {
	return slices.EqualFunc(found, stored, func(f any, s string) bool { return f == any(s) })
}

// versions gives those of now, made where there are none; nil where Redis does
// not answer.
func (s *shared[V]) versions(ctx context.Context, tags []string) (versions []string) {
	if s == nil {
		return nil
	}
	s.ask(ctx, "reading versions", func(ctx context.Context) error {
		pipe := s.o.Shared.Pipeline()
		var found []*redis.StringCmd
		for _, key := range versionKeys(tags) {
			pipe.SetNX(ctx, key, rand.Text(), versionMemory)
			found = append(found, pipe.Get(ctx, key))
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
		for _, version := range found {
			versions = append(versions, version.Val())
		}
		return nil
	})
	return versions
}

// set stores a value with the versions that were read before it was loaded.
func (s *shared[V]) set(ctx context.Context, key string, e entry[V], versions []string) {
	if s == nil || versions == nil {
		return
	}
	value, err := s.o.Encode(e.value)
	if err != nil {
		s.o.Log.WarnContext(ctx, "encoding a value for Redis", "error", err)
		return
	}
	data, err := json.Marshal(sharedEntry{Versions: versions, Expires: e.expires, Value: value})
	if err != nil {
		s.o.Log.WarnContext(ctx, "encoding a value for Redis", "error", err)
		return
	}
	s.ask(ctx, "storing", func(ctx context.Context) error {
		return s.o.Shared.Set(ctx, prefix+"key:"+key, data, e.expires.Sub(s.o.Now())).Err()
	})
}

// invalidate gives the tags new versions.
func (s *shared[V]) invalidate(ctx context.Context, tags []string) {
	s.renew(ctx, versionKeys(tags)[1:])
}

// invalidateAll gives the epoch a new version.
func (s *shared[V]) invalidateAll(ctx context.Context) { s.renew(ctx, []string{epoch}) }

func (s *shared[V]) renew(ctx context.Context, keys []string) {
	if s == nil {
		return
	}
	renewed := s.ask(context.WithoutCancel(ctx), "invalidating", func(ctx context.Context) error {
		pipe := s.o.Shared.Pipeline()
		for _, key := range keys {
			pipe.Set(ctx, key, rand.Text(), versionMemory)
		}
		_, err := pipe.Exec(ctx)
		return err
	})
	if !renewed {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.lost++
	}
}

// ask puts a question to Redis and says whether it was answered.
func (s *shared[V]) ask(ctx context.Context, what string, question func(context.Context) error) bool {
	if s.isPaused() {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, sharedTimeout)
	defer cancel()
	err := s.mend(ctx)
	if err == nil {
		err = question(ctx)
	}
	if err != nil {
		s.pause()
		s.o.Log.WarnContext(ctx, what+" in Redis", "error", err)
	}
	return err == nil
}

// mend renews the epoch if Redis was not told of an invalidation.
func (s *shared[V]) mend(ctx context.Context) error {
	s.mu.Lock()
	lost, mended := s.lost, s.mended
	s.mu.Unlock()
	if lost == mended {
		return nil
	}
	if err := s.o.Shared.Set(ctx, epoch, rand.Text(), versionMemory).Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mended = max(s.mended, lost)
	return nil
}

func (s *shared[V]) isPaused() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Before(s.paused)
}

func (s *shared[V]) pause() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = time.Now().Add(sharedPause)
}
