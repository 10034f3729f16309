package cache_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/accord-api/accord/cache"
	"github.com/accord-api/accord/redistest"
)

// source is what a cache stands before: a number that a test changes.
type source struct {
	value, loads atomic.Int64
}

func (s *source) load(context.Context) (int64, bool, error) {
	s.loads.Add(1)
	return s.value.Load(), true, nil
}

func options() cache.Options[int64] {
	return cache.Options[int64]{
		MaxBytes: 1 << 20, Weigh: func(int64) int { return 8 },
		Encode: func(v int64) ([]byte, error) { return strconv.AppendInt(nil, v, 10), nil },
		Decode: func(data []byte) (int64, error) { return strconv.ParseInt(string(data), 10, 64) },
	}
}

func get(t *testing.T, c *cache.Cache[int64], s *source, key string, tags ...string) int64 {
	t.Helper()
	v, err := c.Get(t.Context(), key, time.Minute, tags, s.load)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestKeepsUntilItsTimeOrATag(t *testing.T) {
	t.Parallel()
	now := time.Now()
	o := options()
	o.Now = func() time.Time { return now }
	c, s := cache.New(o), &source{}
	get(t, c, s, "k", "a", "b")
	s.value.Store(1)
	if got := get(t, c, s, "k", "a", "b"); got != 0 {
		t.Errorf("it was not kept: %d", got)
	}
	c.Invalidate(t.Context(), "other")
	if got := get(t, c, s, "k", "a", "b"); got != 0 {
		t.Errorf("another tag made it stale: %d", got)
	}
	c.Invalidate(t.Context(), "b")
	if got := get(t, c, s, "k", "a", "b"); got != 1 {
		t.Errorf("its tag did not make it stale: %d", got)
	}
	s.value.Store(2)
	now = now.Add(time.Minute)
	if got := get(t, c, s, "k", "a", "b"); got != 2 {
		t.Errorf("it was kept for longer than its time: %d", got)
	}
	s.value.Store(3)
	c.InvalidateAll(t.Context())
	if got := get(t, c, s, "k", "a", "b"); got != 3 {
		t.Errorf("it outlived everything: %d", got)
	}
}

func TestOneLoadAtATime(t *testing.T) {
	t.Parallel()
	c := cache.New(options())
	var loads atomic.Int64
	begun, finish := make(chan struct{}), make(chan struct{})
	load := func(context.Context) (int64, bool, error) {
		loads.Add(1)
		close(begun)
		<-finish
		return 7, true, nil
	}
	first, leave := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		_, err := c.Get(first, "k", time.Minute, nil, load)
		gone <- err
	}()
	<-begun
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if v, err := c.Get(t.Context(), "k", time.Minute, nil, load); v != 7 || err != nil {
				t.Errorf("%d %v", v, err)
			}
		})
	}
	leave() // who began the load goes; the others get what it loads
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	close(finish)
	all.Wait()
	if n := loads.Load(); n != 1 {
		t.Errorf("%d loads", n)
	}
}

// What was loaded before a change is not given after it, though it was still on
// its way when the change was told.
func TestALoadOnItsWayIsStaleToo(t *testing.T) {
	t.Parallel()
	c := cache.New(options())
	begun, finish := make(chan struct{}), make(chan struct{})
	slow := make(chan int64, 1)
	go func() {
		v, _ := c.Get(t.Context(), "k", time.Minute, []string{"a"}, func(context.Context) (int64, bool, error) {
			close(begun)
			<-finish
			return 1, true, nil
		})
		slow <- v
	}()
	<-begun
	c.Invalidate(t.Context(), "a")
	s := &source{}
	s.value.Store(2)
	if got := get(t, c, s, "k", "a"); got != 2 {
		t.Errorf("who came after the change got %d", got)
	}
	close(finish)
	<-slow
	if got := get(t, c, s, "k", "a"); got != 2 {
		t.Errorf("the old value took the new one's place: %d", got)
	}
}

func TestWhatIsNotKept(t *testing.T) {
	t.Parallel()
	c, s := cache.New(options()), &source{}
	failure := errors.New("no")
	for range 2 {
		if _, err := c.Get(t.Context(), "k", time.Minute, nil, func(context.Context) (int64, bool, error) { return 0, true, failure }); !errors.Is(err, failure) {
			t.Errorf("error %v", err)
		}
		if v, err := c.Get(t.Context(), "k", time.Minute, nil, func(context.Context) (int64, bool, error) { return 5, false, nil }); v != 5 || err != nil {
			t.Errorf("%d %v", v, err)
		}
	}
	if get(t, c, s, "k"); s.loads.Load() != 1 {
		t.Error("something was kept that should not be")
	}
	func() {
		defer func() {
			if recover() != "broken" {
				t.Error("a panic of the load does not reach who asked")
			}
		}()
		_, _ = c.Get(t.Context(), "p", time.Minute, nil, func(context.Context) (int64, bool, error) { panic("broken") })
	}()
	get(t, c, s, "p")
}

func TestBypassedWhileDeaf(t *testing.T) {
	t.Parallel()
	var fresh atomic.Bool
	fresh.Store(true)
	o := options()
	o.Fresh = fresh.Load
	c, s := cache.New(o), &source{}
	get(t, c, s, "k")
	s.value.Store(1)
	fresh.Store(false)
	if got := get(t, c, s, "k"); got != 1 {
		t.Errorf("a kept value was given: %d", got)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	o := options()
	o.MaxBytes = 10_000
	o.Weigh = func(int64) int { return 1000 }
	c, s := cache.New(o), &source{}
	for i := range 1000 {
		get(t, c, s, fmt.Sprint(i))
	}
	before := s.loads.Load()
	for i := range 1000 {
		get(t, c, s, fmt.Sprint(i))
	}
	if again := s.loads.Load() - before; again < 900 {
		t.Errorf("only %d of 1000 had to be loaded again", again)
	}
}

// More tags than are told apart make everything stale, and never nothing.
func TestManyTags(t *testing.T) {
	t.Parallel()
	c, s := cache.New(options()), &source{}
	get(t, c, s, "k", "first")
	c.Invalidate(t.Context(), "first")
	for i := range 100_001 {
		c.Invalidate(t.Context(), fmt.Sprint("tag", i))
	}
	s.value.Store(1)
	if got := get(t, c, s, "k", "first"); got != 1 {
		t.Error("what was stale is current again")
	}
}

// Whatever happens at once, nobody sees less than what was changed before the
// asking began.
func TestNeverOlderThanTheLastChange(t *testing.T) {
	t.Parallel()
	redis := redistest.New(t)
	for name, instances := range map[string][]*cache.Cache[int64]{
		"memory": {cache.New(options())},
		"Redis":  {cache.New(sharing(redis.Client())), cache.New(sharing(redis.Client()))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &source{}
			var told atomic.Int64
			ctx, stop := context.WithTimeout(t.Context(), time.Second)
			defer stop()
			var all sync.WaitGroup
			for i := range 8 {
				c := instances[i%len(instances)]
				all.Go(func() {
					for ctx.Err() == nil {
						least := told.Load()
						if v, err := c.Get(t.Context(), "k", time.Minute, []string{"a"}, s.load); err != nil || v < least {
							t.Errorf("%d after %d (%v)", v, least, err)
							return
						}
					}
				})
			}
			for ctx.Err() == nil {
				v := s.value.Add(1)
				for _, c := range instances {
					c.Invalidate(t.Context(), "a")
				}
				told.Store(v)
			}
			all.Wait()
			t.Logf("%d changes, %d loads", told.Load(), s.loads.Load())
		})
	}
}

func sharing(client redis.UniversalClient) cache.Options[int64] {
	o := options()
	o.Shared = client
	return o
}

func TestShared(t *testing.T) {
	t.Parallel()
	server := redistest.New(t)
	one, two, s := cache.New(sharing(server.Client())), cache.New(sharing(server.Client())), &source{}
	get(t, one, s, "k", "a")
	s.value.Store(1)
	if got := get(t, two, s, "k", "a"); got != 0 || s.loads.Load() != 1 {
		t.Errorf("the other instance loaded by itself: %d", got)
	}
	two.Invalidate(t.Context(), "a") // which every instance does for each change
	one.Invalidate(t.Context(), "a")
	if got := get(t, one, s, "k", "a"); got != 1 {
		t.Errorf("a stale value came back from Redis: %d", got)
	}
	s.value.Store(2)
	if got := get(t, two, s, "k", "a"); got != 1 || s.loads.Load() != 2 {
		t.Errorf("the new value is not shared: %d", got)
	}
	// A version that Redis has lost makes what carried it stale.
	three := cache.New(sharing(server.Client()))
	if err := server.Client().Del(t.Context(), "{accord}:cache:tag:a").Err(); err != nil {
		t.Fatal(err)
	}
	if got := get(t, three, s, "k", "a"); got != 2 {
		t.Errorf("a lost version made a value current: %d", got)
	}
}

// Without Redis everything goes on, and what was invalidated meanwhile does not
// come back with it.
func TestRedisGoesAndComesBack(t *testing.T) {
	t.Parallel()
	server := redistest.New(t)
	o := sharing(server.Client())
	now := time.Now()
	o.Now = func() time.Time { return now }
	c, s := cache.New(o), &source{}
	get(t, c, s, "k", "a")
	server.Stop()
	s.value.Store(1)
	began := time.Now()
	c.Invalidate(t.Context(), "a")
	if got := get(t, c, s, "k", "a"); got != 1 {
		t.Errorf("stale: %d", got)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %s", took)
	}
	server.Start()
	for i := range int64(300) {
		now = now.Add(2 * time.Minute)
		s.value.Store(i)
		if got := get(t, c, s, "k", "a"); got != i {
			t.Errorf("%d, want %d", got, i)
		}
	}
}

func TestHitsDoNotAllocate(t *testing.T) {
	c, s := cache.New(options()), &source{}
	tags := []string{"a"}
	load := s.load
	ctx := t.Context()
	_, _ = c.Get(ctx, "k", time.Minute, tags, load)
	if n := testing.AllocsPerRun(1000, func() { _, _ = c.Get(ctx, "k", time.Minute, tags, load) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkHit(b *testing.B) {
	c, s := cache.New(options()), &source{}
	tags := []string{"a"}
	for b.Loop() {
		_, _ = c.Get(b.Context(), "k", time.Minute, tags, s.load)
	}
}
