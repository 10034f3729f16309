package cache_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/accord-api/accord/cache"
)

func newFilled(tb testing.TB) (c *cache.Cache[string], get func()) {
	tb.Helper()
	c = cache.New(cache.Options[string]{MaxBytes: ample, Weigh: weigh})
	tags, load, ctx := []string{"product", "product:1"}, new(source).load, tb.Context()
	for i := range 1000 {
		if _, err := c.Get(ctx, fmt.Sprint("products ", i), time.Hour, tags, load); err != nil {
			tb.Fatal(err)
		}
	}
	return c, func() { _, _ = c.Get(ctx, "products 7", time.Hour, tags, load) }
}

//nolint:paralleltest // AllocsPerRun counts the whole process
func TestAHitAllocatesNothing(t *testing.T) {
	c, get := newFilled(t)
	if n := testing.AllocsPerRun(1000, get); n != 0 {
		t.Errorf("Get allocates %v times", n)
	}
	if n := testing.AllocsPerRun(1000, func() { c.Lookup("products 7") }); n != 0 {
		t.Errorf("Lookup allocates %v times", n)
	}
}

func BenchmarkHit(b *testing.B) {
	_, get := newFilled(b)
	b.ReportAllocs()
	for b.Loop() {
		get()
	}
}

func BenchmarkHitParallel(b *testing.B) {
	_, get := newFilled(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			get()
		}
	})
}

func BenchmarkMiss(b *testing.B) {
	c, _ := newFilled(b)
	tags := []string{"product", "product:1"}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		_, _ = c.Get(b.Context(), "k", 0, tags, func(context.Context) (string, bool, error) { return "v", true, nil })
	}
}

func BenchmarkInvalidate(b *testing.B) {
	c, _ := newFilled(b)
	b.ReportAllocs()
	for b.Loop() {
		c.Invalidate(b.Context(), "product", "product:2")
	}
}
