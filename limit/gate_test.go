package limit_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/accord-api/accord/limit"
)

func mustEnter(t *testing.T, g *limit.Gate) (leave func()) {
	t.Helper()
	leave, err := g.Enter(t.Context(), "")
	if err != nil {
		t.Fatalf("entering: %v", err)
	}
	return leave
}

func TestGateLetsInNAndQueuesTheRest(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		g := limit.NewGate(2, 2, time.Second)
		first, second := mustEnter(t, g), mustEnter(t, g)

		entered := make(chan string, 2)
		queue := func(name string) {
			go func() {
				leave := mustEnter(t, g)
				entered <- name
				leave()
			}()
			synctest.Wait()
		}
		queue("third")
		queue("fourth")
		if n := g.Waiting(); n != 2 {
			t.Errorf("%d are waiting, want 2", n)
		}
		if _, err := g.Enter(t.Context(), ""); !errors.Is(err, limit.ErrFull) {
			t.Errorf("beyond the queue: %v, want ErrFull", err)
		}

		first()
		first() // giving back twice must not free a place that is another's
		if a, b := <-entered, <-entered; a != "third" || b != "fourth" {
			t.Errorf("entered in the order %s, %s", a, b)
		}
		second()
		synctest.Wait()
		for range 2 {
			defer mustEnter(t, g)()
		}
	})
}

func TestGateGivesUpAfterTheWait(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		g := limit.NewGate(1, 1, time.Second)
		defer mustEnter(t, g)()

		start := time.Now()
		_, err := g.Enter(t.Context(), "")
		if waited := time.Since(start); !errors.Is(err, limit.ErrFull) || waited != time.Second {
			t.Errorf("got %v after %v, want ErrFull after 1s", err, waited)
		}
		if n := g.Waiting(); n != 0 {
			t.Errorf("%d are still counted as waiting", n)
		}
	})
}

func TestGateRespectsTheContext(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		g := limit.NewGate(1, 1, 0)
		leave := mustEnter(t, g)

		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, err := g.Enter(ctx, ""); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("in the queue: %v, want DeadlineExceeded", err)
		}
		leave()
		if _, err := g.Enter(ctx, ""); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with a context that has ended: %v, want DeadlineExceeded", err)
		}
		mustEnter(t, g)()
	})
}

func TestNewGateRefusesNonsense(t *testing.T) {
	t.Parallel()

	mustPanic(t, func() { limit.NewGate(0, 1, time.Second) })
}

// One holder never keeps the others out, however often it comes.
func TestGateGivesNobodyMoreThanAShare(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		g := limit.NewGate(8, 8, time.Second)
		enter := func(holder string) (leave func()) {
			leave, err := g.Enter(t.Context(), holder)
			if err != nil {
				t.Errorf("%s: %v", holder, err)
			}
			return leave
		}
		one := enter("greedy")
		defer enter("greedy")()
		for range 2 { // both of the queue that are its own
			go func() { enter("greedy")() }()
		}
		synctest.Wait()
		if _, err := g.Enter(t.Context(), "greedy"); !errors.Is(err, limit.ErrFull) {
			t.Errorf("beyond its share of the queue: %v, want ErrFull", err)
		}
		for _, holder := range []string{"a", "a", "b", "b", "c", "c"} { // past those that wait
			defer enter(holder)()
		}
		go func() { enter("d")() }()
		synctest.Wait()
		if n := g.Waiting(); n != 3 {
			t.Errorf("%d are waiting, want 3", n)
		}
		one()
		synctest.Wait()
		if n := g.Waiting(); n != 0 {
			t.Errorf("%d still wait for a place that was given back", n)
		}
	})
}

// A share is never less than one place.
func TestGateOfFewPlaces(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		g := limit.NewGate(2, 0, time.Second)
		for _, holder := range []string{"a", "b"} {
			leave, err := g.Enter(t.Context(), holder)
			if err != nil {
				t.Fatal(err)
			}
			defer leave()
		}
	})
}
