package cache

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"time"

	"golang.org/x/sync/singleflight"
)

// request is what a Get that found nothing in memory asks for.
type request[V any] struct {
	key  string
	ttl  time.Duration
	tags []string
	load func(ctx context.Context) (v V, store bool, err error)
}

// outcome is what a flight ends with, beside its error.
type outcome[V any] struct {
	value V
	// expired: the deadline of the one who began it came first.
	expired  bool
	panicked *panicError
}

// await gives the outcome of a flight for the request, begun by this caller or
// another. Who still has time is not content with another's deadline.
func (c *Cache[V]) await(ctx context.Context, r request[V]) (v V, err error) {
	for {
		flight, began := c.join(ctx, r)
		select {
		case <-ctx.Done():
			return v, ctx.Err()
		case landed := <-flight:
			o := landed.Val.(*outcome[V])
			if o.panicked != nil {
				panic(o.panicked)
			}
			if o.expired && !*began && ctx.Err() == nil {
				continue
			}
			if !*began {
				c.hits.Add(1)
			}
			return o.value, landed.Err
		}
	}
}

// join enters the flight for the request, or begins it. Flights of one key that
// began before and after an invalidation are different ones, so that nobody is
// given what was loaded too early. began may be read once the flight has landed.
func (c *Cache[V]) join(ctx context.Context, r request[V]) (flight <-chan singleflight.Result, began *bool) {
	began = new(bool)
	slots := slotsOf(r.tags)
	generation := c.generations.sum(slots) // before anything is read
	name := r.key + "\x00" + strconv.FormatUint(generation, 36)
	return c.flights.DoChan(name, func() (any, error) {
		*began = true
		return c.fly(ctx, r, entry{slots: slots, generation: generation})
	}), began
}

// fly runs the flight with the context of the one who began it.
func (c *Cache[V]) fly(ctx context.Context, r request[V], e entry) (o *outcome[V], err error) {
	o = new(outcome[V])
	defer func() {
		// Here it would end the process; those who wait know what to do with it.
		if value := recover(); value != nil {
			o.panicked = &panicError{value: value, stack: debug.Stack()}
		}
	}()
	ctx, cancel := withoutCancel(ctx)
	defer cancel()
	o.value, err = c.obtain(ctx, r, e)
	o.expired = err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded)
	return o, err
}

// withoutCancel keeps the deadline of ctx.
func withoutCancel(ctx context.Context) (context.Context, context.CancelFunc) {
	free := context.WithoutCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(free, deadline)
	}
	return free, func() {}
}

// obtain looks in memory again (a flight may have landed just before this one
// began), then in Redis, and then loads.
func (c *Cache[V]) obtain(ctx context.Context, r request[V], e entry) (V, error) {
	if v, ok := c.kept(r.key); ok {
		c.hits.Add(1)
		return v, nil
	}
	began := c.elapsed()
	stamp := ""
	if c.shared != nil {
		var found *found
		if stamp, found = c.shared.find(ctx, r.key, r.tags); found != nil {
			if v, ok := c.decoded(ctx, r.key, found.payload); ok {
				e.until = began + min(found.life, r.ttl)
				c.keep(r.key, v, e)
				c.sharedHits.Add(1)
				return v, nil
			}
		}
	}

	c.misses.Add(1)
	v, store, err := r.load(ctx)
	if err != nil || !store {
		return v, err
	}

	e.until = began + r.ttl
	c.keep(r.key, v, e)
	if stamp != "" {
		c.share(ctx, r.key, stamp, v, e.until)
	}
	return v, nil
}

// share puts a value into Redis, where it stays until a time on the cache's clock. Nobody waits for that.
func (c *Cache[V]) share(ctx context.Context, key, stamp string, v V, until time.Duration) {
	payload, err := c.encode(v)
	if err != nil {
		c.log.WarnContext(ctx, "an answer cannot be shared: its encoding failed", "key", key, "error", err)
		return
	}
	go c.shared.put(ctx, key, stamp, payload, until-c.elapsed())
}

func (c *Cache[V]) decoded(ctx context.Context, key string, payload []byte) (v V, ok bool) {
	v, err := c.decode(payload)
	if err != nil {
		c.log.WarnContext(ctx, "a shared answer cannot be used: its decoding failed", "key", key, "error", err)
	}
	return v, err == nil
}

// panicError is a panic of a load, with the stack that it had there.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string {
	return fmt.Sprintf("loading for the cache: panic: %v\n\n%s", p.value, p.stack)
}

// Unwrap gives the value of the panic if it was an error.
func (p *panicError) Unwrap() error {
	err, _ := p.value.(error)
	return err
}
