package main

import (
	"context"
	"sync"
	"time"
)

// stopKey is where a context keeps when its stop began.
type stopKey struct{}

// noteStop lets stopContext know when ctx ended, which is when the signal came.
func noteStop(ctx context.Context) (noted context.Context, forget func() bool) {
	began := sync.OnceValue(time.Now)
	forget = context.AfterFunc(ctx, func() { began() })
	return context.WithValue(ctx, stopKey{}, began), forget
}

// stopContext is for what has to be ended. All of it has one limit together,
// counted from the signal, or from the first end where there was none.
func stopContext(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	began, ok := ctx.Value(stopKey{}).(func() time.Time)
	if !ok {
		began = time.Now
	}
	return context.WithDeadline(context.WithoutCancel(ctx), began().Add(limit))
}
