package cache_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/accord-api/accord/cache"
)

// gated is a load that ends when the test says so.
type gated struct {
	began chan context.Context
	end   chan string
}

func newGated() *gated {
	return &gated{began: make(chan context.Context, 100), end: make(chan string)}
}

func (g *gated) load(ctx context.Context) (string, bool, error) {
	g.began <- ctx
	select {
	case v := <-g.end:
		return v, true, nil
	case <-ctx.Done():
		return "", false, ctx.Err()
	}
}

// result is what a Get in another goroutine came to.
type result struct {
	value string
	err   error
}

func (g *gated) get(ctx context.Context, c *cache.Cache[string]) <-chan result {
	got := make(chan result, 1)
	go func() {
		v, err := c.Get(ctx, "k", time.Minute, []string{"a"}, g.load)
		got <- result{v, err}
	}()
	return got
}

func expectValue(t *testing.T, got <-chan result, want string) {
	t.Helper()
	if r := <-got; r.value != want || r.err != nil {
		t.Errorf("Get = %q, %v, want %q", r.value, r.err, want)
	}
}

func TestOneLoadAtATime(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		c, g := inMemory(newHands()), newGated()
		var all []<-chan result
		for range 10 {
			all = append(all, g.get(t.Context(), c))
		}
		synctest.Wait()
		if n := len(g.began); n != 1 {
			t.Errorf("%d loads have begun", n)
		}
		g.end <- "v"
		for _, got := range all {
			expectValue(t, got, "v")
		}
		expectValue(t, g.get(t.Context(), c), "v")
	})
}

// However many ask and whenever, nothing is loaded twice.
func TestOneLoadWhoeverComesWhen(t *testing.T) {
	t.Parallel()

	c := inMemory(newHands())
	for key := range 200 {
		var loads atomic.Int64
		var callers sync.WaitGroup
		for range 8 {
			callers.Go(func() {
				_, err := c.Get(t.Context(), fmt.Sprint(key), time.Minute, nil, func(context.Context) (string, bool, error) {
					loads.Add(1)
					return "v", true, nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		if n := loads.Load(); n != 1 {
			t.Fatalf("%d loads of one key", n)
		}
	}
}

// A flight may land between the look into memory and the next one's beginning;
// the clock is where a test can step in.
func TestAFlightThatHasJustLandedIsSeen(t *testing.T) {
	t.Parallel()

	var s source
	var c *cache.Cache[string]
	var meanwhile func()
	clock := newHands()
	c = cache.New(cache.Options[string]{MaxBytes: ample, Weigh: weigh, Now: func() time.Time {
		if do := meanwhile; do != nil {
			meanwhile = nil
			do()
		}
		return clock.Now()
	}})
	s.expect(t, c, 1)
	clock.Move(time.Minute)
	meanwhile = func() { // the outer Get has found the old entry, and asks for the time
		s.expect(t, c, 2)
	}
	s.expect(t, c, 2)
}

// What was loaded before an invalidation is given to nobody who comes after it,
// and is not kept, though its load ends last.
func TestInvalidateDuringALoad(t *testing.T) {
	t.Parallel()

	for name, invalidate := range map[string]func(*cache.Cache[string], context.Context){
		"its tag": func(c *cache.Cache[string], ctx context.Context) { c.Invalidate(ctx, "z", "a") },
		"all":     (*cache.Cache[string]).InvalidateAll,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, old, young := inMemory(newHands()), newGated(), newGated()
				early := old.get(t.Context(), c)
				synctest.Wait()
				invalidate(c, t.Context())
				late := young.get(t.Context(), c)
				synctest.Wait()
				if n := len(young.began); n != 1 {
					t.Fatalf("%d loads have begun after the invalidation, want 1", n)
				}
				young.end <- "young"
				expectValue(t, late, "young")
				old.end <- "old"
				expectValue(t, early, "old")

				last := newGated()
				got := last.get(t.Context(), c)
				synctest.Wait()
				if len(last.began) == 1 { // the old one took the place of the young one: no harm
					last.end <- "young"
				}
				expectValue(t, got, "young")
			})
		})
	}
}

func TestInvalidateOfOthersLeavesALoadAlone(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		c, g := inMemory(newHands()), newGated()
		first := g.get(t.Context(), c)
		synctest.Wait()
		c.Invalidate(t.Context(), "z")
		second := g.get(t.Context(), c)
		synctest.Wait()
		g.end <- "v"
		expectValue(t, first, "v")
		expectValue(t, second, "v")
		expectValue(t, g.get(t.Context(), c), "v")
	})
}

type contextKey struct{}

func TestALoadOutlivesItsCaller(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		c, g := inMemory(newHands()), newGated()
		ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), contextKey{}, "kept"), time.Minute)
		first := g.get(ctx, c)
		loading := <-g.began
		second := g.get(t.Context(), c)
		synctest.Wait()
		want, _ := ctx.Deadline()
		if got, ok := loading.Deadline(); !ok || !got.Equal(want) || loading.Value(contextKey{}) != "kept" {
			t.Errorf("the load has the deadline %v, want %v, and the value %v", got, want, loading.Value(contextKey{}))
		}
		cancel()
		if r := <-first; !errors.Is(r.err, context.Canceled) {
			t.Errorf("the caller that went away got %v", r)
		}
		g.end <- "v"
		expectValue(t, second, "v")
	})
}

func TestAWaitEndsWithItsOwnContext(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		c, g := inMemory(newHands()), newGated()
		patient := g.get(t.Context(), c)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if r := <-g.get(ctx, c); !errors.Is(r.err, context.DeadlineExceeded) {
			t.Errorf("the impatient one got %v", r)
		}
		g.end <- "v"
		expectValue(t, patient, "v")
	})
}

// The one who waits with more time than the one who began does not fail with it.
func TestAnothersDeadlineIsNotMine(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		c, g := inMemory(newHands()), newGated()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		hasty := g.get(ctx, c)
		synctest.Wait()
		patient := g.get(t.Context(), c)
		if r := <-hasty; !errors.Is(r.err, context.DeadlineExceeded) {
			t.Errorf("the hasty one got %v", r)
		}
		synctest.Wait()
		g.end <- "v"
		expectValue(t, patient, "v")
		if n := len(g.began); n != 2 {
			t.Errorf("%d loads, want 2", n)
		}
	})
}

func TestAnErrorIsGivenToAllWhoWaited(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		c, broken, end := inMemory(newHands()), errors.New("broken"), make(chan struct{})
		errs := make(chan error, 3)
		for range cap(errs) {
			go func() {
				_, err := c.Get(t.Context(), "k", time.Minute, nil, func(context.Context) (string, bool, error) {
					<-end
					return "", true, broken
				})
				errs <- err
			}()
		}
		synctest.Wait()
		end <- struct{}{}
		for range cap(errs) {
			if err := <-errs; !errors.Is(err, broken) {
				t.Errorf("one of them got %v", err)
			}
		}
	})
}

func TestAPanicGoesOnInTheCaller(t *testing.T) {
	t.Parallel()

	c, cause := inMemory(newHands()), errors.New("cause")
	defer func() {
		err, _ := recover().(error)
		if !errors.Is(err, cause) || !strings.Contains(err.Error(), "explode") {
			t.Errorf("recovered %v, want the cause and the stack where it arose", err)
		}
		var s source
		s.expect(t, c, 1)
	}()
	_, err := c.Get(t.Context(), "k", time.Minute, nil, func(context.Context) (string, bool, error) { return explode(cause) })
	t.Errorf("it returned, with %v", err)
}

func explode(cause error) (string, bool, error) { panic(cause) }

// Values only grow; whoever asks after an Invalidate has returned sees at least
// what was there before it.
func TestNothingStaleUnderLoad(t *testing.T) {
	t.Parallel()

	c := cache.New(cache.Options[int64]{MaxBytes: 64 << 10, Weigh: func(int64) int { return 8 }})
	newRegister(40, c).exercise(t, func(write int) bool { return write < 5000 })
}
