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

// Two processes together refuse as one Backoff does, whatever begins and ends in
// which of them, as long as no attempt is left open for longer than it may be.
func TestSharedBackoffRefusesAsOneBackoff(t *testing.T) {
	t.Parallel()

	url := redistest.URL(t)
	first, firstLog := process(t, url)
	second, secondLog := process(t, url)
	ctx := context.Background()
	rapid.Check(t, func(t *rapid.T) {
		clock, name := newHands(), newName()
		one := limit.NewBackoff(limit.WithNow(clock.Now))
		processes := []*limit.SharedBackoff{
			limit.NewSharedBackoff(first, name, limit.WithNow(clock.Now)),
			limit.NewSharedBackoff(second, name, limit.WithNow(clock.Now)),
		}
		type open struct {
			one    *limit.Attempt
			shared *limit.SharedAttempt
			since  time.Time
		}
		var opened []open
		end := func(t *rapid.T, settle func(open)) {
			if len(opened) == 0 {
				t.Skip("no attempt is under way")
			}
			i := rapid.IntRange(0, len(opened)-1).Draw(t, "attempt")
			settle(opened[i])
			opened = append(opened[:i], opened[i+1:]...)
		}
		t.Repeat(map[string]func(*rapid.T){
			"begin": func(t *rapid.T) {
				key := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "key")
				at := rapid.IntRange(0, 1).Draw(t, "process")
				attempt, want := one.Begin(key)
				shared, wait := processes[at].Begin(ctx, key)
				if wait != want || (shared == nil) != (attempt == nil) {
					t.Fatalf("Begin(%q) in process %d = %v, %v; want wait %v", key, at, shared, wait, want)
				}
				if attempt != nil {
					opened = append(opened, open{attempt, shared, clock.Now()})
				}
			},
			"fail":    func(t *rapid.T) { end(t, func(o open) { o.one.Fail(); o.shared.Fail(ctx) }) },
			"succeed": func(t *rapid.T) { end(t, func(o open) { o.one.Succeed(); o.shared.Succeed(ctx) }) },
			"cancel":  func(t *rapid.T) { end(t, func(o open) { o.one.Cancel(); o.shared.Cancel(ctx) }) },
			"pause": func(t *rapid.T) {
				pauses := []time.Duration{
					time.Microsecond, time.Second - time.Microsecond, time.Second, 4 * time.Second, 20 * time.Second,
					time.Minute, time.Hour - time.Microsecond, time.Hour, 2 * time.Hour,
				}
				pause := rapid.SampledFrom(pauses).Draw(t, "pause")
				for _, o := range opened {
					if clock.Now().Add(pause).Sub(o.since) >= 30*time.Second {
						t.Skip("an attempt would count as given up")
					}
				}
				clock.Move(pause)
			},
		})
	})
	answered(t, firstLog)
	answered(t, secondLog)
}

// backoffs are two processes' shares of one Backoff.
func backoffs(t *testing.T, server *redistest.Server) (clock *hands, first, second *limit.SharedBackoff, logs [2]*journal) {
	t.Helper()
	clock, name := newHands(), newName()
	firstRedis, firstLog := process(t, server.URL())
	secondRedis, secondLog := process(t, server.URL())
	return clock, limit.NewSharedBackoff(firstRedis, name, limit.WithNow(clock.Now)),
		limit.NewSharedBackoff(secondRedis, name, limit.WithNow(clock.Now)), [2]*journal{firstLog, secondLog}
}

func begin(t *testing.T, b *limit.SharedBackoff, key string) *limit.SharedAttempt {
	t.Helper()
	attempt, wait := b.Begin(t.Context(), key)
	if wait != 0 || attempt == nil {
		t.Fatalf("Begin(%q) was refused for %v", key, wait)
	}
	return attempt
}

// refuse expects that the key "a" is refused.
func refuse(t *testing.T, b *limit.SharedBackoff, want time.Duration) {
	t.Helper()
	if attempt, wait := b.Begin(t.Context(), "a"); attempt != nil || wait != want {
		t.Fatalf("Begin = %v, %v; want a refusal for %v", attempt, wait, want)
	}
}

// What has failed before another process saw a success does not count with what fails
// afterwards.
func TestSharedBackoffBeginsAnewAfterASuccessElsewhere(t *testing.T) {
	t.Parallel()

	clock, first, second, logs := backoffs(t, redistest.Start(t))
	late, lucky, early := begin(t, first, "a"), begin(t, second, "a"), begin(t, first, "a")
	early.Fail(t.Context())
	lucky.Succeed(t.Context())
	clock.Move(time.Second)
	late.Fail(t.Context())
	refuse(t, first, time.Second)
	refuse(t, second, time.Second)
	answered(t, logs[0])
	answered(t, logs[1])
}

// What fails after the quiet time is the first failure, whoever saw the time end.
func TestSharedBackoffForgetsForLateFailures(t *testing.T) {
	t.Parallel()

	clock, first, second, logs := backoffs(t, redistest.Start(t))
	begin(t, first, "a").Fail(t.Context())
	clock.Move(time.Hour)
	late := begin(t, first, "a")
	clock.Move(time.Second)
	begin(t, second, "a").Cancel(t.Context())
	late.Fail(t.Context())
	refuse(t, first, time.Second)
	refuse(t, second, time.Second)
	answered(t, logs[0])
	answered(t, logs[1])
}

// Each failure is answered by the other process, for twice as long each time.
func TestSharedBackoffGrows(t *testing.T) {
	t.Parallel()

	clock, first, second, logs := backoffs(t, redistest.Start(t))
	for _, seconds := range []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900} {
		begin(t, first, "a").Fail(t.Context())
		refuse(t, second, time.Duration(seconds)*time.Second)
		clock.Move(time.Duration(seconds) * time.Second)
		first, second = second, first
	}
	answered(t, logs[0])
	answered(t, logs[1])
}

func TestSharedBackoffForgetsAfterAQuietHour(t *testing.T) {
	t.Parallel()

	clock, first, second, logs := backoffs(t, redistest.Start(t))
	begin(t, first, "a").Fail(t.Context())
	clock.Move(time.Second)
	begin(t, first, "a").Fail(t.Context())
	clock.Move(2*time.Second + time.Hour)
	begin(t, second, "a").Fail(t.Context())
	refuse(t, first, time.Second)
	refuse(t, second, time.Second)
	answered(t, logs[0])
	answered(t, logs[1])
}

// What was heard holds on without Redis, what happens meanwhile is counted, and
// what Redis has lost is not forgotten.
func TestSharedBackoffOutlivesRedis(t *testing.T) {
	t.Parallel()

	server := redistest.Start(t)
	clock, first, second, logs := backoffs(t, server)
	begin(t, first, "a").Fail(t.Context())
	clock.Move(time.Second)
	begin(t, first, "a").Fail(t.Context())
	refuse(t, second, 2*time.Second)
	answered(t, logs[0])
	answered(t, logs[1])

	server.Kill()
	refuse(t, first, 2*time.Second)
	refuse(t, second, 2*time.Second)
	clock.Move(2 * time.Second)
	begin(t, second, "a").Fail(t.Context())
	refuse(t, second, 4*time.Second)
	begin(t, first, "a").Cancel(t.Context()) // it cannot hear of that

	server.Restart()
	for i, b := range []*limit.SharedBackoff{first, second} {
		eventually(t, "Redis is asked again", func() bool {
			begin(t, b, newName()).Cancel(t.Context())
			return strings.Contains(logs[i].String(), "Redis answers again")
		})
	}
	for range 5 {
		refuse(t, second, 4*time.Second)
	}
	begin(t, first, "a").Cancel(t.Context()) // what was refused does not occupy the key
}

// A process that has seen a failure does not forget it where Redis does, in
// favour of a copy that lags behind.
func TestSharedBackoffKeepsWhatRedisForgets(t *testing.T) {
	t.Parallel()

	server := redistest.Start(t)
	clock, first, second, logs := backoffs(t, server)
	begin(t, first, "a").Fail(t.Context())
	clock.Move(time.Second)
	begin(t, first, "a").Succeed(t.Context())
	clock.Move(time.Second)

	client := connect(t, server.URL())
	keys := client.Keys(t.Context(), "*").Val()
	if len(keys) != 1 {
		t.Fatalf("keys %v", keys)
	}
	copied := client.Dump(t.Context(), keys[0]).Val()
	begin(t, first, "a").Fail(t.Context())
	if err := client.RestoreReplace(t.Context(), keys[0], time.Minute, copied).Err(); err != nil {
		t.Fatal(err)
	}
	refuse(t, first, time.Second)
	begin(t, second, "a").Cancel(t.Context())
	answered(t, logs[0])
	answered(t, logs[1])
}

// An attempt whose process has died does not occupy its key for ever.
func TestSharedBackoffGivesUpAttempts(t *testing.T) {
	t.Parallel()

	clock, first, second, _ := backoffs(t, redistest.Start(t))
	begin(t, first, "a").Fail(t.Context())
	clock.Move(time.Second)
	begin(t, first, "a") // and nothing more is heard of it
	clock.Move(30*time.Second - time.Microsecond)
	refuse(t, second, time.Second)
	clock.Move(time.Microsecond)
	begin(t, second, "a").Succeed(t.Context())
}

func TestSharedAttemptEndsOnce(t *testing.T) {
	t.Parallel()

	_, first, second, _ := backoffs(t, redistest.Start(t))
	attempt := begin(t, first, "a")
	attempt.Fail(t.Context())
	attempt.Fail(t.Context())
	refuse(t, second, time.Second)
	attempt.Succeed(t.Context())
	attempt.Cancel(t.Context())
	refuse(t, second, time.Second)
}

func TestSharedBackoffUnderParallelGuesses(t *testing.T) {
	t.Parallel()

	_, first, second, _ := backoffs(t, redistest.Start(t))
	var let atomic.Int64
	var guessers sync.WaitGroup
	for i := range 8 {
		guessers.Go(func() {
			for range 25 {
				if attempt, wait := []*limit.SharedBackoff{first, second}[i%2].Begin(t.Context(), "a"); wait == 0 {
					let.Add(1)
					attempt.Fail(t.Context())
				}
			}
		})
	}
	guessers.Wait()
	if n := let.Load(); n < 1 || n > 4 {
		t.Errorf("%d guesses were let through while the clock stood still, want 1 to 4", n)
	}
}

// What one process forgets the others do not hold against the key either.
func TestSharedBackoffForgetsWhatItIsTold(t *testing.T) {
	t.Parallel()

	clock, first, second, logs := backoffs(t, redistest.Start(t))
	first.Forget(t.Context(), "a") // nothing is known of it
	begin(t, first, "a").Fail(t.Context())
	refuse(t, second, time.Second)
	clock.Move(time.Second)
	begin(t, second, "a").Fail(t.Context())
	first.Forget(t.Context(), "a")
	begin(t, first, "a").Cancel(t.Context())
	begin(t, second, "a").Fail(t.Context())
	refuse(t, first, time.Second) // as after the first failure
	answered(t, logs[0])
	answered(t, logs[1])
}

func TestSharedBackoffWithoutRedis(t *testing.T) {
	t.Parallel()

	b := limit.NewSharedBackoff(nil, "a", limit.WithNow(newHands().Now))
	begin(t, b, "a").Fail(t.Context())
	refuse(t, b, time.Second)
	begin(t, b, "b").Succeed(t.Context())
	b.Forget(t.Context(), "a")
	begin(t, b, "a").Succeed(t.Context())
}
