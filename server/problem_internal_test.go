package server

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/pg"
	"github.com/accord-api/accord/pg/pgtest"
)

// An operation whose time is over before it has a connection is a 503 that says
// when to come again, never an internal error.
func TestNoTimeForAConnectionIsUnavailable(t *testing.T) {
	t.Parallel()
	pool, err := pg.Open(t.Context(), pg.Config{URL: pgtest.Empty(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for what, err := range map[string]error{
		"a read":  pool.QueryRow(late, "SELECT 1").Scan(new(int)),
		"a write": pool.InTx(late, func(context.Context, pgx.Tx) error { return nil }),
	} {
		if p := problemOf(err); p.kind.Status != 503 || p.retryAfter == 0 {
			t.Errorf("%s is a %d with Retry-After %s: %v", what, p.kind.Status, p.retryAfter, err)
		}
	}
}
