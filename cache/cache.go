// Package cache is a stand-in until the real one is merged.
package cache

import (
	"context"
	"log/slog"
	"time"
)

type Options[V any] struct {
	MaxBytes int64
	Weigh    func(V) int
	Now      func() time.Time
	Fresh    func() bool
	Encode   func(V) ([]byte, error)
	Decode   func([]byte) (V, error)
	Log      *slog.Logger
}
type Cache[V any] struct{}

func New[V any](Options[V]) *Cache[V] { return &Cache[V]{} }
func (c *Cache[V]) Get(ctx context.Context, key string, ttl time.Duration, tags []string, load func(ctx context.Context) (V, bool, error)) (V, error) {
	v, _, err := load(ctx)
	return v, err
}
func (c *Cache[V]) Invalidate(ctx context.Context, tags ...string) {}
func (c *Cache[V]) InvalidateAll(ctx context.Context)              {}
