package limit

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// After a failure nobody tries for a rest, and then one caller in each.
func TestBreaker(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(time.Second)
		tries := func() int64 {
			var n atomic.Int64
			var callers sync.WaitGroup
			for range 8 {
				callers.Go(func() {
					if b.tries() {
						n.Add(1)
					}
				})
			}
			callers.Wait()
			return n.Load()
		}
		check := func(what string, want int64) {
			t.Helper()
			if got := tries(); got != want {
				t.Fatalf("%s: %d of 8 try, want %d", what, got, want)
			}
		}
		pause := func(d time.Duration) { <-time.After(d) }

		check("nothing has failed", 8)
		if b.close() {
			t.Error("a success among successes is said to be the first")
		}
		if !b.open() || b.open() {
			t.Error("one failure of two is the first")
		}
		check("at once", 0)
		pause(time.Second - 1)
		check("a moment before the rest is over", 0)
		pause(1)
		check("after the rest", 1)
		pause(time.Second - 1)
		check("while that one tries", 0)
		pause(1)
		check("when it has not come back", 1)
		if !b.close() || b.close() {
			t.Error("one success of two is the first")
		}
		check("after a success", 8)
	})
}
