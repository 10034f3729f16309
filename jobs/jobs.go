// Package jobs is the work that is done after a request: mails, reports, and the
// deleting of bytes and of what has expired. Jobs are rows (River) that are
// written in the transaction of their cause, so that a job runs if, and only if,
// its cause was committed. A job may run twice after a crash; each is written to
// bear that.
package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"
	"go.opentelemetry.io/otel/trace"
	"riverqueue.com/riverui"
	"riverqueue.com/riverui/uiendpoints"

	"github.com/accord-api/accord/files"
	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/mail"
)

const (
	// workers is how many jobs run at once in a process.
	workers = 8
	// maxAttempts spreads over about half a day with River's backoff.
	maxAttempts = 10
	jobTimeout  = time.Minute
	sweepEvery  = time.Hour
)

// Args is what a job is made of: a River job's arguments.
type Args = river.JobArgs

// Config is what the jobs need.
type Config struct {
	// Direct is a pool that reaches PostgreSQL without a transaction pooler,
	// since River listens for notifications.
	Direct  *pgxpool.Pool
	Queries *db.Queries
	Sender  mail.Sender
	// bare-drops {
	// Files is where uploads and reports are kept.
	Files *files.Store
	// MaxPerUser is how many bytes a user may keep, reports included; 0 means any.
	MaxPerUser int64
	// Lease is how long a worker that says nothing is believed to be at work on a
	// report; 0 means 30 s.
	Lease time.Duration
	// bare-drops }
	// Project names the service in mails, PublicURL is where their links lead.
	Project, PublicURL string
	// AuditRetention is how long the audit trail is kept; 0 means for ever.
	AuditRetention time.Duration
	Now            func() time.Time
	Log            *slog.Logger
	// Observe is told of each run of a job; nil means nobody is.
	Observe Observer
	// Panicked is told of each job that panics; nil means nobody is.
	Panicked func(ctx context.Context, kind string, id int64, value any, stack string)
	// Tracer makes a span of each run of a job; nil means that there are none.
	Tracer trace.Tracer
	// Around is River's middleware: around the enqueueing of jobs, and their work.
	Around []rivertype.Middleware
	// Test starts River's own services at once instead of spread over seconds.
	Test bool
}

// Jobs enqueues jobs and, once started, works on them.
type Jobs struct {
	client riverClient
	direct *pgxpool.Pool
	kinds  []string
	ui     uiendpoints.Bundle // of River's page
}

// riverClient is what is used of River's, as an interface so that those who hold Jobs do not
// compile its generic methods once more.
type riverClient interface {
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	StopAndCancel(ctx context.Context) error
	InsertTx(ctx context.Context, tx pgx.Tx, args river.JobArgs, opts *river.InsertOpts) (*rivertype.JobInsertResult, error)
}

// New prepares the jobs; nothing runs before Start.
func New(c Config) (*Jobs, error) {
	if c.Observe == nil {
		c.Observe = func(string, Outcome, time.Duration) {}
	}
	if c.Panicked == nil {
		c.Panicked = func(context.Context, string, int64, any, string) {}
	}
	registry := river.NewWorkers()
	kinds := []string{
		addWorker(registry, &mailWorker{Config: c}),
		addWorker(registry, &noticeWorker{Config: c}),
		addWorker(registry, &adminMailWorker{Config: c}),
		addWorker(registry, &sweepWorker{Config: c}),
		// bare-drops {
		addWorker(registry, &deleteBytesWorker{Config: c}),
		addWorker(registry, &storageSweepWorker{Config: c}),
		addWorker(registry, &reportWorker{Config: c}),
		addWorker(registry, &reportSweepWorker{Config: c}),
		// bare-drops }
	}
	client, err := river.NewClient(riverpgxv5.New(c.Direct), &river.Config{
		Queues: map[string]river.QueueConfig{
			river.QueueDefault: {MaxWorkers: workers},
			reportsQueue:       {MaxWorkers: reportWorkers}, // bare-drops
		},
		Workers:      registry,
		ErrorHandler: panics{c.Panicked},
		Middleware:   append([]rivertype.Middleware{&observed{tell: c.Observe, tracer: c.Tracer}}, c.Around...),
		MaxAttempts:  maxAttempts,
		JobTimeout:   jobTimeout,
		Logger:       newWarnings(c.Log), // River tells of every start and count
		TestOnly:     c.Test,
		PeriodicJobs: []*river.PeriodicJob{
			every(sweepEvery, Sweep{}),
			every(sweepEvery, StorageSweep{}), every(reportSweep, ReportSweep{}), // bare-drops
		},
	})
	if err != nil {
		return nil, fmt.Errorf("preparing the jobs: %w", err)
	}
	return &Jobs{client: client, direct: c.Direct, kinds: kinds, ui: riverui.NewEndpoints(client, nil)}, nil
}

// addWorker registers a worker, and gives the kind of its jobs.
func addWorker[T Args](registry *river.Workers, worker river.Worker[T]) (kind string) {
	var args T
	river.AddWorker(registry, worker)
	return args.Kind()
}

// Kinds lists the kinds of jobs that there are.
func (j *Jobs) Kinds() []string { return slices.Clone(j.kinds) }

// every enqueues a job at the start and then so often.
func every(period time.Duration, job Args) *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(period),
		func() (river.JobArgs, *river.InsertOpts) { return job, nil }, &river.PeriodicJobOpts{RunOnStart: true})
}

// Start begins to work on jobs; ctx only bounds the start.
func (j *Jobs) Start(ctx context.Context) error {
	if err := j.client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("starting the jobs: %w", err)
	}
	return nil
}

// Stop lets running jobs finish until ctx ends; those that have not are
// cancelled then and run again later. Without a database nothing can finish or be
// handed back, and it takes no longer than two seconds.
func (j *Jobs) Stop(ctx context.Context) error {
	if j.isCutOff(ctx) {
		soon, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_ = j.client.StopAndCancel(soon) // River would try to tell the database for long
		return nil
	}
	if err := j.client.Stop(ctx); err == nil || ctx.Err() == nil {
		return err
	}
	hardStop, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	return j.client.StopAndCancel(hardStop)
}

// isCutOff says that the database cannot be reached.
func (j *Jobs) isCutOff(ctx context.Context) bool {
	soon, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return j.direct.Ping(soon) != nil && ctx.Err() == nil
}

// Enqueue writes a job in the transaction of its cause.
func (j *Jobs) Enqueue(ctx context.Context, tx pgx.Tx, job Args) error {
	if _, err := j.client.InsertTx(ctx, tx, job, nil); err != nil {
		return fmt.Errorf("enqueueing a %s job: %w", job.Kind(), err)
	}
	return nil
}

// Counts are how many jobs there are.
type Counts struct {
	Waiting int64 // for their turn or their time
	Running int64
	Failed  int64 // at least once, and not done since: tried again, or given up
}

// Count counts the jobs that are not done.
func (j *Jobs) Count(ctx context.Context) (c Counts, err error) {
	// River itself counts by one state at a time.
	const sql = `SELECT count(*) FILTER (WHERE state IN ('available', 'pending', 'scheduled')),
		count(*) FILTER (WHERE state = 'running'), count(*) FILTER (WHERE state IN ('retryable', 'discarded'))
		FROM river_job WHERE state NOT IN ('completed', 'cancelled')`
	if err := j.direct.QueryRow(ctx, sql).Scan(&c.Waiting, &c.Running, &c.Failed); err != nil {
		return Counts{}, fmt.Errorf("counting the jobs: %w", err)
	}
	return c, nil
}

// ForgetAddress takes an address out of all jobs, whatever their state: those
// that have not run find nobody then. Addresses are lower-case in jobs.
func (j *Jobs) ForgetAddress(ctx context.Context, tx pgx.Tx, email string) error {
	// River itself has no way to change a job's arguments. Its index on them
	// finds those that hold the address.
	const sql = `UPDATE river_job SET args = args - 'email' WHERE kind = $1 AND args @> jsonb_build_object('email', $2::text)`
	if _, err := tx.Exec(ctx, sql, Mail{}.Kind(), strings.ToLower(email)); err != nil {
		return fmt.Errorf("taking an address out of the jobs: %w", err)
	}
	return nil
}
