package limit_test

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/accord-api/accord/limit"
)

// hands is a clock that only moves when it is told to.
type hands struct {
	mu sync.Mutex
	at time.Time
}

func newHands() *hands {
	return &hands{at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
}

func (h *hands) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

func (h *hands) Move(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = h.at.Add(d)
}

func TestWindowTellsHowLongToWait(t *testing.T) {
	t.Parallel()

	clock := newHands()
	w := limit.NewWindow(2, time.Minute, limit.WithNow(clock.Now))
	check := func(want limit.Decision) {
		t.Helper()
		if got := w.Take("a"); got != want {
			t.Fatalf("got  %+v\nwant %+v", got, want)
		}
	}

	check(limit.Decision{Allowed: true, Limit: 2, Remaining: 1, Reset: time.Minute})
	clock.Move(10 * time.Second)
	check(limit.Decision{Allowed: true, Limit: 2, Remaining: 0, Reset: time.Minute})
	clock.Move(10 * time.Second)
	check(limit.Decision{Limit: 2, Reset: 50 * time.Second, RetryAfter: 40 * time.Second})
	clock.Move(40*time.Second - 1)
	check(limit.Decision{Limit: 2, Reset: 10*time.Second + 1, RetryAfter: 1})
	clock.Move(1)
	check(limit.Decision{Allowed: true, Limit: 2, Remaining: 0, Reset: time.Minute})
}

func TestWindowCountsEachKeyAlone(t *testing.T) {
	t.Parallel()

	w := limit.NewWindow(1, time.Minute, limit.WithNow(newHands().Now))
	if !w.Take("a").Allowed || !w.Take("b").Allowed {
		t.Error("a first call was refused")
	}
	if w.Take("a").Allowed || w.Take("b").Allowed {
		t.Error("a second call was allowed")
	}
}

func TestWindowSurvivesAClockThatStepsBack(t *testing.T) {
	t.Parallel()

	clock := newHands()
	w := limit.NewWindow(1, time.Minute, limit.WithNow(clock.Now))
	clock.Move(time.Hour)
	w.Take("a")
	clock.Move(-30 * time.Minute)
	if d := w.Take("a"); d.Allowed || d.RetryAfter != time.Minute {
		t.Errorf("after the clock stepped back: %+v", d)
	}
}

func TestWindowForgetsTheKeyLeastRecentlyUsed(t *testing.T) {
	t.Parallel()

	w := limit.NewWindow(1, time.Minute, limit.WithNow(newHands().Now), limit.WithMaxKeys(2))
	w.Take("a")
	w.Take("b")
	w.Take("a")
	w.Take("c")
	if w.Take("a").Allowed {
		t.Error("a key in use was forgotten")
	}
	if !w.Take("b").Allowed {
		t.Error("the key least recently used was kept beyond the bound")
	}
}

func TestWindowIsExactForParallelCallers(t *testing.T) {
	t.Parallel()

	w := limit.NewWindow(50, time.Minute, limit.WithNow(newHands().Now))
	var allowed atomic.Int64
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 100 {
				if w.Take("a").Allowed {
					allowed.Add(1)
				}
			}
		})
	}
	callers.Wait()
	if n := allowed.Load(); n != 50 {
		t.Errorf("%d calls were allowed, want 50", n)
	}
}

func TestNewWindowRefusesNonsense(t *testing.T) {
	t.Parallel()

	mustPanic(t, func() { limit.NewWindow(0, time.Minute) })
	mustPanic(t, func() { limit.NewWindow(1, 0) })
	mustPanic(t, func() { limit.NewWindow(1, time.Minute, limit.WithMaxKeys(0)) })
}

func mustPanic(t *testing.T, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	f()
}

// naiveWindow keeps every instant for ever and looks at all of them.
type naiveWindow struct {
	limit int
	span  time.Duration
	calls []time.Time
}

func (n *naiveWindow) take(now time.Time) limit.Decision {
	var counted []time.Time
	for _, at := range n.calls {
		if now.Sub(at) < n.span {
			counted = append(counted, at)
		}
	}
	d := limit.Decision{Limit: n.limit, Reset: n.span}
	if len(counted) < n.limit {
		n.calls = append(n.calls, now)
		d.Allowed, d.Remaining = true, n.limit-len(counted)-1
		return d
	}
	d.Reset = counted[len(counted)-1].Add(n.span).Sub(now)
	d.RetryAfter = counted[0].Add(n.span).Sub(now)
	return d
}

// The window answers as the naive one does, whatever the order and the pauses
// of the calls, and no span of the calls allowed holds more than the limit.
func TestWindowMatchesTheNaiveModel(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(1, 12).Draw(t, "limit")
		span := time.Duration(rapid.IntRange(1, 20).Draw(t, "span"))
		clock := newHands()
		w := limit.NewWindow(most, span, limit.WithNow(clock.Now))
		models := map[string]*naiveWindow{}
		for _, key := range []string{"a", "b", "c"} {
			models[key] = &naiveWindow{limit: most, span: span}
		}

		for range rapid.IntRange(1, 200).Draw(t, "calls") {
			clock.Move(time.Duration(rapid.IntRange(0, 5).Draw(t, "pause")))
			key := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "key")
			want := models[key].take(clock.Now())
			if got := w.Take(key); got != want {
				t.Fatalf("Take(%q):\ngot  %+v\nwant %+v", key, got, want)
			}
		}
		for key, model := range models {
			checkSpans(t, key, model.calls, most, span)
		}
	})
}

func checkSpans(t *rapid.T, key string, calls []time.Time, most int, span time.Duration) {
	for i := range calls {
		if j := i + most; j < len(calls) && calls[j].Sub(calls[i]) < span {
			t.Fatalf("%q: more than %d calls in one span from %v", key, most, calls[i])
		}
	}
}

func BenchmarkWindowTake(b *testing.B) {
	for _, most := range []int{60, math.MaxInt32} {
		b.Run(fmt.Sprintf("limit=%d", most), func(b *testing.B) {
			w := limit.NewWindow(most, time.Microsecond)
			for range 1000 {
				w.Take("198.51.100.7")
			}
			b.ReportAllocs()
			for b.Loop() {
				w.Take("198.51.100.7")
			}
		})
	}
}

func BenchmarkWindowTakeManyKeys(b *testing.B) {
	keys := make([]string, 10_000)
	for i := range keys {
		keys[i] = fmt.Sprintf("2001:db8:%x::/64", i)
	}
	w := limit.NewWindow(60, 50*time.Millisecond)
	for _, key := range keys {
		w.Take(key)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		w.Take(keys[i%len(keys)])
		i++
	}
}

func BenchmarkWindowTakeParallel(b *testing.B) {
	w := limit.NewWindow(60, time.Microsecond)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			w.Take("198.51.100.7")
		}
	})
}
