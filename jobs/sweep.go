package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"
)

// Sweep deletes what has expired: sessions, refresh tokens, mail tokens, and
// notifications that are too old.
type Sweep struct{}

// Kind names the job in the database.
func (Sweep) Kind() string { return "sweep" }

// InsertOpts keeps one sweep an hour, however many instances run.
func (Sweep) InsertOpts() river.InsertOpts {
	return river.InsertOpts{UniqueOpts: river.UniqueOpts{ByPeriod: sweepEvery}}
}

type sweepWorker struct {
	river.WorkerDefaults[Sweep]
	Config
}

// Work deletes in the order in which rows refer to each other.
func (w *sweepWorker) Work(ctx context.Context, _ *river.Job[Sweep]) error {
	now := w.Now()
	for _, table := range []struct {
		name   string
		delete func(context.Context, time.Time) (int64, error)
	}{
		{"refresh tokens", w.Queries.RefreshTokenDeleteExpired},
		{"sessions", w.Queries.SessionDeleteExpired},
		{"mail tokens", w.Queries.MailTokenDeleteExpired},
		{"notifications", w.Queries.NotificationDeleteOld},
	} {
		n, err := table.delete(ctx, now)
		if err != nil {
			return fmt.Errorf("sweeping %s: %w", table.name, err)
		}
		if n > 0 {
			w.Log.InfoContext(ctx, "swept", "table", table.name, "rows", n)
		}
	}
	return nil
}
