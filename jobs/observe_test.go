package jobs_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/jobs"
	"github.com/accord-api/accord/mail"
)

// senderFunc sends mails as it likes.
type senderFunc func() error

func (f senderFunc) Send(context.Context, mail.Message) error { return f() }

// Each run of a job is told with its outcome, and a panic with its stack.
// A report that is refused is so, though its job has done all that it could; bare-drops
func TestJobsAreObserved(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	user := b.user("ada", "user", "")
	// bare-drops {
	report, err := b.queries.ReportCreate(t.Context(), db.ReportCreateParams{
		ID: uuid.Must(uuid.NewV7()), UserID: user.ID, Kind: jobs.ReportSales, Format: "csv", Days: 30, Now: b.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.enqueue(jobs.Report{ID: report.ID})
	// bare-drops }
	b.enqueue(jobs.Mail{Template: jobs.MailVerify, UserID: user.ID}, jobs.Mail{Template: "none", UserID: user.ID})
	var (
		mu       sync.Mutex
		told     []string
		reported []jobs.Outcome // bare-drops
		panics   string
	)
	j, err := jobs.New(jobs.Config{
		Direct: b.pool.Inner(), Queries: b.queries, Project: "Accord", PublicURL: publicURL, Test: true,
		Files:  b.files, // bare-drops
		Sender: senderFunc(func() error { panic("a flaw") }),
		Now:    func() time.Time { return b.now }, Log: slog.New(slog.DiscardHandler),
		Observe: func(kind string, outcome jobs.Outcome, took time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case kind == "mail" && took > 0:
				told = append(told, string(outcome))
			// bare-drops {
			case kind == "report":
				reported = append(reported, outcome)
				// bare-drops }
			}
		},
		Panicked: func(_ context.Context, kind string, id int64, value any, stack string) {
			mu.Lock()
			defer mu.Unlock()
			panics += fmt.Sprintln(kind, id > 0, value, strings.Contains(stack, "observe_test.go"))
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	all := 8 // bare-drops
	// bare-has: all := 4
	if kinds := j.Kinds(); len(kinds) != all || !slices.Contains(kinds, "mail") || !slices.Contains(kinds, "notify-admin") {
		t.Errorf("kinds %v", kinds)
	}
	if backlog, err := j.Backlog(t.Context()); err != nil || backlog["mail"].Waiting != 2 || backlog["mail"].Oldest <= 0 || backlog["sweep"].Waiting != 0 {
		t.Errorf("backlog %v, %v", backlog, err)
	}
	b.start(j)
	has := func(outcome string) func() bool {
		return func() bool { mu.Lock(); defer mu.Unlock(); return slices.Contains(told, outcome) }
	}
	b.eventually("the mail that there is not is cancelled", has("cancelled"))
	b.eventually("the one that panics has failed", has("failed"))
	b.eventually("it runs again later", func() bool {
		backlog, err := j.Backlog(t.Context())
		return err == nil && backlog["mail"] == jobs.Backlog{Retrying: 1}
	})
	b.eventually("it is given up", func() bool {
		b.exec("UPDATE river_job SET max_attempts = attempt + 1, scheduled_at = now() WHERE state = 'retryable'")
		return has("discarded")()
	})
	// bare-drops {
	b.becomes("report", "completed 1")
	b.eventually("the report is told", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return slices.Equal(reported, []jobs.Outcome{jobs.Cancelled})
	})
	// bare-drops }
	mu.Lock()
	defer mu.Unlock()
	if tries := strings.Count(panics, "mail true a flaw true\n"); tries != len(told)-1 {
		t.Errorf("told %v, panics %q", told, panics)
	}
}
