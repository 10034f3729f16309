// Package demo makes people, products, orders, notifications and reports up: a
// little for who starts the server for the first time (Fill), and as much as one
// likes to try it under load (Seed). The same seed makes the same data, only its
// times move with the clock.
package demo

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/gen/db"
)

const (
	day = 24 * time.Hour
	// history is how long ago the first people came and the first products were
	// offered, ordering since when they have ordered.
	history  = 180 * day
	ordering = 90 * day

	// lockID is held by whoever adds data, so that no two give out the same names.
	lockID = 7205759403
)

// source draws what is made up. Each row has draws of its own, so that it does
// not depend on how many others are made with it.
type source struct {
	*rand.Rand
	seed uint64
	pcg  *rand.PCG
}

func newSource(seed uint64) *source {
	pcg := rand.NewPCG(seed, 0)
	return &source{Rand: rand.New(pcg), seed: seed, pcg: pcg}
}

// What rows are drawn for.
const (
	drawPerson = iota + 1
	drawProduct
	drawOrder
	drawAccount
	drawNotification
	drawReport
)

// row begins the draws of a table's row with this number.
func (s *source) row(table, number int64) {
	s.pcg.Seed(s.seed, uint64(table)<<56|uint64(number)) //nolint:gosec // neither is negative
}

// few draws from 0 to below n, small numbers more often.
func (s *source) few(n int) int { return min(s.IntN(n), s.IntN(n)) }

// between draws a time from least to most.
func (s *source) between(least, most time.Duration) time.Duration {
	return least + time.Duration(s.Int64N(int64(most-least)))
}

// id makes a UUIDv7 of a row's own time. As RFC 9562 (6.2, method 3) has it, the
// fraction of the millisecond follows, so that ids sort as their times do.
func (s *source) id(at time.Time) uuid.UUID {
	const version, variant = 7 << 12, 1 << 63
	fraction := at.Nanosecond() % int(time.Millisecond) << 12 / int(time.Millisecond)
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16|version|uint64(fraction)) //nolint:gosec // not before 1970
	binary.BigEndian.PutUint64(id[8:], variant|s.Uint64()>>2)
	return id
}

// pick draws one of several.
func pick[T any](s *source, from []T) T { return from[s.IntN(len(from))] }

// span is the time that ends with now, in which rows came in.
type span struct {
	now time.Time
	ago time.Duration
}

// at is the time of the i-th of n rows, which follow one another. They come ever
// faster: three times as often now as in the beginning.
func (p span) at(s *source, i, n int) time.Time {
	passed := (math.Sqrt(1+8*(float64(i)+s.Float64())/float64(n)) - 1) / 2
	return p.now.Add(time.Duration((passed - 1) * float64(p.ago))).Truncate(time.Microsecond)
}

// rows are what COPY adds to a table.
type rows struct {
	table   string
	columns []string
	values  [][]any
}

// add copies rows into their tables, in the transaction that they are given.
func add(ctx context.Context, tx pgx.Tx, batch []rows) error {
	for _, r := range batch {
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{r.table}, r.columns, pgx.CopyFromRows(r.values)); err != nil {
			return fmt.Errorf("copying %d rows into %s: %w", len(r.values), r.table, err)
		}
		if r.table == "products" { // answers that instances have kept are stale
			if err := db.New(tx).CacheStale(ctx, []string{"products"}); err != nil {
				return fmt.Errorf("telling that there are more products: %w", err)
			}
		}
	}
	return nil
}

// nextNumber gives the number that names of new rows begin to end with: one
// more than any name ends with so far.
func nextNumber(ctx context.Context, q db.DBTX, table, column string) (int64, error) {
	var next int64
	sql := fmt.Sprintf(`SELECT coalesce(max(substring(%s FROM '-([0-9]{1,9})$')::bigint), 0) + 1 FROM %s`, column, table)
	if err := q.QueryRow(ctx, sql).Scan(&next); err != nil {
		return 0, fmt.Errorf("looking for the last number in %s: %w", table, err)
	}
	return next, nil
}
