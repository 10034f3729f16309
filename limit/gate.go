package limit

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// ErrFull is returned by Gate.Enter when the queue is full, or when the caller
// has stood in it for the longest time allowed.
var ErrFull = errors.New("too many at once")

// shareOf is which part of a gate one holder may take: a quarter.
const shareOf = 4

// Gate lets a number of callers in at once and a number of others wait, first
// come first served. A holder who is named gets no more than a quarter of the
// places and of the queue, but one of each, so that nobody can keep all others
// out. It is safe for concurrent use.
type Gate struct {
	places, queue int
	wait          time.Duration

	mu              sync.Mutex
	inside, waiting places
	line            []*waiter // in the order in which they came
}

// places counts those of each holder that is named, and all under "".
type places map[string]int

func (p places) add(holder string, n int) {
	p[""] += n
	if holder == "" {
		return
	}
	if p[holder] += n; p[holder] == 0 {
		delete(p, holder)
	}
}

// room says whether there is a place for a holder among so many.
func (p places) room(holder string, among int) bool {
	if p[""] >= among {
		return false
	}
	return holder == "" || p[holder] < max(1, among/shareOf)
}

type waiter struct {
	holder string
	let    chan struct{} // closed once there is a place
}

// NewGate returns a gate that lets n in at once while up to queue others wait
// for at most wait; 0 means that only their context bounds their wait. It
// panics if n is not positive.
func NewGate(n, queue int, wait time.Duration) *Gate {
	if n < 1 {
		panic("limit: a gate needs at least one place")
	}
	return &Gate{places: n, queue: queue, wait: wait, inside: places{}, waiting: places{}}
}

// Enter waits for a place and returns the function that gives it back, which
// may be called more than once. A holder that is "" may have all places. It
// returns ErrFull, or the context's error if that ends first.
func (g *Gate) Enter(ctx context.Context, holder string) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w, err := g.join(holder)
	if err != nil {
		return nil, err
	}
	if w != nil {
		if err := g.await(ctx, w); err != nil {
			return nil, err
		}
	}
	return sync.OnceFunc(func() { g.leave(holder) }), nil
}

// join takes a place, or else one in the queue.
func (g *Gate) join(holder string) (*waiter, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside.room(holder, g.places) { // whoever waits has no share left
		g.inside.add(holder, 1)
		return nil, nil
	}
	if !g.waiting.room(holder, g.queue) {
		return nil, ErrFull
	}
	g.waiting.add(holder, 1)
	w := &waiter{holder: holder, let: make(chan struct{})}
	g.line = append(g.line, w)
	return w, nil
}

func (g *Gate) await(ctx context.Context, w *waiter) error {
	var patience <-chan time.Time
	if g.wait > 0 {
		patience = time.After(g.wait)
	}
	select {
	case <-w.let:
		return nil
	case <-patience:
		return g.giveUp(w, ErrFull)
	case <-ctx.Done():
		return g.giveUp(w, ctx.Err())
	}
}

// giveUp leaves the queue, unless the place has just come.
func (g *Gate) giveUp(w *waiter, reason error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.line, w)
	if i < 0 {
		return nil
	}
	g.drop(i)
	return reason
}

// leave gives the place to the first in the queue who may have it.
func (g *Gate) leave(holder string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside.add(holder, -1)
	i := slices.IndexFunc(g.line, func(w *waiter) bool { return g.inside.room(w.holder, g.places) })
	if i < 0 {
		return
	}
	w := g.drop(i)
	g.inside.add(w.holder, 1)
	close(w.let)
}

// drop takes the i-th out of the queue.
func (g *Gate) drop(i int) *waiter {
	w := g.line[i]
	g.line = slices.Delete(g.line, i, i+1)
	g.waiting.add(w.holder, -1)
	return w
}

// Waiting is how many stand in the queue right now, for metrics.
func (g *Gate) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.line)
}

// Inside is how many are inside right now, for metrics.
func (g *Gate) Inside() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inside[""]
}
