package limit

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// expiryMargin is how much longer than needed Redis keeps a key, so that its
// idea of a second need not be ours.
const expiryMargin = time.Second

//go:embed window.lua
var windowLua string

var windowScript = redis.NewScript(windowLua)

// SharedWindow is a Window over several processes: at most a number of calls in
// any span of time, whichever process they come to. Redis decides. What it
// allows is counted in this process as well, and what this process has allowed
// so often already is refused whatever Redis says, so that nothing opens up when
// Redis fails, or comes back without what it knew.
//
// Instants come from the processes' clocks, in microseconds. Where these differ,
// a span is longer or shorter by that difference. It is safe for concurrent use.
type SharedWindow struct {
	local  *Window
	redis  *Redis // nil: the process counts alone
	name   string
	now    func() time.Time
	span   int64 // microseconds
	expiry int64 // milliseconds
}

// NewSharedWindow returns a window of at most limit calls in any span. Processes
// that give it the same name, limit and span count together, by way of r; with a
// nil r each counts alone. It panics as NewWindow does. What WithMaxKeys bounds is
// held in this process.
func NewSharedWindow(r *Redis, name string, limit int, span time.Duration, opts ...Option) *SharedWindow {
	return &SharedWindow{
		local:  NewWindow(limit, span, opts...),
		redis:  r,
		name:   fmt.Sprintf("%s:%d/%s", name, limit, span),
		now:    newOptions(opts).now,
		span:   micros(span),
		expiry: (span + expiryMargin).Milliseconds(),
	}
}

// Take asks for one call of key and counts it if it is allowed. It waits
// for Redis no longer than RedisConfig.Timeout.
func (w *SharedWindow) Take(ctx context.Context, key string) Decision {
	shared, ok := w.ask(ctx, key)
	if ok && !shared.Allowed {
		return shared
	}
	own := w.local.Take(key)
	if ok {
		own.Remaining = min(own.Remaining, shared.Remaining)
	}
	return own
}

// ask gives the decision of all processes together. It is not ok where only this
// one is left to decide.
func (w *SharedWindow) ask(ctx context.Context, key string) (d Decision, ok bool) {
	if w.redis == nil {
		return Decision{}, false
	}
	// A flood at one process must not become one at Redis.
	if refused, ok := w.local.refusal(key); ok {
		return refused, true
	}
	answer, err := w.redis.run(ctx, windowScript, 4, w.redis.name(w.name, key),
		w.now().UnixMicro(), w.local.limit, w.span, w.expiry)
	if err != nil {
		return Decision{}, false
	}
	return Decision{
		Allowed:    answer[0] == 1,
		Limit:      w.local.limit,
		Remaining:  int(answer[1]),
		Reset:      fromMicros(answer[2]),
		RetryAfter: fromMicros(answer[3]),
	}, true
}
