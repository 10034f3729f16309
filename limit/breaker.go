package limit

import (
	"sync/atomic"
	"time"
)

// breaker spares callers the wait for something that has failed. It is safe for
// concurrent use, and goes by the real time: what it bounds is a real wait.
type breaker struct {
	rest  time.Duration
	start time.Time
	// until is when the next caller may try, as nanoseconds since start; 0 while
	// nothing has failed.
	until atomic.Int64
}

func newBreaker(rest time.Duration) *breaker {
	return &breaker{rest: rest, start: time.Now()}
}

// tries says whether the caller is to try. After a failure one caller is, once
// in each rest: all others need not wait to learn that it still fails.
func (b *breaker) tries() bool {
	until := b.until.Load()
	if until == 0 {
		return true
	}
	return int64(time.Since(b.start)) >= until && b.until.CompareAndSwap(until, b.next())
}

// isOpen says whether the last thing that was noted is a failure.
func (b *breaker) isOpen() bool { return b.until.Load() != 0 }

// open notes a failure, and says whether it is the first one.
func (b *breaker) open() (first bool) { return b.until.Swap(b.next()) == 0 }

// close notes a success, and says whether failures came before it.
func (b *breaker) close() (first bool) { return b.until.Load() != 0 && b.until.Swap(0) != 0 }

func (b *breaker) next() int64 { return int64(time.Since(b.start) + b.rest) }
