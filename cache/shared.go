package cache

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// restAfterFailure is how long Redis is left alone once it has failed.
	restAfterFailure = time.Second
	// versionLife is how long a version is kept in Redis. Losing one, for this or
	// any other reason, only makes its entries stale.
	versionLife = 24 * time.Hour
)

// findScript gives an entry and the stamp that entries have to begin with now:
// the versions of the epoch, which all entries have, and of the tags. A version
// is a random number that is made when it is missed: to drop it is to change it,
// and an old one never comes back.
//
// Nothing but a copy of an older state can bring one back, with the entries of
// its time: a restart from a snapshot, or a replica that becomes master without
// having seen all. Both know no scripts (SCRIPT LOAD is neither saved nor
// replicated since Redis 7, which the first line asks for), so they answer
// NOSCRIPT; and the script is only ever loaded together with the end of the
// epoch. Where it runs, the epoch is younger than the process that runs it. The
// prefix is part of the script, so that no other user of the server loads it.
const findScript = `#!lua
-- %q
local versions = {}
for i = 2, #KEYS do
  local version = redis.call('GET', KEYS[i])
  if not version then
    version = ARGV[1]
    redis.call('SET', KEYS[i], version, 'PX', ARGV[2])
  end
  versions[i - 1] = version
end
local stamp = table.concat(versions, ' ') .. '\n'
local entry = redis.call('GET', KEYS[1])
if entry and string.sub(entry, 1, #stamp) == stamp then
  return {stamp, entry, redis.call('PTTL', KEYS[1])}
end
return {stamp}`

// shared is the part of the cache that is in Redis.
type shared struct {
	client  *redis.Client
	prefix  string
	name    func(string) string
	script  string
	hash    string // of the script: how Redis knows it
	timeout time.Duration
	elapsed func() time.Duration
	log     *slog.Logger

	restUntil atomic.Int64 // on the clock elapsed
	down      atomic.Bool  // for the log: told once
	failures  atomic.Int64
	// doubts counts what may have made entries in Redis stale without Redis
	// knowing; settled is how many of them a new epoch has settled. Redis is
	// believed only if none is left.
	doubts, settled atomic.Uint64
	settling        sync.Mutex
}

// found is an entry that is not stale, and how long it may be given.
type found struct {
	payload []byte
	life    time.Duration
}

func newShared(client *redis.Client, prefix string, name func(string) string, timeout time.Duration, elapsed func() time.Duration, log *slog.Logger) *shared {
	script := fmt.Sprintf(findScript, prefix)
	return &shared{
		client: client, prefix: prefix, name: name, timeout: timeout, elapsed: elapsed, log: log,
		script: script, hash: redis.NewScript(script).Hash(),
	}
}

// find gives what is kept under key, nil if nothing is, and the stamp for what
// is loaded from now on: "" means that it cannot be shared.
func (s *shared) find(ctx context.Context, key string, tags []string) (stamp string, f *found) {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < s.timeout {
		return "", nil // a failure would be ours, not that of Redis
	}
	if s.resting() || !s.believed(ctx) {
		return "", nil
	}
	reply, err := s.ask(ctx, key, tags)
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		s.doubts.Add(1)
		if !s.believed(ctx) {
			return "", nil
		}
		reply, err = s.ask(ctx, key, tags)
	}
	if s.note(ctx, err); err != nil {
		return "", nil
	}
	return read(reply)
}

// ask runs the script.
func (s *shared) ask(ctx context.Context, key string, tags []string) ([]any, error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	keys := append([]string{s.entryKey(key), s.epochKey()}, s.tagKeys(tags)...)
	version := strconv.FormatUint(rand.Uint64(), 36)
	return s.client.EvalSha(ctx, s.hash, keys, version, versionLife.Milliseconds()).Slice()
}

// read takes the reply of the script apart.
func read(reply []any) (stamp string, f *found) {
	stamp, _ = reply[0].(string)
	if len(reply) < 3 {
		return stamp, nil
	}
	entry, _ := reply[1].(string)
	left, _ := reply[2].(int64)
	return stamp, &found{
		payload: []byte(strings.TrimPrefix(entry, stamp)),
		life:    time.Duration(left) * time.Millisecond,
	}
}

// put keeps a payload that was loaded after find had given the stamp.
func (s *shared) put(ctx context.Context, key, stamp string, payload []byte, life time.Duration) {
	if s.resting() || life < time.Millisecond {
		return
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	s.note(ctx, s.client.Set(ctx, s.entryKey(key), append([]byte(stamp), payload...), life).Err())
}

// forget drops the versions of the tags. If that cannot be done, Redis is not
// believed until a new epoch has begun.
func (s *shared) forget(ctx context.Context, tags []string) {
	if len(tags) > 0 {
		s.drop(ctx, s.tagKeys(tags)...)
	}
}

// forgetAll does so for all entries.
func (s *shared) forgetAll(ctx context.Context) { s.drop(ctx, s.epochKey()) }

func (s *shared) drop(ctx context.Context, keys ...string) {
	if s.resting() {
		s.doubts.Add(1)
		return
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	err := s.client.Del(ctx, keys...).Err()
	if err != nil {
		s.doubts.Add(1)
	}
	s.note(ctx, err)
}

// believed tells whether all entries that are stale are known to Redis as such.
// If not, one caller at a time tries to begin a new epoch.
func (s *shared) believed(ctx context.Context) bool {
	if s.doubts.Load() == s.settled.Load() {
		return true
	}
	if !s.settling.TryLock() {
		return false
	}
	defer s.settling.Unlock()
	doubts := s.doubts.Load() // a doubt that comes later needs an epoch of its own
	if !s.newEpoch(ctx) {
		return false
	}
	s.settled.Store(doubts)
	return s.doubts.Load() == doubts
}

// newEpoch makes all entries stale, and loads the script with that: neither is
// done without the other.
func (s *shared) newEpoch(ctx context.Context) bool {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	_, err := s.client.TxPipelined(ctx, func(tx redis.Pipeliner) error {
		tx.Del(ctx, s.epochKey())
		tx.ScriptLoad(ctx, s.script)
		return nil
	})
	s.note(ctx, err)
	return err == nil
}

func (s *shared) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), s.timeout)
}

func (s *shared) resting() bool { return int64(s.elapsed()) < s.restUntil.Load() }

// note takes down how a call ended, and logs when that has changed.
func (s *shared) note(ctx context.Context, err error) {
	switch {
	case err != nil:
		s.failures.Add(1)
		s.restUntil.Store(int64(s.elapsed() + restAfterFailure))
		if !s.down.Swap(true) {
			s.log.WarnContext(ctx, "Redis does not serve; answers are not shared until it does", "error", err)
		}
	case s.down.Load() && s.down.Swap(false):
		s.log.InfoContext(ctx, "Redis serves again; answers are shared")
	}
}

func (s *shared) entryKey(key string) string { return s.prefix + ":entry:" + s.name(key) }

func (s *shared) epochKey() string { return s.prefix + ":epoch" }

func (s *shared) tagKeys(tags []string) []string {
	keys := make([]string, len(tags))
	for i, tag := range tags {
		keys[i] = s.prefix + ":tag:" + s.name(tag)
	}
	return keys
}
