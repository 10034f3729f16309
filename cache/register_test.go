package cache_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/accord-api/accord/cache"
)

// register is a source of numbers that only grow, each cached by some instances.
type register struct {
	numbers []atomic.Int64
	caches  []*cache.Cache[int64]
	// told[i][n] is what the number n had come to when the last invalidation of it
	// returned at instance i.
	told [][]atomic.Int64
}

func newRegister(numbers int, caches ...*cache.Cache[int64]) *register {
	r := &register{numbers: make([]atomic.Int64, numbers), caches: caches}
	for range caches {
		r.told = append(r.told, make([]atomic.Int64, numbers))
	}
	return r
}

// exercise has writers change the numbers, for as long as their next write is to
// be, while readers hold each instance to its promise.
func (r *register) exercise(t *testing.T, again func(write int) bool) {
	t.Helper()
	var writers, readers sync.WaitGroup
	written := make(chan struct{})
	for instance := range r.caches {
		for reader := range 3 {
			readers.Go(func() { r.read(t, instance, reader, written) })
		}
	}
	const parallel = 2
	for writer := range parallel {
		writers.Go(func() {
			for i := 0; again(i); i++ {
				// Each number has one writer, so that told only grows.
				r.write(t.Context(), (i*parallel+writer)%len(r.numbers))
			}
		})
	}
	writers.Wait()
	close(written)
	readers.Wait()
}

func (r *register) write(ctx context.Context, n int) {
	value := r.numbers[n].Add(1)
	var instances sync.WaitGroup
	for i, c := range r.caches {
		instances.Go(func() {
			c.Invalidate(ctx, tagOf(n))
			r.told[i][n].Store(value)
		})
	}
	instances.Wait()
}

func (r *register) read(t *testing.T, instance, n int, written <-chan struct{}) {
	t.Helper()
	c := r.caches[instance]
	for ; ; n++ {
		select {
		case <-written:
			return
		default:
		}
		n %= len(r.numbers)
		least := r.told[instance][n].Load()
		got, err := c.Get(t.Context(), fmt.Sprint("number ", n), time.Hour, []string{"all", tagOf(n)}, r.loadOf(n))
		if err != nil || got < least {
			t.Errorf("instance %d gives %d (%v) for number %d, which was told to be at least %d", instance, got, err, n, least)
			return
		}
	}
}

func (r *register) loadOf(n int) func(context.Context) (int64, bool, error) {
	return func(context.Context) (int64, bool, error) {
		value := r.numbers[n].Load()
		for range value % 8 {
			runtime.Gosched() // between the reading and the keeping much can happen
		}
		return value, true, nil
	}
}

func tagOf(n int) string { return fmt.Sprint("number:", n) }
