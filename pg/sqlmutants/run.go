package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/pg/pgtest"
)

// testTimeout ends a test that a mutant makes wait for ever.
const testTimeout = 5 * time.Minute

// interruptTime is what tests have to clean up when all is called off.
const interruptTime = 10 * time.Second

// verdicts tries mutants, some of them at once, in any order. It ends at the
// first error.
func (s *suite) verdicts(ctx context.Context, mutants []mutant, workers int) iter.Seq[verdict] {
	return func(yield func(verdict) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		todo, done := make(chan mutant), make(chan verdict)
		var group sync.WaitGroup
		for range workers {
			group.Go(func() {
				for m := range todo {
					v := verdict{mutant: m}
					v.killer, v.err = s.killer(ctx, m)
					done <- v
				}
			})
		}
		go func() {
			defer close(todo)
			for _, m := range mutants {
				select {
				case todo <- m:
				case <-ctx.Done():
					return
				}
			}
		}()
		go func() { group.Wait(); close(done) }()
		going := true
		for v := range done { // to its end, so that nothing runs on
			if going && !yield(v) {
				going = false
				cancel()
			}
		}
	}
}

// killer gives the test that notices a mutant, or "".
func (s *suite) killer(ctx context.Context, m mutant) (string, error) {
	environment, drop := s.apply(m)
	defer drop(context.WithoutCancel(ctx))
	for _, tests := range s.stages(m) {
		failed, err := s.run(ctx, environment, tests)
		if err != nil {
			return "", err
		}
		for _, t := range failed {
			if kills, err := s.confirm(ctx, environment, t); err != nil || kills {
				return t.String(), err
			}
		}
	}
	return "", nil
}

// confirm runs a test that has failed once more, alone: it has to fail again with
// the mutant, and to pass without, for which one time does for all mutants. So
// nothing counts that would fail anyway, or fails now and then.
func (s *suite) confirm(ctx context.Context, environment []string, t test) (bool, error) {
	with, err := s.run(ctx, environment, []test{t})
	if err != nil || len(with) == 0 {
		return false, err
	}
	if sound, known := s.sound.Load(t); known {
		return sound == true, nil
	}
	without, err := s.run(ctx, nil, []test{t})
	if err != nil {
		return false, err
	}
	s.sound.Store(t, len(without) == 0)
	return len(without) == 0, nil
}

// apply gives the environment that makes the tests see a mutant, and what drops
// the database that comes of it.
func (s *suite) apply(m mutant) (environment []string, drop func(context.Context)) {
	if m.query != "" {
		return []string{queryEnv + "=" + m.query}, func(context.Context) {}
	}
	return []string{pgtest.ChangeEnv + "=" + m.schema}, func(ctx context.Context) { s.dropTemplate(ctx, m.schema) }
}

// dropTemplate gives the room back. What it cannot drop goes with the server.
func (s *suite) dropTemplate(ctx context.Context, change string) {
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close(ctx) }()
	name, err := pgtest.Template(change)
	if err != nil {
		return
	}
	quoted := pgx.Identifier{name}.Sanitize()
	_, _ = conn.Exec(ctx, "ALTER DATABASE "+quoted+" WITH IS_TEMPLATE false")
	_, _ = conn.Exec(ctx, "DROP DATABASE IF EXISTS "+quoted+" WITH (FORCE)")
}

// run gives those of some tests of one binary that fail.
func (s *suite) run(ctx context.Context, environment []string, tests []test) (failed []test, err error) {
	if len(tests) == 0 {
		return nil, nil
	}
	out, err := s.command(ctx, environment, tests)
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) {
		return nil, err
	}
	names := failedNames(out)
	for _, t := range tests {
		if slices.Contains(names, t.name) {
			failed = append(failed, t)
		}
	}
	if len(failed) == 0 {
		return nil, fmt.Errorf("the tests of %s fail and name none:\n%s", tests[0].of.folder, out)
	}
	return failed, nil
}

// command runs tests of one binary in the folder of its package.
func (s *suite) command(ctx context.Context, environment []string, tests []test) (out []byte, err error) {
	names := make([]string, len(tests))
	for i, t := range tests {
		names[i] = t.name
	}
	command := exec.CommandContext(ctx, tests[0].of.path, "-test.run=^("+strings.Join(names, "|")+")$", "-test.timeout="+testTimeout.String())
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = interruptTime
	command.Dir = tests[0].of.folder
	command.Env = append(append(os.Environ(), "TEST_DATABASE_URL="+s.url), environment...)
	out, err = command.CombinedOutput()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return out, err
}

// A test that fails says so at the beginning of a line, or is among those that ran
// when the time was over, or that the last goroutine panicked in.
var failing = regexp.MustCompile(`(?m)^--- FAIL: (\w+)|^\t\t?(Test\w+)[/\w]* \(\d|^\S*\.(Test\w+)[.(]`)

func failedNames(out []byte) (names []string) {
	for _, found := range failing.FindAllSubmatch(out, -1) {
		names = append(names, string(bytes.Join(found[1:], nil)))
	}
	return names
}
