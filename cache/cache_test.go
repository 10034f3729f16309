package cache_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/accord-api/accord/cache"
)

// hands are those of a clock that the test moves.
type hands struct {
	mu sync.Mutex
	at time.Time
}

func newHands() *hands { return &hands{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

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

// ample is more than any of the tests fills that are not about the bound.
const ample = 1 << 30

func weigh(s string) int { return len(s) }

func inMemory(clock *hands) *cache.Cache[string] {
	return cache.New(cache.Options[string]{MaxBytes: ample, Weigh: weigh, Now: clock.Now})
}

// source is what is cached: its value changes with each load unless set.
type source struct {
	mu    sync.Mutex
	loads int
}

func (s *source) load(context.Context) (string, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loads++
	return fmt.Sprint("load ", s.loads), true, nil
}

// expect gets "k" from the source, which has to have loaded so often then.
func (s *source) expect(t *testing.T, c *cache.Cache[string], load int) {
	t.Helper()
	s.expectKey(t, c, "k", load, "a", "b")
}

func (s *source) expectKey(t *testing.T, c *cache.Cache[string], key string, load int, tags ...string) {
	t.Helper()
	got, err := c.Get(t.Context(), key, time.Minute, tags, s.load)
	if want := fmt.Sprint("load ", load); got != want || err != nil {
		t.Errorf("Get(%q) = %q, %v, want %q", key, got, err, want)
	}
}

func TestGetKeepsUntilTheTTL(t *testing.T) {
	t.Parallel()

	var s source
	clock := newHands()
	c := inMemory(clock)
	if _, ok := c.Lookup("k"); ok {
		t.Error("something is kept that was never loaded")
	}
	s.expect(t, c, 1)
	clock.Move(time.Minute - 1)
	s.expect(t, c, 1)
	if got, ok := c.Lookup("k"); got != "load 1" || !ok {
		t.Errorf("Lookup = %q, %v", got, ok)
	}
	clock.Move(1)
	if got, ok := c.Lookup("k"); ok {
		t.Errorf("Lookup gives %q after its time", got)
	}
	s.expect(t, c, 2)
	clock.Move(time.Minute - 1)
	s.expect(t, c, 2)
}

// The time of a load is part of the time that its value is given.
func TestTTLBeginsWithTheLoad(t *testing.T) {
	t.Parallel()

	clock := newHands()
	c := inMemory(clock)
	slow := func(context.Context) (string, bool, error) {
		clock.Move(59 * time.Second)
		return "slow", true, nil
	}
	if got, err := c.Get(t.Context(), "k", time.Minute, nil, slow); got != "slow" || err != nil {
		t.Fatalf("Get = %q, %v", got, err)
	}
	if _, ok := c.Lookup("k"); !ok {
		t.Error("it is not kept")
	}
	clock.Move(time.Second)
	if _, ok := c.Lookup("k"); ok {
		t.Error("it is kept for longer than its time since the load began")
	}
}

func TestInvalidate(t *testing.T) {
	t.Parallel()

	var k, other source
	c := inMemory(newHands())
	expectOther := func(load int) {
		t.Helper()
		other.expectKey(t, c, "other", load, "c")
	}
	k.expect(t, c, 1)
	expectOther(1)

	c.Invalidate(t.Context(), "a")
	k.expect(t, c, 2)
	c.Invalidate(t.Context(), "nobody's", "b")
	k.expect(t, c, 3)
	c.Invalidate(t.Context())
	k.expect(t, c, 3)
	expectOther(1)

	c.InvalidateAll(t.Context())
	k.expect(t, c, 4)
	expectOther(2)
}

func TestErrorsAreNotKept(t *testing.T) {
	t.Parallel()

	var s source
	c := inMemory(newHands())
	broken := errors.New("broken")
	fail := func(context.Context) (string, bool, error) { return "half", true, broken }
	if _, err := c.Get(t.Context(), "k", time.Minute, nil, fail); !errors.Is(err, broken) {
		t.Errorf("the error is %v", err)
	}
	s.expect(t, c, 1)
}

func TestWhatMayNotBeStoredIsNotKept(t *testing.T) {
	t.Parallel()

	var s source
	c := inMemory(newHands())
	passing := func(context.Context) (string, bool, error) { return "passing", false, nil }
	if got, err := c.Get(t.Context(), "k", time.Minute, nil, passing); got != "passing" || err != nil {
		t.Errorf("Get = %q, %v", got, err)
	}
	if _, err := c.Get(t.Context(), "k", 0, nil, s.load); err != nil {
		t.Error(err)
	}
	s.expect(t, c, 2)
}

func TestWithoutFreshInvalidationsEveryGetLoads(t *testing.T) {
	t.Parallel()

	var s source
	fresh := true
	c := cache.New(cache.Options[string]{MaxBytes: ample, Weigh: weigh, Fresh: func() bool { return fresh }})
	s.expect(t, c, 1)
	fresh = false
	s.expect(t, c, 2)
	s.expect(t, c, 3)
	if _, ok := c.Lookup("k"); ok {
		t.Error("Lookup gives what may be stale")
	}
	fresh = true
	s.expect(t, c, 1)
	c.InvalidateAll(t.Context())
	s.expect(t, c, 4)
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()

	const bound = 1 << 20
	c := cache.New(cache.Options[string]{MaxBytes: bound, Weigh: weigh})
	load := func(size int) func(context.Context) (string, bool, error) {
		return func(context.Context) (string, bool, error) { return strings.Repeat("x", size), true, nil }
	}
	for i := range 5000 {
		if _, err := c.Get(t.Context(), fmt.Sprint(i), time.Minute, nil, load(1000)); err != nil {
			t.Fatal(err)
		}
	}
	if got := c.Weight(); got > bound || got < bound/2 {
		t.Errorf("%d bytes are held, want most of %d", got, bound)
	}
	if _, err := c.Get(t.Context(), "large", time.Minute, nil, load(bound)); err != nil {
		t.Fatal(err)
	}
	if got := c.Weight(); got > bound || got < bound/2 {
		t.Errorf("%d bytes are held after one too large, want most of %d", got, bound)
	}
	if _, ok := c.Lookup("large"); ok {
		t.Error("what is larger than the bound is kept")
	}
	c.InvalidateAll(t.Context())
	if got := c.Weight(); got != 0 {
		t.Errorf("%d bytes are held after InvalidateAll", got)
	}
}

// Entries without a size of their own take memory as well.
func TestSmallEntriesAreBoundedToo(t *testing.T) {
	t.Parallel()

	c := cache.New(cache.Options[struct{}]{MaxBytes: 1 << 20, Weigh: func(struct{}) int { return 0 }})
	for i := range 20_000 {
		_, err := c.Get(t.Context(), fmt.Sprint(i), time.Minute, nil, func(context.Context) (struct{}, bool, error) {
			return struct{}{}, true, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := c.Weight(); got > 1<<20 || got < 1<<19 {
		t.Errorf("%d bytes are held, want most of %d", got, 1<<20)
	}
}

func TestNewRefusesNonsense(t *testing.T) {
	t.Parallel()

	client := newClient(t, "redis://127.0.0.1:1")
	for name, o := range map[string]cache.Options[string]{
		"no bound":    {Weigh: weigh},
		"no weigher":  {MaxBytes: 1},
		"no prefix":   {MaxBytes: 1, Weigh: weigh, Shared: client, Encode: encode, Decode: decode},
		"no encoding": {MaxBytes: 1, Weigh: weigh, Shared: client, Prefix: "p", Decode: decode},
		"no decoding": {MaxBytes: 1, Weigh: weigh, Shared: client, Prefix: "p", Encode: encode},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			cache.New(o)
		}()
	}
}
