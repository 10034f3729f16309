package inspect

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// maxName is how much is shown of a statement that has no name.
const maxName = 60

type queryKey struct{}

// openQuery is a statement that is being run.
type openQuery struct {
	request *Request
	index   int
	began   time.Time
}

// TraceQueryStart notes a statement of a request; pgx calls it.
func (*Log) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	r := From(ctx)
	if r == nil {
		return ctx
	}
	q := &openQuery{request: r, began: time.Now()}
	name := statementName(data.SQL)
	r.mu.Lock()
	defer r.mu.Unlock()
	q.index = len(r.record.Queries)
	r.record.Queries = append(r.record.Queries, Query{Name: name, At: q.began.Sub(r.began), Job: jobOf(ctx)})
	if name == "rollback" {
		for i := range r.record.Jobs {
			if r.record.Jobs[i].State == Waiting && r.record.Jobs[i].By == jobOf(ctx) {
				r.record.Jobs[i].State = RolledBack
			}
		}
	}
	return context.WithValue(ctx, queryKey{}, q)
}

// TraceQueryEnd notes how a statement ended; pgx calls it.
func (*Log) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	q, ok := ctx.Value(queryKey{}).(*openQuery)
	if !ok {
		return
	}
	q.request.mu.Lock()
	defer q.request.mu.Unlock()
	query := &q.request.record.Queries[q.index]
	if query.ended {
		return
	}
	query.ended, query.Took, query.Rows = true, time.Since(q.began), data.CommandTag.RowsAffected()
	if data.Err != nil {
		query.Error = data.Err.Error()
	}
}

// statementName is what sqlc calls a statement, or its beginning.
func statementName(sql string) string {
	if named, ok := strings.CutPrefix(strings.TrimSpace(sql), "-- name: "); ok {
		name, _, _ := strings.Cut(named, " ")
		return name
	}
	text := strings.Join(strings.Fields(strings.TrimPrefix(sql, "--")), " ")
	if len(text) > maxName {
		return strings.ToValidUTF8(text[:maxName], "") + "..."
	}
	return text
}

type jobKey struct{}

// jobOf is the job that does the work; 0 where it is the request.
func jobOf(ctx context.Context) int64 {
	if job, ok := ctx.Value(jobKey{}).(*rivertype.JobRow); ok {
		return job.ID
	}
	return 0
}

// Middleware sees which jobs a request enqueues and what becomes of them, those that
// its jobs enqueue included, in this process.
func (l *Log) Middleware() rivertype.Middleware { return &middleware{log: l} }

type middleware struct {
	river.MiddlewareDefaults
	log *Log
}

// InsertMany notes jobs that are enqueued; River calls it.
func (m *middleware) InsertMany(ctx context.Context, _ []*rivertype.JobInsertParams, insert func(context.Context) ([]*rivertype.JobInsertResult, error)) ([]*rivertype.JobInsertResult, error) {
	results, err := insert(ctx)
	r, by := From(ctx), jobOf(ctx)
	if r == nil || err != nil {
		return results, err
	}
	for _, result := range results {
		if result.UniqueSkippedAsDuplicate {
			continue
		}
		m.log.own(result.Job.ID, r)
		r.change(func(record *Record) {
			record.Jobs = append(record.Jobs, Job{ID: result.Job.ID, Kind: result.Job.Kind, By: by, State: Waiting})
		})
	}
	return results, nil
}

// Work notes how a job is done; River calls it.
func (m *middleware) Work(ctx context.Context, job *rivertype.JobRow, work func(context.Context) error) error {
	r := m.log.owner(job.ID)
	if r == nil {
		return work(ctx)
	}
	r.job(job.ID, func(j *Job) { j.State = Running })
	began := time.Now()
	err := work(context.WithValue(With(ctx, r), jobKey{}, job))
	r.job(job.ID, func(j *Job) {
		j.State, j.Took, j.Error = Done, time.Since(began), ""
		if err != nil {
			j.State, j.Error = Failed, err.Error()
		}
	})
	return err
}

func (l *Log) own(job int64, r *Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.jobs[job] = r
}

func (l *Log) owner(job int64) *Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.jobs[job]
}

// job changes what is known of one of the request's jobs.
func (r *Request) job(id int64, change func(*Job)) {
	r.change(func(record *Record) {
		if i := slices.IndexFunc(record.Jobs, func(j Job) bool { return j.ID == id }); i >= 0 {
			change(&record.Jobs[i])
		}
	})
}

// Mailed notes that a job has sent a mail, which is kept under an id, if it is.
func (*Log) Mailed(ctx context.Context, id, to, subject string) {
	r, job := From(ctx), jobOf(ctx)
	if r == nil || job == 0 {
		return
	}
	r.job(job, func(j *Job) { j.Mails = append(j.Mails, Mail{ID: id, To: to, Subject: subject}) })
}
