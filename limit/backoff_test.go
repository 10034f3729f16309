package limit_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/accord-api/accord/limit"
)

func mustBegin(t *testing.T, b *limit.Backoff, key string) *limit.Attempt {
	t.Helper()
	attempt, wait := b.Begin(key)
	if wait != 0 || attempt == nil {
		t.Fatalf("Begin(%q) was refused for %v", key, wait)
	}
	return attempt
}

func mustRefuse(t *testing.T, b *limit.Backoff, key string, want time.Duration) {
	t.Helper()
	attempt, wait := b.Begin(key)
	if attempt != nil || wait != want {
		t.Fatalf("Begin(%q) = %v, %v; want a refusal for %v", key, attempt, wait, want)
	}
}

func TestBackoffGrows(t *testing.T) {
	t.Parallel()

	clock := newHands()
	b := limit.NewBackoff(limit.WithNow(clock.Now))
	for _, seconds := range []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900} {
		refusal := time.Duration(seconds) * time.Second
		mustBegin(t, b, "a").Fail()
		mustRefuse(t, b, "a", refusal)
		mustBegin(t, b, "b").Cancel()
		clock.Move(refusal - 1)
		mustRefuse(t, b, "a", 1)
		clock.Move(1)
	}
	mustBegin(t, b, "a").Succeed()
	mustBegin(t, b, "a").Fail()
	mustRefuse(t, b, "a", time.Second)
}

func TestBackoffForgetsWhatItIsTold(t *testing.T) {
	t.Parallel()

	clock := newHands()
	b := limit.NewBackoff(limit.WithNow(clock.Now))
	b.Forget("a")
	mustBegin(t, b, "a").Fail()
	mustBegin(t, b, "b").Fail()
	clock.Move(time.Second)
	late := mustBegin(t, b, "a")
	b.Forget("a")
	mustBegin(t, b, "a").Cancel()
	late.Fail() // counts as the first
	mustRefuse(t, b, "a", time.Second)
	mustBegin(t, b, "b").Fail()
	mustRefuse(t, b, "b", 2*time.Second)
}

func TestBackoffForgetsAfterAQuietHour(t *testing.T) {
	t.Parallel()

	for _, tc := range []struct {
		pause, want time.Duration
	}{
		{2*time.Second + time.Hour - 1, 4 * time.Second},
		{2*time.Second + time.Hour, time.Second},
	} {
		clock := newHands()
		b := limit.NewBackoff(limit.WithNow(clock.Now))
		mustBegin(t, b, "a").Fail()
		clock.Move(time.Second)
		mustBegin(t, b, "a").Fail()
		clock.Move(tc.pause)
		mustBegin(t, b, "a").Fail()
		mustRefuse(t, b, "a", tc.want)
	}
}

func TestBackoffCancelChangesNothing(t *testing.T) {
	t.Parallel()

	clock := newHands()
	b := limit.NewBackoff(limit.WithNow(clock.Now))
	mustBegin(t, b, "a").Fail()
	clock.Move(time.Second)
	mustBegin(t, b, "a").Cancel()
	mustBegin(t, b, "a").Fail()
	mustRefuse(t, b, "a", 2*time.Second)
}

func TestBackoffBoundsParallelAttempts(t *testing.T) {
	t.Parallel()

	clock := newHands()
	b := limit.NewBackoff(limit.WithNow(clock.Now))
	var attempts []*limit.Attempt
	for range 4 {
		attempts = append(attempts, mustBegin(t, b, "a"))
	}
	mustRefuse(t, b, "a", time.Second)
	for _, attempt := range attempts {
		attempt.Fail()
	}
	// All four guesses count, though they were made at once.
	mustRefuse(t, b, "a", 8*time.Second)

	clock.Move(8 * time.Second)
	only := mustBegin(t, b, "a")
	mustRefuse(t, b, "a", time.Second)
	only.Cancel()
	mustBegin(t, b, "a").Cancel()
}

func TestAttemptEndsOnce(t *testing.T) {
	t.Parallel()

	clock := newHands()
	b := limit.NewBackoff(limit.WithNow(clock.Now))
	attempt := mustBegin(t, b, "a")
	attempt.Fail()
	attempt.Succeed()
	mustRefuse(t, b, "a", time.Second)
	attempt.Fail()
	attempt.Cancel()
	mustRefuse(t, b, "a", time.Second)
}

// Pushing a key out of the table while its attempt is under way must not make
// the failure unseen.
func TestBackoffCountsAFailureOfAForgottenKey(t *testing.T) {
	t.Parallel()

	b := limit.NewBackoff(limit.WithNow(newHands().Now), limit.WithMaxKeys(1))
	gone := mustBegin(t, b, "a")
	other := mustBegin(t, b, "b")
	gone.Fail()
	mustRefuse(t, b, "a", time.Second)
	other.Succeed()

	first := mustBegin(t, b, "c")
	mustBegin(t, b, "d")
	again := mustBegin(t, b, "c")
	first.Fail()
	again.Fail()
	mustRefuse(t, b, "c", 2*time.Second)
}

func TestBackoffUnderParallelGuesses(t *testing.T) {
	t.Parallel()

	b := limit.NewBackoff(limit.WithNow(newHands().Now))
	var let atomic.Int64
	var guessers sync.WaitGroup
	for range 16 {
		guessers.Go(func() {
			for range 100 {
				if attempt, wait := b.Begin("a"); wait == 0 {
					let.Add(1)
					attempt.Fail()
				}
			}
		})
	}
	guessers.Wait()
	if n := let.Load(); n < 1 || n > 4 {
		t.Errorf("%d guesses were let through while the clock stood still, want 1 to 4", n)
	}
}

// backoffModel holds one key's history and derives each answer from all of it.
type backoffModel struct {
	fails   []time.Time // since the last success
	running int
}

func (m *backoffModel) refusal(n int) time.Duration {
	refusal := time.Second
	for range n - 1 {
		refusal = min(2*refusal, 15*time.Minute)
	}
	return refusal
}

// until is when the key is refused no longer.
func (m *backoffModel) until(now time.Time) time.Time {
	n := len(m.fails)
	if n == 0 {
		return now
	}
	until := m.fails[n-1].Add(m.refusal(n))
	if now.Sub(until) >= time.Hour {
		m.fails = nil
	}
	return until
}

func (m *backoffModel) fail(now time.Time) {
	m.until(now)
	m.fails = append(m.fails, now)
}

func (m *backoffModel) begin(now time.Time) time.Duration {
	if until := m.until(now); now.Before(until) {
		return until.Sub(now)
	}
	most := 4
	if len(m.fails) > 0 {
		most = 1
	}
	if m.running >= most {
		return time.Second
	}
	m.running++
	return 0
}

func TestBackoffMatchesTheModel(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		clock := newHands()
		b := limit.NewBackoff(limit.WithNow(clock.Now))
		models := map[string]*backoffModel{"a": {}, "b": {}}
		type open struct {
			key     string
			attempt *limit.Attempt
		}
		var opened []open
		end := func(t *rapid.T, settle func(open)) {
			if len(opened) == 0 {
				t.Skip("no attempt is under way")
			}
			i := rapid.IntRange(0, len(opened)-1).Draw(t, "attempt")
			models[opened[i].key].running--
			settle(opened[i])
			opened = append(opened[:i], opened[i+1:]...)
		}
		t.Repeat(map[string]func(*rapid.T){
			"begin": func(t *rapid.T) {
				key := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "key")
				want := models[key].begin(clock.Now())
				attempt, wait := b.Begin(key)
				if wait != want || (attempt != nil) != (want == 0) {
					t.Fatalf("Begin(%q) = %v, %v; want wait %v", key, attempt, wait, want)
				}
				if attempt != nil {
					opened = append(opened, open{key, attempt})
				}
			},
			"fail": func(t *rapid.T) {
				end(t, func(o open) {
					o.attempt.Fail()
					models[o.key].fail(clock.Now())
				})
			},
			"succeed": func(t *rapid.T) {
				end(t, func(o open) {
					o.attempt.Succeed()
					models[o.key].fails = nil
				})
			},
			"cancel": func(t *rapid.T) {
				end(t, func(o open) { o.attempt.Cancel() })
			},
			"pause": func(t *rapid.T) {
				pauses := []time.Duration{1, time.Second - 1, time.Second, 4 * time.Second, time.Minute, time.Hour - 1, time.Hour, 2 * time.Hour}
				clock.Move(rapid.SampledFrom(pauses).Draw(t, "pause"))
			},
		})
	})
}

func BenchmarkBackoff(b *testing.B) {
	backoff := limit.NewBackoff()
	for i := range 1000 {
		attempt, _ := backoff.Begin(fmt.Sprint("other ", i))
		attempt.Fail()
	}
	b.ReportAllocs()
	for b.Loop() {
		attempt, _ := backoff.Begin("a")
		attempt.Succeed()
	}
}
