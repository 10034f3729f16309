package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

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
	// reportTries is how often a report is begun before it has failed, whether its
	// tries fail or their workers die.
	reportTries = 5
	// progressEvery is how often new progress is told at most.
	progressEvery = time.Second
	// reportBackoff is how long the third try waits; the fourth waits eight times
	// as long, and the fifth 27 times.
	reportBackoff = 10 * time.Second
	// reportMax bounds the bytes of a report.
	reportMax = 4 << 30
	// reportsQueue keeps reports from taking the workers of mails.
	reportsQueue = "reports"
	// reportWorkers is how many are made at once in a process.
	reportWorkers = 2
	// jobTries is how often River runs one job of a report, which only counts where
	// it could not even begin: the tries of a report are counted in its row.
	jobTries = 3
	// admin is the role that asks for what is not only its own.
	admin = "admin"
)

// refusal is why a report fails however often it is tried: a code of the problem
// catalogue.
type refusal string

func (r refusal) Error() string { return "the report is refused: " + string(r) }

// What reports fail with.
const (
	reportInternal  refusal = "internal" // nothing better is known
	reportForbidden refusal = "forbidden"
	reportTooLarge  refusal = "quota-exceeded"
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

// InsertOpts keeps one job at a time for each try.
func (Report) InsertOpts() river.InsertOpts {
	return river.InsertOpts{
		Queue: reportsQueue, MaxAttempts: jobTries,
		UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
			rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable,
			rivertype.JobStateRunning, rivertype.JobStateScheduled,
		}},
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
	switch {
	case err == nil, errors.Is(err, errLeaseLost):
		return nil
	case isStopped(ctx):
		return try.handBack(ctx)
	}
	noteOutcome(ctx, try.outcome(err))
	return try.giveUp(ctx, err)
}

// outcome is what a failure makes of the try: another one follows a failed one alone.
func (l *reportTry) outcome(failure error) Outcome {
	_, refused := errors.AsType[refusal](failure)
	switch {
	case refused:
		return Cancelled
	case l.report.Attempt >= reportTries:
		return Discarded
	}
	return Failed
}

// isStopped says that a job is broken off because the process stops. River ends
// its context in no other way but by its timeout and when it is cancelled by hand.
func isStopped(ctx context.Context) bool {
	return errors.Is(ctx.Err(), context.Canceled) && !errors.Is(context.Cause(ctx), river.ErrJobCancelledRemotely)
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
	who, err := l.worker.Queries.UserGet(ctx, l.report.UserID)
	if err := l.permit(who.Role, who.IsActive, err); err != nil {
		return err
	}
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

// permit takes what the account is now, and an error of asking for it. Who asked
// for the report may have lost the right to it since.
func (l *reportTry) permit(role string, active bool, err error) error {
	switch {
	case err != nil && !errors.Is(err, pgx.ErrNoRows):
		return fmt.Errorf("asking who wants a report: %w", err)
	case err != nil, !active, l.report.Kind != ReportOrders && role != admin:
		return reportForbidden
	}
	return nil
}

// renew says now and then that this worker is at it, and how far it is, until ctx
// ends; a lost lease ends the work.
func (l *reportTry) renew(ctx context.Context, end context.CancelCauseFunc) {
	period := l.worker.lease() / renewals
	every := min(period, progressEvery)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	told, at := int32(0), time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		progress := l.progress.Load()
		if progress == told && time.Since(at) < period-every/2 {
			continue
		}
		held, err := l.worker.Queries.ReportRenew(ctx, db.ReportRenewParams{
			ID: l.report.ID, Token: l.token, Progress: progress, LeaseExpiresAt: l.worker.Now().Add(l.worker.lease()),
		})
		switch {
		case err == nil && held == 0:
			end(errLeaseLost)
			return
		case err == nil:
			told, at = progress, time.Now()
		case ctx.Err() == nil: // the next one may be in time
			l.worker.Log.WarnContext(ctx, "renewing the lease of a report", "report", l.report.ID, "error", err)
		}
	}
}

// write streams the report to the storage while it is made. Nothing of it runs
// any more when it returns.
func (l *reportTry) write(ctx context.Context) (files.Written, error) {
	room, err := l.room(ctx)
	if err != nil {
		return files.Written{}, err
	}
	reader, writer := io.Pipe()
	rendered := make(chan struct{})
	go func() { defer close(rendered); writer.CloseWithError(l.render(ctx, writer)) }()
	written, err := l.worker.Files.Write(ctx, l.key(), reader, min(room, reportMax))
	_ = reader.CloseWithError(err) // lets render end where the storage failed
	<-rendered
	if errors.Is(err, files.ErrTooLarge) && room < reportMax {
		return written, reportTooLarge
	}
	if err != nil {
		return written, fmt.Errorf("writing a report: %w", err)
	}
	return written, nil
}

// room is how many bytes the user may keep beside those that are kept.
func (l *reportTry) room(ctx context.Context) (int64, error) {
	if l.worker.MaxPerUser == 0 {
		return reportMax, nil
	}
	used, err := l.worker.Queries.FileUsage(ctx, l.report.UserID)
	if err != nil {
		return 0, fmt.Errorf("asking what a user keeps: %w", err)
	}
	return max(0, l.worker.MaxPerUser-used), nil
}

// complete makes the file known, in the transaction that ends the report: both
// are there, and the user is told, once or not at all.
func (l *reportTry) complete(ctx context.Context, written files.Written) error {
	file := l.file(uuid.Must(uuid.NewV7()), written)
	file.Now = l.worker.Now()
	err := pgx.BeginFunc(ctx, l.worker.Direct, func(tx pgx.Tx) error {
		queries := l.worker.Queries.WithTx(tx)
		if err := l.keep(ctx, queries, file); err != nil {
			return err
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
	if _, refused := errors.AsType[refusal](err); refused || errors.Is(err, errLeaseLost) {
		return errors.Join(err, l.discard(ctx))
	}
	return err
}

// keep writes the row of the file. While the account is held it loses no right,
// and no other file of it takes the same room.
func (l *reportTry) keep(ctx context.Context, queries *db.Queries, file db.FileCreateParams) error {
	who, err := queries.ReportHoldOwner(ctx, l.report.UserID)
	if err := l.permit(who.Role, who.IsActive, err); err != nil {
		return err
	}
	row := db.FileCreateWithinParams{
		ID: file.ID, UserID: file.UserID, Name: file.Name, ContentType: file.ContentType,
		Size: file.Size, Sha256: file.Sha256, StorageKey: file.StorageKey, Now: file.Now, Max: l.worker.MaxPerUser,
	}
	if row.Max == 0 {
		row.Max = math.MaxInt64
	}
	_, err = queries.FileCreateWithin(ctx, row)
	if errors.Is(err, pgx.ErrNoRows) {
		return reportTooLarge
	}
	if err != nil {
		return fmt.Errorf("writing the file of a report: %w", err)
	}
	return nil
}

// file is the row of what was written; its time is still missing.
func (l *reportTry) file(id uuid.UUID, written files.Written) db.FileCreateParams {
	return db.FileCreateParams{
		ID: id, UserID: l.report.UserID, Name: l.name(), ContentType: l.contentType(),
		Size: written.Size, Sha256: written.SHA256[:], StorageKey: l.key(),
	}
}

// handBack lets another process go on, without counting this try: the job is
// there again at once.
func (l *reportTry) handBack(ctx context.Context) error {
	_, err := l.worker.Queries.ReportRelease(context.WithoutCancel(ctx), db.ReportReleaseParams{
		ID: l.report.ID, Token: l.token, Attempt: l.report.Attempt - 1,
	})
	if err != nil {
		return fmt.Errorf("handing back a report: %w", err)
	}
	return river.JobSnooze(0)
}

// giveUp lets a report whose try has failed be tried again, or ends it.
func (l *reportTry) giveUp(ctx context.Context, failure error) error {
	ctx = context.WithoutCancel(ctx) // which may be what the try has failed of
	why, refused := errors.AsType[refusal](failure)
	if !refused {
		why = reportInternal
	}
	l.worker.Log.WarnContext(ctx, "a try at a report has failed", "report", l.report.ID, "attempt", l.report.Attempt, "error", failure)
	return pgx.BeginFunc(ctx, l.worker.Direct, func(tx pgx.Tx) error {
		if l.outcome(failure) != Failed {
			return l.fail(ctx, l.worker.Queries.WithTx(tx), why)
		}
		return l.again(ctx, tx)
	})
}

func (l *reportTry) fail(ctx context.Context, queries *db.Queries, why refusal) error {
	n, err := queries.ReportFail(ctx, db.ReportFailParams{ID: l.report.ID, Token: l.token, Problem: string(why), Now: l.worker.Now()})
	if err != nil || n == 0 {
		return err
	}
	return l.tell(ctx, queries, "report.failed", "Your report could not be made: "+l.name(), "/api/v1/reports/"+l.report.ID.String())
}

// again enqueues the next try: at once after the first, and then later each time.
func (l *reportTry) again(ctx context.Context, tx pgx.Tx) error {
	released, err := l.worker.Queries.WithTx(tx).ReportRelease(ctx, db.ReportReleaseParams{ID: l.report.ID, Token: l.token, Attempt: l.report.Attempt})
	if err != nil || released == 0 {
		return err
	}
	var later river.InsertOpts
	if n := int(l.report.Attempt) - 1; n > 0 {
		later.ScheduledAt = l.worker.Now().Add(time.Duration(n*n*n) * reportBackoff)
	}
	_, err = river.ClientFromContext[pgx.Tx](ctx).InsertTx(ctx, tx, Report{ID: l.report.ID, Attempt: l.report.Attempt}, &later)
	return err
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

type outcomeKey struct{}

// noteOutcome says of the job that ctx belongs to what its error does not: a report
// counts its tries itself, and its job ends well when one of them has failed.
func noteOutcome(ctx context.Context, outcome Outcome) {
	if noted, ok := ctx.Value(outcomeKey{}).(*Outcome); ok {
		*noted = outcome
	}
}
