package pg_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/accord-api/accord/pg"
	"github.com/accord-api/accord/pg/pgtest"
)

// ledger is a pool on a database with a table of numbers.
func ledger(t *testing.T) *pg.Pool {
	t.Helper()
	pool := open(t, pg.Config{URL: pgtest.Empty(t), Size: 4})
	_, err := pool.Exec(t.Context(), "CREATE TABLE ledger (n int)")
	must(t, err)
	return pool
}

func count(t *testing.T, pool *pg.Pool) (rows int) {
	t.Helper()
	must(t, pool.QueryRow(t.Context(), "SELECT count(*) FROM ledger").Scan(&rows))
	return rows
}

func write(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, "INSERT INTO ledger VALUES (1)")
	return err
}

func TestInTxCommits(t *testing.T) {
	t.Parallel()
	pool := ledger(t)
	must(t, pool.InTx(t.Context(), write))
	if got := count(t, pool); got != 1 {
		t.Errorf("%d rows, want 1", got)
	}
}

func TestInTxRollsBack(t *testing.T) {
	t.Parallel()
	pool := ledger(t)
	refused := errors.New("refused")
	err := pool.InTx(t.Context(), func(ctx context.Context, tx pgx.Tx) error {
		return errors.Join(write(ctx, tx), refused)
	})
	if !errors.Is(err, refused) {
		t.Errorf("error = %v, want the function's own", err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = pool.InTx(t.Context(), func(ctx context.Context, tx pgx.Tx) error {
			must(t, write(ctx, tx))
			panic("bug")
		})
	}()
	if got := count(t, pool); got != 0 {
		t.Errorf("%d rows, want none", got)
	}
	if held := pool.Stat().AcquiredConns(); held != 0 {
		t.Errorf("%d connections are still held", held)
	}
}

// A commit that PostgreSQL refuses has failed; of one whose answer is missing
// nobody knows.
func TestInTxTellsAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	for what, unknown := range map[string]bool{"RAISE 'refused'": false, "PERFORM pg_terminate_backend(pg_backend_pid())": true} {
		pool := ledger(t)
		for _, sql := range []string{
			"CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " + what + "; RETURN NULL; END $$",
			"CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON ledger DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION at_commit()",
		} {
			_, err := pool.Exec(t.Context(), sql)
			must(t, err)
		}
		if err := pool.InTx(t.Context(), write); err == nil || errors.Is(err, pg.ErrUnknownOutcome) != unknown {
			t.Errorf("%s: error %v", what, err)
		} else if unknown && !pg.IsUnavailable(err) {
			t.Errorf("the cause is gone: %v", err)
		}
	}
}

func TestInTxRetriesConflicts(t *testing.T) {
	t.Parallel()
	pool := ledger(t)
	for _, code := range []string{"40001", "40P01"} {
		runs := 0
		err := pool.InTx(t.Context(), func(ctx context.Context, tx pgx.Tx) error {
			runs++
			if runs < 3 {
				return errors.Join(write(ctx, tx), &pgconn.PgError{Code: code})
			}
			return write(ctx, tx)
		})
		if err != nil || runs != 3 {
			t.Errorf("%s: %d runs, error %v, want 3 and none", code, runs, err)
		}
	}
	if got := count(t, pool); got != 2 {
		t.Errorf("%d rows, want those of the last runs", got)
	}
	runs := 0
	err := pool.InTx(t.Context(), func(context.Context, pgx.Tx) error {
		runs++
		return &pgconn.PgError{Code: "40001"}
	})
	if err == nil || runs < 2 || runs > 20 {
		t.Errorf("%d runs, error %v, want an end", runs, err)
	}
}

// Two transactions that really lock what the other one needs both succeed.
func TestInTxSurvivesDeadlock(t *testing.T) {
	t.Parallel()
	pool := ledger(t)
	_, err := pool.Exec(t.Context(), "INSERT INTO ledger VALUES (1), (2); ALTER DATABASE "+databaseName(t, pool)+" SET deadlock_timeout = '10ms'")
	must(t, err)
	pool.Inner().Reset()

	met := make(chan struct{}, 2)
	bothIn := make(chan struct{})
	go func() { <-met; <-met; close(bothIn) }()
	transfer := func(first, second int) error {
		runs := 0
		return pool.InTx(t.Context(), func(ctx context.Context, tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "UPDATE ledger SET n = n WHERE n = $1", first); err != nil {
				return err
			}
			if runs++; runs == 1 {
				met <- struct{}{}
				<-bothIn
			}
			_, err := tx.Exec(ctx, "UPDATE ledger SET n = n WHERE n = $1", second)
			return err
		})
	}
	results := make(chan error, 2)
	go func() { results <- transfer(1, 2) }()
	go func() { results <- transfer(2, 1) }()
	for range 2 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}

func databaseName(t *testing.T, pool *pg.Pool) (name string) {
	t.Helper()
	must(t, pool.QueryRow(t.Context(), "SELECT current_database()").Scan(&name))
	return pgx.Identifier{name}.Sanitize()
}

// A client that leaves does not undo a write that has begun.
func TestInTxOutlivesItsClient(t *testing.T) {
	t.Parallel()
	pool := ledger(t)
	ctx, leave := context.WithCancel(t.Context())
	must(t, pool.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		leave()
		return write(ctx, tx)
	}))
	if got := count(t, pool); got != 1 {
		t.Errorf("%d rows, want 1", got)
	}
	err := pool.InTx(ctx, write)
	if !errors.Is(err, context.Canceled) || count(t, pool) != 1 {
		t.Errorf("error = %v for one who had left before, want canceled and no write", err)
	}
}

func TestInTxKeepsTheDeadline(t *testing.T) {
	t.Parallel()
	pool := ledger(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	err := pool.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		must(t, write(ctx, tx))
		_, err := tx.Exec(ctx, "SELECT pg_sleep(60)")
		return err
	})
	if !errors.Is(err, context.DeadlineExceeded) || count(t, pool) != 0 {
		t.Errorf("error = %v, want the deadline's and nothing written", err)
	}
}
