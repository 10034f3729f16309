package jobs

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
)

// Sweep deletes what has expired, as sessions and tokens, and what has been kept long
// enough, as audit events.
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
		{"notifications", w.Queries.NotificationDeleteOld}, // bare-drops
		{"reports", w.Queries.ReportDeleteOld},             // bare-drops
	} {
		n, err := table.delete(ctx, now)
		if err != nil {
			return fmt.Errorf("sweeping %s: %w", table.name, err)
		}
		w.swept(ctx, table.name, n)
	}
	return w.sweepAudit(ctx, now)
}

func (w *sweepWorker) swept(ctx context.Context, table string, rows int64) {
	if rows > 0 {
		w.Log.InfoContext(ctx, "swept", "table", table, "rows", rows)
	}
}

// auditBatch bounds what one statement deletes: a trail of years may be due at
// once, after the setting is changed.
const auditBatch = 5000

// sweepAudit deletes the audit events that have been kept long enough.
func (w *sweepWorker) sweepAudit(ctx context.Context, now time.Time) error {
	if w.AuditRetention == 0 {
		return nil
	}
	before, total := firstID(now.Add(-w.AuditRetention)), int64(0)
	for n := int64(auditBatch); n == auditBatch; total += n {
		var err error
		if n, err = w.Queries.AuditEventDeleteOld(ctx, before, auditBatch); err != nil {
			return fmt.Errorf("sweeping audit events: %w", err)
		}
	}
	w.swept(ctx, "audit events", total)
	return nil
}

// firstID is the lowest id that can have been made at a time: an id (UUIDv7)
// begins with its milliseconds.
func firstID(at time.Time) uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:], uint64(at.UnixMilli())<<16)
	return id
}
