package pg_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/pg"
	"github.com/accord-api/accord/pg/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

var _ db.DBTX = (*pg.Pool)(nil)

func open(t *testing.T, config pg.Config) *pg.Pool {
	t.Helper()
	pool, err := pg.Open(t.Context(), config)
	must(t, err)
	t.Cleanup(pool.Close)
	return pool
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits for what other goroutines and the database do.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	limit := time.After(20 * time.Second)
	for !holds() {
		select {
		case <-look.C:
		case <-limit:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// hold takes n connections, each of which the returned function gives back.
func hold(t *testing.T, pool *pg.Pool, n int) (release func()) {
	t.Helper()
	var held []*pgxpool.Conn
	for range n {
		conn, err := pool.Inner().Acquire(t.Context()) // past the pool's own bound
		must(t, err)
		held = append(held, conn)
	}
	release = sync.OnceFunc(func() {
		for _, conn := range held {
			conn.Release()
		}
	})
	t.Cleanup(release)
	return release
}

func TestPoolAnswersAndGivesBack(t *testing.T) {
	t.Parallel()
	pool := open(t, pg.Config{URL: pgtest.Empty(t), Size: 1})
	must(t, pool.Ping(t.Context()))
	tag, err := pool.Exec(t.Context(), "CREATE TABLE numbers AS SELECT generate_series(1, 3) AS n")
	if err != nil || tag.RowsAffected() != 3 {
		t.Fatalf("tag %s, error %v", tag, err)
	}
	for range 3 { // with one connection, each has to give it back
		rows, err := pool.Query(t.Context(), "SELECT n FROM numbers")
		must(t, err)
		got, err := pgx.CollectRows(rows, pgx.RowTo[int])
		if err != nil || len(got) != 3 {
			t.Fatalf("rows %v, error %v", got, err)
		}
		_, err = pool.Query(t.Context(), "SELECT nothing FROM numbers")
		if err == nil {
			t.Fatal("a wrong query has no error")
		}
		rows, err = pool.Query(t.Context(), "SELECT 'a'")
		must(t, err)
		rows.Next()
		if err := rows.Scan(new(int)); err == nil {
			t.Fatal("a letter was scanned into a number")
		}
		err = pool.QueryRow(t.Context(), "SELECT n FROM numbers WHERE n > 3").Scan(new(int))
		if !errors.Is(err, pgx.ErrNoRows) {
			t.Fatalf("error = %v, want no rows", err)
		}
	}
	if held := pool.Stat().AcquiredConns(); held != 0 {
		t.Errorf("%d connections are still held", held)
	}
}

func TestSessionSettings(t *testing.T) {
	t.Parallel()
	pool := open(t, pg.Config{URL: pgtest.Empty(t), IdleInTransactionTimeout: 7 * time.Second})
	for setting, want := range map[string]string{
		"application_name":                    "accord",
		"timezone":                            "UTC",
		"idle_in_transaction_session_timeout": "7s",
		"jit":                                 "off",
	} {
		var got string
		must(t, pool.QueryRow(t.Context(), "SELECT current_setting($1)", setting).Scan(&got))
		if got != want {
			t.Errorf("%s = %s, want %s", setting, got, want)
		}
	}
}

// uuid.UUID has a Value and a Scan method, by which pgx would send and read it as
// text.
func TestUUIDsAreBinary(t *testing.T) {
	t.Parallel()
	pool := open(t, pg.Config{URL: pgtest.Empty(t)})
	want := uuid.Must(uuid.NewV7())
	var got uuid.UUID
	var list []uuid.UUID
	var null, some *uuid.UUID
	row := pool.QueryRow(t.Context(), "SELECT $1::uuid, ARRAY[$1::uuid], $2::uuid, $1::uuid", want, null)
	must(t, row.Scan(&got, &list, &null, &some))
	if got != want || len(list) != 1 || list[0] != want || null != nil || some == nil || *some != want {
		t.Errorf("got %s, %s, %v, %v, want %s", got, list, null, some, want)
	}
	if err := pool.QueryRow(t.Context(), "SELECT NULL::uuid").Scan(&got); err == nil {
		t.Errorf("NULL was read as %s", got)
	}
	var text string
	must(t, pool.QueryRow(t.Context(), "SELECT $1::uuid", want).Scan(&text))
	if text != want.String() {
		t.Errorf("as a text it is %s", text)
	}
	conn, err := pool.Inner().Acquire(t.Context())
	must(t, err)
	defer conn.Release()
	types := conn.Conn().TypeMap()
	for _, plan := range []any{
		types.PlanEncode(pgtype.UUIDOID, pgtype.BinaryFormatCode, want),
		types.PlanScan(pgtype.UUIDOID, pgtype.BinaryFormatCode, &got),
	} {
		if name := fmt.Sprintf("%T", plan); !strings.Contains(strings.ToLower(name), "uuid") {
			t.Errorf("uuid.UUID passes %s", name)
		}
	}
}

func TestPoolIsBounded(t *testing.T) {
	t.Parallel()
	pool := open(t, pg.Config{URL: pgtest.Empty(t), Size: 1, Overflow: 2, AcquireTimeout: 200 * time.Millisecond})
	release := hold(t, pool, 3)
	_, err := pool.Exec(t.Context(), "SELECT 1")
	if !errors.Is(err, pg.ErrBusy) || !pg.IsUnavailable(err) {
		t.Fatalf("error = %v, want busy", err)
	}
	err = pool.QueryRow(t.Context(), "SELECT 1").Scan(new(int))
	if !errors.Is(err, pg.ErrBusy) {
		t.Fatalf("error = %v, want busy", err)
	}
	release()
	_, err = pool.Exec(t.Context(), "SELECT 1")
	must(t, err)
	eventually(t, "the overflow to be closed", func() bool { return pool.Stat().TotalConns() == 1 })
}

// The operation's own deadline is nearer than the pool's, and is busy as well;
// a client that goes away is not.
func TestAcquireEndsWithContext(t *testing.T) {
	t.Parallel()
	pool := open(t, pg.Config{URL: pgtest.Empty(t), Size: 1})
	hold(t, pool, 1)

	soon, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := pool.Query(soon, "SELECT 1"); !errors.Is(err, pg.ErrBusy) {
		t.Errorf("error = %v at the deadline, want busy", err)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	_, err := pool.Exec(gone, "SELECT 1")
	if !errors.Is(err, context.Canceled) || errors.Is(err, pg.ErrBusy) {
		t.Errorf("error = %v for a client that has gone, want canceled", err)
	}
}

// Who has no time left is told that the database is busy, whatever was asked and
// whether or not a connection would be free.
func TestAcquireWithoutTimeIsBusy(t *testing.T) {
	t.Parallel()
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	url := pgtest.Empty(t)
	connected := open(t, pg.Config{URL: url})
	must(t, connected.Ping(t.Context()))
	for state, pool := range map[string]*pg.Pool{"connected": connected, "never used": open(t, pg.Config{URL: url})} {
		for what, ask := range map[string]func() error{
			"Ping":     func() error { return pool.Ping(late) },
			"Exec":     func() error { _, err := pool.Exec(late, "SELECT 1"); return err },
			"Query":    func() error { rows, err := pool.Query(late, "SELECT 1"); closeRows(rows); return err },
			"QueryRow": func() error { return pool.QueryRow(late, "SELECT 1").Scan(new(int)) },
			"InTx":     func() error { return pool.InTx(late, func(context.Context, pgx.Tx) error { return nil }) },
		} {
			if err := ask(); !errors.Is(err, pg.ErrBusy) || !pg.IsUnavailable(err) {
				t.Errorf("%s on a pool that is %s: error = %v, want busy", what, state, err)
			}
		}
	}
}

func closeRows(rows pgx.Rows) {
	if rows != nil {
		rows.Close()
	}
}

// What is still held does not keep a pool from ending in time.
func TestCloseWithin(t *testing.T) {
	t.Parallel()
	pool := open(t, pg.Config{URL: pgtest.Empty(t), Size: 1})
	release := hold(t, pool, 1)
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := pool.CloseWithin(soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error = %v while a connection is held", err)
	}
	release()
	must(t, pool.CloseWithin(t.Context()))
}

// A connection that the database has dropped is found out before it is used.
func TestDeadConnectionIsReplaced(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	pool := open(t, pg.AskAtOnce(pg.Config{URL: url, Size: 1}))
	var backend int
	must(t, pool.QueryRow(t.Context(), "SELECT pg_backend_pid()").Scan(&backend))
	other := open(t, pg.Config{URL: url, Size: 1})
	_, err := other.Exec(t.Context(), "SELECT pg_terminate_backend($1, 5000)", backend)
	must(t, err)
	var fresh int
	must(t, pool.QueryRow(t.Context(), "SELECT pg_backend_pid()").Scan(&fresh))
	if fresh == backend {
		t.Error("the same connection")
	}
}

func TestUnreachableDatabase(t *testing.T) {
	t.Parallel()
	pool := open(t, pg.Config{URL: "postgres://a:b@127.0.0.1:1/x"})
	err := pool.Ping(t.Context())
	if !pg.IsUnavailable(err) || errors.Is(err, pg.ErrBusy) {
		t.Errorf("error = %v, want unavailable", err)
	}
}

func TestBadURLKeepsPassword(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgres://user:se/cret@host/db",
		"postgres://user:se%zzcret@host/db",
		"postgres://user:secret@host:port/db",
		"postgres://user:secret@host/db?sslmode=nonsense",
		"postgres://user:se%23cret@host/db?sslmode=nonsense",
		"postgres://user:secret@host/db?pool_max_conns=x",
		"user:secret@host",
		"host=h password=secret sslmode=nonsense",
		"host=h password='sec ret' sslmode=nonsense",
	} {
		_, err := pg.Open(t.Context(), pg.Config{URL: url})
		if err == nil {
			t.Errorf("%s is taken", url)
			continue
		}
		if strings.Contains(err.Error(), "cret") || !strings.Contains(err.Error(), "database URL") {
			t.Errorf("error = %v", err)
		}
	}
	_, err := pg.Open(t.Context(), pg.Config{URL: "postgres://user:secret@host/db?sslmode=nonsense"})
	if err == nil || !strings.Contains(err.Error(), "sslmode") {
		t.Errorf("error = %v, want the reason", err)
	}
}

func TestIsUnique(t *testing.T) {
	t.Parallel()
	pool := open(t, pg.Config{URL: pgtest.Empty(t)})
	_, err := pool.Exec(t.Context(), "CREATE TABLE t (a int); CREATE UNIQUE INDEX t_a_key ON t (a); INSERT INTO t VALUES (1)")
	must(t, err)
	_, err = pool.Exec(t.Context(), "INSERT INTO t VALUES (1)")
	if !pg.IsUnique(err) || !pg.IsUnique(err, "other", "t_a_key") || pg.IsUnique(err, "other") {
		t.Errorf("IsUnique of %v", err)
	}
	_, err = pool.Exec(t.Context(), "SELECT 1/0")
	if err == nil || pg.IsUnique(err) || pg.IsUnavailable(err) || pg.IsUnique(nil) {
		t.Errorf("a division is taken for something else: %v", err)
	}
}
