package jobs

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// repeatAfter is how long River's services do not say the same thing again: with
// the database out of reach, each of them would do so every second.
const repeatAfter = time.Minute

// warnings lets only those through, and what a service repeats once a minute. What
// is said of a job is always told.
type warnings struct {
	slog.Handler
	told *told
}

// newWarnings makes a logger for River.
func newWarnings(log *slog.Logger) *slog.Logger {
	return slog.New(warnings{log.Handler(), &told{at: map[string]time.Time{}}})
}

// Enabled drops what is less than a warning.
func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}

// Handle drops what was said within the last minute.
func (w warnings) Handle(ctx context.Context, r slog.Record) error {
	if !strings.Contains(r.Message, "JobExecutor") && !w.told.isNew(r.Message, r.Time) {
		return nil
	}
	return w.Handler.Handle(ctx, r)
}

// WithAttrs keeps what was told.
func (w warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{w.Handler.WithAttrs(attrs), w.told}
}

// WithGroup keeps what was told.
func (w warnings) WithGroup(name string) slog.Handler {
	return warnings{w.Handler.WithGroup(name), w.told}
}

// told remembers when each message was logged last; they are River's constants,
// so that there are few of them.
type told struct {
	mu sync.Mutex
	at map[string]time.Time
}

func (t *told) isNew(message string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if last, known := t.at[message]; known && now.Sub(last) < repeatAfter {
		return false
	}
	t.at[message] = now
	return true
}
