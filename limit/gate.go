package limit

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// ErrFull is returned by Gate.Enter when the queue is full, or when the caller
// has stood in it for the longest time allowed.
var ErrFull = errors.New("too many at once")

// Gate lets a number of callers in at once and a number of others wait, first
// come first served. It is safe for concurrent use.
type Gate struct {
	places  chan struct{}
	queue   int64
	wait    time.Duration
	waiting atomic.Int64
}

// NewGate returns a gate that lets n in at once while up to queue others wait
// for at most wait; 0 means that only their context bounds their wait. It
// panics if n is not positive.
func NewGate(n, queue int, wait time.Duration) *Gate {
	if n < 1 {
		panic("limit: a gate needs at least one place")
	}
	return &Gate{places: make(chan struct{}, n), queue: int64(queue), wait: wait}
}

// Enter waits for a place and returns the function that gives it back, which
// may be called more than once. It returns ErrFull, or the context's error if
// that ends first.
func (g *Gate) Enter(ctx context.Context) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case g.places <- struct{}{}:
	default:
		if err := g.enterQueue(ctx); err != nil {
			return nil, err
		}
	}
	return sync.OnceFunc(func() { <-g.places }), nil
}

func (g *Gate) enterQueue(ctx context.Context) error {
	defer g.waiting.Add(-1)
	if g.waiting.Add(1) > g.queue {
		return ErrFull
	}
	var patience <-chan time.Time
	if g.wait > 0 {
		patience = time.After(g.wait)
	}
	select {
	case g.places <- struct{}{}:
		return nil
	case <-patience:
		return ErrFull
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Waiting is how many stand in the queue right now, for metrics.
func (g *Gate) Waiting() int { return int(g.waiting.Load()) }
