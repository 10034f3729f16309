package pg_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/pg"
	"github.com/accord-api/accord/pg/pgtest"
)

// dropped is a pool all of whose connections the database closes, just after
// they were used, so that nobody asks whether they are alive.
func dropped(t *testing.T, connections int) (pool *pg.Pool, drop func()) {
	t.Helper()
	url := pgtest.Empty(t)
	pool = open(t, pg.NeverAsk(pg.Config{URL: url, Size: connections}))
	_, err := pool.Exec(t.Context(), "CREATE TABLE ledger (n int)")
	must(t, err)
	other := open(t, pg.Config{URL: url, Size: 1, ApplicationName: "other"})
	return pool, func() {
		t.Helper()
		release := hold(t, pool, connections)
		release()
		_, err := other.Exec(t.Context(), "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'accord' AND datname = current_database()")
		must(t, err)
	}
}

// Whatever has not begun goes to a connection that is alive, past all that are
// not.
func TestClosedConnectionsAreNotNoticed(t *testing.T) {
	t.Parallel()
	pool, drop := dropped(t, 4)
	for name, ask := range map[string]func(ctx context.Context) error{
		"a row": func(ctx context.Context) error { return pool.QueryRow(ctx, "SELECT $1::int", 1).Scan(new(int)) },
		"rows": func(ctx context.Context) error {
			rows, err := pool.Query(ctx, "-- name: Numbers :many\n select generate_series(1, $1::int)", 3)
			if err != nil {
				return err
			}
			numbers, err := pgx.CollectRows(rows, pgx.RowTo[int])
			if err == nil && len(numbers) != 3 {
				t.Errorf("got %v", numbers)
			}
			return err
		},
		"a transaction": func(ctx context.Context) error { return pool.InTx(ctx, write) },
	} {
		must(t, ask(t.Context())) // prepared
		for range 3 {
			drop()
			if err := ask(t.Context()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if got := count(t, pool); got != 4 {
		t.Errorf("%d rows, want one for each transaction", got)
	}
	eventually(t, "all connections to be given back", func() bool { return pool.Stat().AcquiredConns() == 0 })
}

// What may have been done is not done again.
func TestWritesDoNotRunTwice(t *testing.T) {
	t.Parallel()
	pool, drop := dropped(t, 1)
	drop()
	if _, err := pool.Exec(t.Context(), "INSERT INTO ledger VALUES (1)"); !pg.IsUnavailable(err) {
		t.Errorf("error = %v, want unavailable", err)
	}
	must(t, pool.Ping(t.Context()))
	drop()
	if err := pool.QueryRow(t.Context(), "INSERT INTO ledger VALUES (1) RETURNING n").Scan(new(int)); !pg.IsUnavailable(err) {
		t.Errorf("error = %v, want unavailable", err)
	}
	runs := 0
	err := pool.InTx(t.Context(), func(ctx context.Context, tx pgx.Tx) error {
		runs++
		_, err := tx.Exec(ctx, "SELECT pg_terminate_backend(pg_backend_pid())")
		return err
	})
	if !pg.IsUnavailable(err) || runs != 1 {
		t.Errorf("error = %v after %d runs, want unavailable after one", err, runs)
	}
	eventually(t, "all connections to be given back", func() bool { return pool.Stat().AcquiredConns() == 0 })
}

// A query that has no time, or no database, is not asked again and again.
func TestQueriesEndWithTheirContext(t *testing.T) {
	t.Parallel()
	pool := open(t, pg.Config{URL: pgtest.Empty(t), Size: 1})
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := pool.QueryRow(soon, "SELECT pg_sleep(30)::text").Scan(new(string)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error = %v, want that of the deadline", err)
	}
}
