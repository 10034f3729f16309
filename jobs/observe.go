package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"go.opentelemetry.io/otel/trace"
)

// Outcome is what a run of a job has come to.
type Outcome string

// The outcomes. A failed job runs again later; a discarded one does not, for it has
// been tried often enough; a cancelled one would fail however often it is tried; a
// snoozed one was handed back.
const (
	Completed Outcome = "completed"
	Failed    Outcome = "failed"
	Discarded Outcome = "discarded"
	Cancelled Outcome = "cancelled"
	Snoozed   Outcome = "snoozed"
)

// Outcomes lists all of them.
func Outcomes() []Outcome { return []Outcome{Completed, Failed, Discarded, Cancelled, Snoozed} }

// Observer is told of each run of a job once it has ended.
type Observer func(kind string, outcome Outcome, took time.Duration)

// observed is River middleware that tells the observer, and makes spans.
type observed struct {
	river.MiddlewareDefaults
	tell   Observer
	tracer trace.Tracer // nil: none
}

// Work tells how the job has ended, a panic too, which goes on to River.
func (o *observed) Work(ctx context.Context, job *rivertype.JobRow, work func(context.Context) error) error {
	began, outcome := time.Now(), Completed
	var span trace.Span
	if o.tracer != nil {
		ctx, span = o.beginSpan(ctx, job)
	}
	failed := func() Outcome {
		if job.Attempt >= job.MaxAttempts {
			return Discarded
		}
		return Failed
	}
	ended := false
	defer func() {
		if !ended { // it panics
			outcome = failed()
		}
		o.tell(job.Kind, outcome, time.Since(began))
		if span != nil {
			endSpan(span, outcome)
		}
	}()
	ctx = context.WithValue(ctx, outcomeKey{}, &outcome) // bare-drops
	err := work(ctx)
	ended = true
	_, cancelled := errors.AsType[*river.JobCancelError](err)
	_, snoozed := errors.AsType[*river.JobSnoozeError](err)
	switch {
	case cancelled:
		outcome = Cancelled
	case snoozed:
		outcome = Snoozed
	case err != nil:
		outcome = failed()
	}
	return err
}

// panics is River's error handler, which leaves all as it is.
type panics struct {
	tell func(ctx context.Context, kind string, id int64, value any, stack string)
}

// HandleError does nothing: the observer is told.
func (panics) HandleError(context.Context, *rivertype.JobRow, error) *river.ErrorHandlerResult {
	return nil
}

// HandlePanic tells.
func (p panics) HandlePanic(ctx context.Context, job *rivertype.JobRow, value any, stack string) *river.ErrorHandlerResult {
	p.tell(ctx, job.Kind, job.ID, value, stack)
	return nil
}

// Backlog is what there is to do of one kind of job.
type Backlog struct {
	// Waiting jobs are due, Oldest is for how long the first of them has been.
	Waiting int64
	Oldest  time.Duration
	// Running are at work in any process; Retrying have failed and run again later.
	Running, Retrying int64
}

// Backlog gives what there is to do in the database, for all processes, by the kinds
// that there is something of.
func (j *Jobs) Backlog(ctx context.Context) (map[string]Backlog, error) {
	// River's index begins with the state, so that what is done is not looked at.
	const sql = `SELECT kind,
		count(*) FILTER (WHERE state = 'available'),
		greatest(0, coalesce(extract(epoch FROM now() - min(scheduled_at) FILTER (WHERE state = 'available')), 0))::float8,
		count(*) FILTER (WHERE state = 'running'),
		count(*) FILTER (WHERE state = 'retryable')
		FROM river_job WHERE state IN ('available', 'running', 'retryable') GROUP BY kind`
	rows, err := j.direct.Query(ctx, sql)
	if err != nil {
		return nil, fmt.Errorf("counting the jobs: %w", err)
	}
	defer rows.Close()
	all := map[string]Backlog{}
	for rows.Next() {
		var b Backlog
		var kind string
		var seconds float64
		if err := rows.Scan(&kind, &b.Waiting, &seconds, &b.Running, &b.Retrying); err != nil {
			return nil, fmt.Errorf("counting the jobs: %w", err)
		}
		b.Oldest = time.Duration(seconds * float64(time.Second))
		all[kind] = b
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("counting the jobs: %w", err)
	}
	return all, nil
}
