package limit_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/accord-api/accord/limit"
	"github.com/accord-api/accord/redistest"
)

// Two processes together decide as one Window does, whatever the order and the
// pauses of the calls.
func TestSharedWindowDecidesAsOneWindow(t *testing.T) {
	t.Parallel()

	url := redistest.URL(t)
	first, firstLog := process(t, url)
	second, secondLog := process(t, url)
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(1, 8).Draw(t, "limit")
		span := time.Duration(rapid.IntRange(1, 20).Draw(t, "span")) * time.Minute
		clock, name := newHands(), newName()
		one := limit.NewWindow(most, span, limit.WithNow(clock.Now))
		processes := []*limit.SharedWindow{
			limit.NewSharedWindow(first, name, most, span, limit.WithNow(clock.Now)),
			limit.NewSharedWindow(second, name, most, span, limit.WithNow(clock.Now)),
		}
		pauses := []time.Duration{0, time.Microsecond, time.Minute - time.Microsecond, time.Minute, 3 * time.Minute}
		for range rapid.IntRange(1, 60).Draw(t, "calls") {
			clock.Move(rapid.SampledFrom(pauses).Draw(t, "pause"))
			key := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "key")
			at := rapid.IntRange(0, 1).Draw(t, "process")
			want := one.Take(key)
			if got := processes[at].Take(context.Background(), key); got != want {
				t.Fatalf("Take(%q) in process %d:\ngot  %+v\nwant %+v", key, at, got, want)
			}
		}
	})
	answered(t, firstLog)
	answered(t, secondLog)
}

func TestSharedWindowIsExactForParallelCallers(t *testing.T) {
	t.Parallel()

	url := redistest.URL(t)
	clock, name := newHands(), newName()
	var allowed atomic.Int64
	var callers sync.WaitGroup
	for range 4 {
		r, log := process(t, url)
		w := limit.NewSharedWindow(r, name, 50, time.Minute, limit.WithNow(clock.Now))
		for range 2 {
			callers.Go(func() {
				for range 50 {
					if w.Take(t.Context(), "a").Allowed {
						allowed.Add(1)
					}
				}
			})
		}
		t.Cleanup(func() { answered(t, log) })
	}
	callers.Wait()
	if n := allowed.Load(); n != 50 {
		t.Errorf("%d calls were allowed, want 50", n)
	}
}

// A process whose clock is behind is treated as if its clock stood still.
func TestSharedWindowWithClocksThatDiffer(t *testing.T) {
	t.Parallel()

	url := redistest.URL(t)
	ahead, behind, name := newHands(), newHands(), newName()
	ahead.Move(10 * time.Second)
	windows := map[*hands]*limit.SharedWindow{}
	for _, clock := range []*hands{ahead, behind} {
		r, log := process(t, url)
		windows[clock] = limit.NewSharedWindow(r, name, 2, time.Minute, limit.WithNow(clock.Now))
		t.Cleanup(func() { answered(t, log) })
	}
	check := func(clock *hands, want limit.Decision) {
		t.Helper()
		if got := windows[clock].Take(t.Context(), "a"); got != want {
			t.Fatalf("got  %+v\nwant %+v", got, want)
		}
	}

	check(ahead, limit.Decision{Allowed: true, Limit: 2, Remaining: 1, Reset: time.Minute})
	check(behind, limit.Decision{Allowed: true, Limit: 2, Reset: time.Minute})
	check(behind, limit.Decision{Limit: 2, Reset: time.Minute, RetryAfter: time.Minute})
	ahead.Move(time.Minute)
	behind.Move(time.Minute)
	check(behind, limit.Decision{Limit: 2, Reset: 10 * time.Second, RetryAfter: 10 * time.Second})
	check(ahead, limit.Decision{Allowed: true, Limit: 2, Remaining: 1, Reset: time.Minute})
}

// Without Redis each process keeps the limit alone, with what it has counted
// before; what Redis has lost is not allowed again.
func TestSharedWindowOutlivesRedis(t *testing.T) {
	t.Parallel()

	server := redistest.Start(t)
	clock, name := newHands(), newName()
	r, log := process(t, server.URL())
	w := limit.NewSharedWindow(r, name, 3, time.Minute, limit.WithNow(clock.Now))
	check := func(what string, allowed bool) {
		t.Helper()
		if d := w.Take(t.Context(), "a"); d.Allowed != allowed {
			t.Fatalf("%s: %+v", what, d)
		}
	}
	check("the first", true)
	check("the second", true)
	answered(t, log)
	server.Kill()
	check("the third, without Redis", true)
	check("the fourth, without Redis", false)

	server.Restart()
	eventually(t, "Redis is asked again", func() bool {
		w.Take(t.Context(), newName())
		return strings.Contains(log.String(), "Redis answers again")
	})
	check("the fifth, with a Redis that knows nothing", false)
	clock.Move(time.Minute)
	check("in the next span", true)
}

// A flood at one process does not become one at Redis.
func TestSharedWindowKeepsAFloodFromRedis(t *testing.T) {
	t.Parallel()

	server := redistest.Start(t)
	r, log := process(t, server.URL())
	w := limit.NewSharedWindow(r, newName(), 2, time.Minute, limit.WithNow(newHands().Now))
	for range 100 {
		w.Take(t.Context(), "a")
	}
	answered(t, log)
	stats := connect(t, server.URL()).Info(t.Context(), "commandstats").Val()
	if !strings.Contains(stats, "cmdstat_evalsha:calls=2,") {
		t.Errorf("Redis was asked otherwise than twice: %s", stats)
	}
}

// Where a call waits for nobody, it counts all the same.
func TestSharedWindowCountsForClientsThatHaveGone(t *testing.T) {
	t.Parallel()

	url, name := redistest.URL(t), newName()
	ctx, gone := context.WithCancel(t.Context())
	gone()
	first, log := process(t, url)
	limit.NewSharedWindow(first, name, 1, time.Minute).Take(ctx, "a")
	second, _ := process(t, url)
	if limit.NewSharedWindow(second, name, 1, time.Minute).Take(t.Context(), "a").Allowed {
		t.Error("the first call was not counted")
	}
	answered(t, log)
}

func TestSharedWindowWithoutRedis(t *testing.T) {
	t.Parallel()

	w := limit.NewSharedWindow(nil, "a", 1, time.Minute)
	if !w.Take(t.Context(), "a").Allowed || w.Take(t.Context(), "a").Allowed {
		t.Error("it is not a window of one call")
	}
	mustPanic(t, func() { limit.NewSharedWindow(nil, "a", 0, time.Minute) })
}

func BenchmarkSharedWindowTake(b *testing.B) {
	r, _ := process(b, redistest.URL(b))
	w := limit.NewSharedWindow(r, newName(), 1_000_000, time.Second)
	b.ReportAllocs()
	for b.Loop() {
		w.Take(b.Context(), "198.51.100.7")
	}
}

func BenchmarkSharedWindowTakeParallel(b *testing.B) {
	r, _ := process(b, redistest.URL(b))
	w := limit.NewSharedWindow(r, newName(), 1_000_000, time.Second)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			w.Take(b.Context(), "198.51.100.7")
		}
	})
}
