package jobs_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/jobs"
)

// A stop in order hands a report back: the next process makes it at once, and the
// try does not count.
func TestStopHandsAReportBack(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	user := b.user("ada", "user", "")
	report, err := b.queries.ReportCreate(t.Context(), db.ReportCreateParams{
		ID: uuid.Must(uuid.NewV7()), UserID: user.ID, Kind: jobs.ReportOrders, Format: "csv", Days: 30, Now: b.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	release := b.hold("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
	b.enqueue(jobs.Report{ID: report.ID})
	b.start(b.jobs)
	b.eventually("it is being made", func() bool { return b.text("SELECT status || attempt FROM reports") == "running1" })
	b.eventually("it waits", func() bool {
		return b.text("SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") == "1"
	})

	now, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.jobs.Stop(now); err != nil {
		t.Fatal(err)
	}
	if got := b.text("SELECT status || attempt FROM reports"); got != "queued0" {
		t.Errorf("the report is %s", got)
	}
	b.becomes("report", "available 1")
	release()
	b.start(b.newJobs(b.post.sender(t), auditRetention))
	b.becomes("report", "completed 1")
	if got := b.text("SELECT status || attempt FROM reports"); got != "succeeded1" {
		t.Errorf("the report is %s", got)
	}
}

// A worker that has lost its lease to another one changes nothing of the report.
func TestALostLeaseChangesNothing(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	id, lost := uuid.Must(uuid.NewV7()), uuid.New()
	if _, err := b.queries.ReportCreate(t.Context(), db.ReportCreateParams{
		ID: id, UserID: b.user("ada", "user", "").ID, Kind: jobs.ReportOrders, Format: "csv", Days: 30, Now: b.now,
	}); err != nil {
		t.Fatal(err)
	}
	for i, token := range []uuid.UUID{lost, uuid.New()} {
		now := b.now.Add(time.Duration(i) * time.Hour)
		if _, err := b.queries.ReportClaim(t.Context(), db.ReportClaimParams{ID: id, Token: token, Now: now, LeaseExpiresAt: now.Add(time.Minute)}); err != nil {
			t.Fatal(err)
		}
	}
	before := b.text("SELECT reports::text FROM reports")
	for name, change := range map[string]func(q *db.Queries) (int64, error){
		"renew": func(q *db.Queries) (int64, error) {
			return q.ReportRenew(t.Context(), db.ReportRenewParams{ID: id, Token: lost, Progress: 50, LeaseExpiresAt: b.now})
		},
		"release": func(q *db.Queries) (int64, error) {
			return q.ReportRelease(t.Context(), db.ReportReleaseParams{ID: id, Token: lost, Attempt: 1})
		},
		"succeed": func(q *db.Queries) (int64, error) {
			return q.ReportSucceed(t.Context(), db.ReportSucceedParams{ID: id, Token: lost, FileID: id, Now: b.now})
		},
		"fail": func(q *db.Queries) (int64, error) {
			return q.ReportFail(t.Context(), db.ReportFailParams{ID: id, Token: lost, Problem: "internal", Now: b.now})
		},
	} {
		n, err := change(b.queries)
		if after := b.text("SELECT reports::text FROM reports"); n != 0 || err != nil || after != before {
			t.Errorf("%s: %d, %v: the report was %s and is %s", name, n, err, before, after)
		}
	}
}

// hold begins a transaction that goes on until it is released.
func (b *bench) hold(sql string) (release func()) {
	b.Helper()
	conn, err := pgx.Connect(b.Context(), b.pool.Inner().Config().ConnString())
	if err != nil {
		b.Fatal(err)
	}
	if _, err := conn.Exec(b.Context(), "BEGIN; "+sql); err != nil {
		b.Fatal(err)
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	}
}

func (b *bench) notification(user db.User, title string, age time.Duration) {
	b.Helper()
	err := b.queries.NotificationCreate(b.Context(), db.NotificationCreateParams{
		ID: uuid.Must(uuid.NewV7()), UserID: user.ID, Kind: "report.succeeded", Title: title, Now: b.now.Add(-age),
	})
	if err != nil {
		b.Fatal(err)
	}
}

// report is one that ended so long ago.
func (b *bench) report(user db.User, days int, age time.Duration) {
	b.Helper()
	b.exec(`INSERT INTO reports (id, user_id, kind, format, days, status, created_at, finished_at)
		VALUES ($1, $2, 'orders', 'csv', $3, 'cancelled', $4, $4)`, uuid.Must(uuid.NewV7()), user.ID, days, b.now.Add(-age))
}
