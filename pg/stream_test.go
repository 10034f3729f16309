package pg_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/pg"
	"github.com/accord-api/accord/pg/pgtest"
)

const people = 10_000

// populated is a pool of one connection on a database with users n1, n2 and so
// on, in the order of their ids. Only every other one has a verified address.
func populated(t *testing.T) *pg.Pool {
	t.Helper()
	pool := open(t, pg.Config{URL: pgtest.New(t), Size: 1})
	_, err := pool.Exec(t.Context(), `
INSERT INTO users (id, email, username, full_name, password_hash, role, email_verified_at, created_at, updated_at)
SELECT ('01980000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'n' || n || '@example.com', 'n' || n, 'Number ' || n,
    'a hash', 'user', CASE WHEN n % 2 = 0 THEN timestamptz '2026-01-01Z' END, '2026-01-01Z', '2026-01-01Z'
FROM generate_series(1, $1) AS n`, people)
	must(t, err)
	_, err = pool.Exec(t.Context(), "ANALYZE users")
	must(t, err)
	return pool
}

func isFree(t *testing.T, pool *pg.Pool) {
	t.Helper()
	if held := pool.Stat().AcquiredConns(); held != 0 {
		t.Errorf("%d connections are still held", held)
	}
	must(t, pool.Ping(t.Context()))
}

func TestStreamGivesWhatTheListGives(t *testing.T) {
	t.Parallel()
	pool := populated(t)
	_, err := pool.Exec(t.Context(), "UPDATE users SET deleted_at = now() WHERE username = 'n7'")
	must(t, err)
	want, err := db.New(pool).UserExport(t.Context())
	must(t, err)
	stream := db.New(pool).UserExportStream(t.Context())
	for range 2 { // each loop asks anew
		// Kept to the end, to see that no row shares its memory with the next.
		var got []db.UserExportRow
		for row, err := range stream {
			must(t, err)
			got = append(got, row)
		}
		if len(got) != people-1 || len(want) != people-1 {
			t.Fatalf("%d rows streamed, %d listed", len(got), len(want))
		}
		for i, row := range got {
			if !equalRows(row, want[i]) {
				t.Fatalf("row %d is %+v, want %+v", i, row, want[i])
			}
		}
	}
	isFree(t, pool)
}

// equalRows looks at the time behind the pointer, and not at the pointer.
func equalRows(a, b db.UserExportRow) bool {
	if a.EmailVerifiedAt != nil && b.EmailVerifiedAt != nil && a.EmailVerifiedAt.Equal(*b.EmailVerifiedAt) {
		a.EmailVerifiedAt = b.EmailVerifiedAt
	}
	return a == b
}

// The values of a row have to be allocated, and nothing else.
//
//nolint:paralleltest // allocations are counted for the whole process
func TestStreamAllocatesTheValuesOnly(t *testing.T) {
	stream := db.New(populated(t)).UserExportStream(t.Context())
	var before, after runtime.MemStats
	for range 2 { // the first time prepares the statement
		runtime.ReadMemStats(&before)
		rows := 0
		for _, err := range stream {
			must(t, err)
			rows++
		}
		runtime.ReadMemStats(&after)
		if rows != people {
			t.Fatalf("%d rows", rows)
		}
	}
	// Four strings, and a time in every other row.
	if got := float64(after.Mallocs-before.Mallocs) / people; got > 4.6 {
		t.Errorf("%.2f allocations a row", got)
	}
}

func TestStreamBrokenOffGivesItsConnectionBack(t *testing.T) {
	t.Parallel()
	pool := populated(t)
	seen := 0
	for row, err := range db.New(pool).UserExportStream(t.Context()) {
		must(t, err)
		if seen++; seen == people/2 {
			if row.Username != "n5000" {
				t.Errorf("the row in the middle is %s", row.Username)
			}
			break
		}
	}
	isFree(t, pool)

	func() {
		defer func() { _ = recover() }()
		for _, err := range db.New(pool).UserExportStream(t.Context()) {
			must(t, err)
			panic("in the middle")
		}
	}()
	isFree(t, pool)
}

func TestStreamYieldsAnErrorOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, breaks string
		rows         int
		is           func(error) bool
	}{
		{"of the query", "DROP TABLE users CASCADE", 0, isState("42P01")},
		{"of a scan", "ALTER TABLE users ALTER full_name DROP NOT NULL; UPDATE users SET full_name = NULL WHERE username = 'n5000'", 4999,
			func(err error) bool { return strings.Contains(err.Error(), "full_name") }},
		{"of the database, in the middle", `
ALTER TABLE users RENAME TO people;
CREATE VIEW users AS SELECT id, email, username, full_name, (1 / (char_length(full_name) - 3))::text AS role,
    is_active, email_verified_at, created_at, deleted_at FROM people;
UPDATE people SET full_name = 'Two' WHERE username = 'n5000';
SET enable_sort = off`, 4999, isState("22012")}, // without a sort the rows go out as they are made
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			pool := populated(t)
			_, err := pool.Exec(t.Context(), c.breaks)
			must(t, err)

			rows, errs := 0, []error(nil)
			for row, err := range db.New(pool).UserExportStream(t.Context()) {
				if err == nil {
					rows++
					continue
				}
				errs = append(errs, err)
				if row != (db.UserExportRow{}) {
					t.Errorf("the error comes with %+v", row)
				}
			}
			if rows != c.rows || len(errs) != 1 || !c.is(errs[0]) {
				t.Errorf("%d rows and the errors %v", rows, errs)
			}
			isFree(t, pool)
		})
	}
}

func isState(code string) func(error) bool {
	return func(err error) bool {
		e, ok := errors.AsType[*pgconn.PgError](err)
		return ok && e.Code == code
	}
}

func TestStreamEndsWithItsContext(t *testing.T) {
	t.Parallel()
	pool := populated(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	rows, errs := 0, []error(nil)
	for _, err := range db.New(pool).UserExportStream(ctx) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if rows++; rows == 10 {
			cancel()
		}
	}
	if rows == people || len(errs) != 1 || !errors.Is(errs[0], context.Canceled) {
		t.Errorf("%d rows and the errors %v", rows, errs)
	}
	// The connection is closed, and the pool opens another.
	eventually(t, "the connection is given back", func() bool { return pool.Stat().AcquiredConns() == 0 })
	isFree(t, pool)

	for _, err := range db.New(pool).UserExportStream(ctx) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("after the end: %v", err)
		}
	}
}

// In a transaction the connection goes on to be used.
func TestStreamInATransaction(t *testing.T) {
	t.Parallel()
	pool := populated(t)
	must(t, pool.InTx(t.Context(), func(ctx context.Context, tx pgx.Tx) error {
		q := db.New(tx)
		for row, err := range q.UserExportStream(ctx) {
			must(t, err)
			if row.ID == uuid.Nil {
				t.Error("no id")
			}
			break
		}
		_, err := q.AdminIDs(ctx)
		return err
	}))
	isFree(t, pool)
}

// A sort would read the whole table before the first row goes out.
func TestUserExportWalksTheKey(t *testing.T) {
	t.Parallel()
	pool := populated(t)
	rows, err := pool.Query(t.Context(), "EXPLAIN SELECT id, email FROM users WHERE deleted_at IS NULL ORDER BY id")
	must(t, err)
	plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	if text := strings.Join(plan, "\n"); !strings.Contains(text, "Index Scan using users_pkey") {
		t.Error(text)
	}
}
