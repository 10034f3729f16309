package jobs

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// What a service of River repeats is told once a minute, what a job says always.
func TestRepeatedWarnings(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := newWarnings(slog.New(slog.NewTextHandler(&out, nil))).With("a", "b").WithGroup("g")
	begin := time.Now()
	say := func(after time.Duration, level slog.Level, message string) {
		if !log.Enabled(context.Background(), level) {
			return
		}
		if err := log.Handler().Handle(context.Background(), slog.NewRecord(begin.Add(after), level, message, 0)); err != nil {
			t.Fatal(err)
		}
	}
	for second := range 61 {
		after := time.Duration(second) * time.Second
		say(after, slog.LevelError, "producer: Error fetching jobs")
		say(after, slog.LevelInfo, "producer: Producer job counts")
	}
	for range 2 {
		say(0, slog.LevelWarn, "jobexecutor.JobExecutor: Job errored; retrying")
	}
	if fetching, errored := strings.Count(out.String(), "Error fetching"), strings.Count(out.String(), "Job errored"); fetching != 2 || errored != 2 || strings.Contains(out.String(), "counts") {
		t.Errorf("told %s", &out)
	}
}
