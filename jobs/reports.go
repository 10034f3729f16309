package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"github.com/accord-api/accord/files"
	"github.com/accord-api/accord/gen/db"
)

// The kinds of reports.
const (
	ReportOrders = "orders"
	ReportSales  = "sales"
	ReportUsers  = "users"
)

const (
	// reportLease is how long a worker that says nothing is believed to be at
	// work.
	reportLease = 30 * time.Second
	// renewals is how often a worker says so within a lease.
	renewals = 3
	// reportTimeout bounds one try.
	reportTimeout = time.Hour
	// reportTries is how often a report is tried before it has failed.
	reportTries = 4
	// reportSweep is how often abandoned reports are looked for.
	reportSweep = 15 * time.Second
	// reportMax bounds the bytes of a report.
	reportMax = 4 << 30
	// reportsQueue keeps reports from taking the workers of mails.
	reportsQueue = "reports"
	// reportWorkers is how many are made at once in a process.
	reportWorkers = 2
	// reportProblem is the code of the problem of a report that has failed.
	reportProblem = "internal"
)

// errLeaseLost ends a try whose report was cancelled or taken over.
var errLeaseLost = errors.New("the lease of the report is lost")

// Report makes the report with this id. Attempt tells jobs for the same report
// from each other: it is how often its making has begun before.
type Report struct {
	ID      uuid.UUID `json:"id"`
	Attempt int32     `json:"attempt"`
}

// Kind names the job in the database.
func (Report) Kind() string { return "report" }

// InsertOpts keeps one job for each time that a report is abandoned.
func (Report) InsertOpts() river.InsertOpts {
	return river.InsertOpts{
		Queue: reportsQueue, MaxAttempts: reportTries,
		UniqueOpts: river.UniqueOpts{ByArgs: true, ByPeriod: time.Minute},
	}
}

type reportWorker struct {
	river.WorkerDefaults[Report]
	Config
}

// Timeout bounds one try; the lease is what tells a dead worker from a slow one.
func (w *reportWorker) Timeout(*river.Job[Report]) time.Duration { return reportTimeout }

// Work makes the report unless somebody else does, or it was made or cancelled
// before. It may run twice for one report; only one of them holds the lease.
func (w *reportWorker) Work(ctx context.Context, job *river.Job[Report]) error {
	try := &reportTry{worker: w, token: uuid.New()}
	report, err := w.Queries.ReportClaim(ctx, db.ReportClaimParams{
		ID: job.Args.ID, Token: try.token, Now: w.Now(), LeaseExpiresAt: w.Now().Add(w.lease()),
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("claiming a report: %w", err)
	}
	try.report = report
	err = try.run(ctx)
	if errors.Is(err, errLeaseLost) {
		return nil
	}
	if err != nil {
		return errors.Join(err, try.giveUp(ctx, job.Attempt >= job.MaxAttempts))
	}
	return nil
}

func (c Config) lease() time.Duration {
	if c.Lease > 0 {
		return c.Lease
	}
	return reportLease
}

// reportTry is one try at one report.
type reportTry struct {
	worker   *reportWorker
	report   db.Report
	token    uuid.UUID
	progress atomic.Int32 // percent
}

// WriteReport keeps the bytes of a report in the storage, and gives the row of
// its file, with this id, which is the caller's to write. It needs no job and no
// lease, and nothing of the configuration but Queries, Files and Project; Queries
// may be those of a transaction.
func WriteReport(ctx context.Context, c Config, report db.Report, file uuid.UUID) (db.FileCreateParams, error) {
	l := &reportTry{worker: &reportWorker{Config: c}, report: report, token: file}
	written, err := l.write(ctx)
	return l.file(file, written), err
}

// run writes the report and completes it, renewing the lease meanwhile.
func (l *reportTry) run(ctx context.Context) error {
	ctx, end := context.WithCancelCause(ctx)
	renewed := make(chan struct{})
	go func() { defer close(renewed); l.renew(ctx, end) }()
	written, err := l.write(ctx)
	end(nil)
	<-renewed
	if cause := context.Cause(ctx); errors.Is(cause, errLeaseLost) {
		return errors.Join(cause, l.discard(ctx))
	}
	if err != nil {
		return err
	}
	return l.complete(context.WithoutCancel(ctx), written)
}

// renew says now and then that this worker is at it, until ctx ends; a lost
// lease ends the work.
func (l *reportTry) renew(ctx context.Context, end context.CancelCauseFunc) {
	ticker := time.NewTicker(l.worker.lease() / renewals)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		held, err := l.worker.Queries.ReportRenew(ctx, db.ReportRenewParams{
			ID: l.report.ID, Token: l.token, Progress: l.progress.Load(), LeaseExpiresAt: l.worker.Now().Add(l.worker.lease()),
		})
		if err == nil && held == 0 {
			end(errLeaseLost)
			return
		}
		if err != nil && ctx.Err() == nil { // the next one may be in time
			l.worker.Log.WarnContext(ctx, "renewing the lease of a report", "report", l.report.ID, "error", err)
		}
	}
}

// write streams the report to the storage while it is made. Nothing of it runs
// any more when it returns.
func (l *reportTry) write(ctx context.Context) (files.Written, error) {
	reader, writer := io.Pipe()
	rendered := make(chan struct{})
	go func() { defer close(rendered); writer.CloseWithError(l.render(ctx, writer)) }()
	written, err := l.worker.Files.Write(ctx, l.key(), reader, reportMax)
	_ = reader.CloseWithError(err) // lets render end where the storage failed
	<-rendered
	if err != nil {
		return written, fmt.Errorf("writing a report: %w", err)
	}
	return written, nil
}

// complete makes the file known, in the transaction that ends the report: both
// are there, and the user is told, once or not at all.
func (l *reportTry) complete(ctx context.Context, written files.Written) error {
	file := l.file(uuid.Must(uuid.NewV7()), written)
	file.Now = l.worker.Now()
	err := pgx.BeginFunc(ctx, l.worker.Direct, func(tx pgx.Tx) error {
		queries := l.worker.Queries.WithTx(tx)
		if _, err := queries.FileCreate(ctx, file); err != nil {
			return fmt.Errorf("writing the file of a report: %w", err)
		}
		n, err := queries.ReportSucceed(ctx, db.ReportSucceedParams{ID: l.report.ID, Token: l.token, FileID: file.ID, Now: file.Now})
		if err != nil {
			return fmt.Errorf("completing a report: %w", err)
		}
		if n == 0 {
			return errLeaseLost
		}
		return l.tell(ctx, queries, "report.succeeded", "Your report is ready: "+file.Name, "/api/v1/files/"+file.ID.String())
	})
	if errors.Is(err, errLeaseLost) {
		return errors.Join(err, l.discard(ctx))
	}
	return err
}

// file is the row of what was written; its time is still missing.
func (l *reportTry) file(id uuid.UUID, written files.Written) db.FileCreateParams {
	return db.FileCreateParams{
		ID: id, UserID: l.report.UserID, Name: l.name(), ContentType: l.contentType(),
		Size: written.Size, Sha256: written.SHA256[:], StorageKey: l.key(),
	}
}

// giveUp lets the report be tried again, or ends it.
func (l *reportTry) giveUp(ctx context.Context, last bool) error {
	ctx = context.WithoutCancel(ctx) // which may be what the try has failed of
	if !last {
		return l.worker.Queries.ReportRelease(ctx, l.report.ID, l.token)
	}
	return pgx.BeginFunc(ctx, l.worker.Direct, func(tx pgx.Tx) error {
		queries := l.worker.Queries.WithTx(tx)
		n, err := queries.ReportFail(ctx, db.ReportFailParams{ID: l.report.ID, Token: l.token, Problem: reportProblem, Now: l.worker.Now()})
		if err != nil || n == 0 {
			return err
		}
		return l.tell(ctx, queries, "report.failed", "Your report could not be made: "+l.name(), "/api/v1/reports/"+l.report.ID.String())
	})
}

// tell creates a notification of the user who has asked for the report.
func (l *reportTry) tell(ctx context.Context, queries *db.Queries, kind, title, link string) error {
	return queries.NotificationCreate(ctx, db.NotificationCreateParams{
		ID: uuid.Must(uuid.NewV7()), UserID: l.report.UserID, Kind: kind, Title: title, Link: link, Now: l.worker.Now(),
	})
}

// discard deletes what was written for nothing. What is left all the same goes
// with the next sweep of the storage.
func (l *reportTry) discard(ctx context.Context) error {
	return l.worker.Files.Delete(context.WithoutCancel(ctx), l.key())
}

// key is where this try keeps its bytes.
func (l *reportTry) key() string { return fmt.Sprintf("%s%s/%s", reportFolder, l.report.ID, l.token) }

func (l *reportTry) name() string {
	return fmt.Sprintf("%s-%s.%s", l.report.Kind, l.report.CreatedAt.UTC().Format(time.DateOnly), l.report.Format)
}

func (l *reportTry) contentType() string {
	return map[string]string{"csv": "text/csv", "html": "text/html"}[l.report.Format]
}

// ReportSweep enqueues the reports again whose worker is gone.
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

// Work finds leases that have run out.
func (w *reportSweepWorker) Work(ctx context.Context, _ *river.Job[ReportSweep]) error {
	abandoned, err := w.Queries.ReportListAbandoned(ctx, w.Now())
	if err != nil {
		return fmt.Errorf("looking for abandoned reports: %w", err)
	}
	for _, r := range abandoned {
		w.Log.WarnContext(ctx, "a report is made anew, since its worker is gone", "report", r.ID, "attempt", r.Attempt)
		if _, err := river.ClientFromContext[pgx.Tx](ctx).Insert(ctx, Report{ID: r.ID, Attempt: r.Attempt}, nil); err != nil {
			return fmt.Errorf("enqueueing an abandoned report: %w", err)
		}
	}
	return nil
}
