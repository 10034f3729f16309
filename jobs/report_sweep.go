package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/accord-api/accord/gen/db"
)

const (
	// reportSweep is how often reports are looked for that nobody makes.
	reportSweep = 15 * time.Second
	// reportPatience is how long a report may wait before its job is looked for.
	reportPatience = time.Minute
)

// errWorkerGone is why a try has failed whose lease has run out.
var errWorkerGone = errors.New("its worker is gone")

// ReportSweep sees to the reports whose worker is gone, and to those that wait
// and have no job.
type ReportSweep struct{}

// Kind names the job in the database.
func (ReportSweep) Kind() string { return "report-sweep" }

// InsertOpts keeps one sweep at a time, however many instances run.
func (ReportSweep) InsertOpts() river.InsertOpts {
	return river.InsertOpts{UniqueOpts: river.UniqueOpts{ByPeriod: reportSweep}}
}

type reportSweepWorker struct {
	river.WorkerDefaults[ReportSweep]
	Config
}

// Work counts a lease that has run out as a try that has failed.
func (w *reportSweepWorker) Work(ctx context.Context, _ *river.Job[ReportSweep]) error {
	abandoned, err := w.Queries.ReportListAbandoned(ctx, w.Now())
	if err != nil {
		return fmt.Errorf("looking for abandoned reports: %w", err)
	}
	for _, r := range abandoned {
		try := &reportTry{worker: &reportWorker{Config: w.Config}, report: r, token: *r.LeaseToken}
		if err := try.giveUp(ctx, errWorkerGone); err != nil {
			return fmt.Errorf("giving up an abandoned report: %w", err)
		}
	}
	return w.enqueueWaiting(ctx)
}

// enqueueWaiting gives a job to those that have none: one that is there, or still
// to come, is unique.
func (w *reportSweepWorker) enqueueWaiting(ctx context.Context) error {
	waiting, err := w.Queries.ReportListWaiting(ctx, w.Now().Add(-reportPatience))
	if err != nil {
		return fmt.Errorf("looking for reports that wait: %w", err)
	}
	for _, r := range waiting {
		if err := w.enqueue(ctx, r); err != nil {
			return fmt.Errorf("enqueueing a report that waits: %w", err)
		}
	}
	return nil
}

func (w *reportSweepWorker) enqueue(ctx context.Context, r db.ReportListWaitingRow) error {
	inserted, err := river.ClientFromContext[pgx.Tx](ctx).Insert(ctx, Report{ID: r.ID, Attempt: r.Attempt}, nil)
	if err == nil && !inserted.UniqueSkippedAsDuplicate {
		w.Log.WarnContext(ctx, "a report that waited had lost its job", "report", r.ID, "attempt", r.Attempt)
	}
	return err
}
