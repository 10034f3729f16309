package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/pg"
)

const (
	// batch is how many people, products or orders a transaction adds.
	batch = 5000
	// sample bounds how many people and products new orders are drawn from: the
	// newest ones.
	sample = 100_000

	unlockTimeout = 5 * time.Second
)

// Sizes say how many of each are to be added.
type Sizes struct{ Users, Products, Orders int }

// SeedOptions are what Seed needs beside the sizes.
type SeedOptions struct {
	// Seed is what everything is drawn from.
	Seed uint64
	// Now is the time that all of the data is older than.
	Now time.Time
	// PasswordHash is what all new people sign in with; no password matches "".
	PasswordHash string
	// Added is told, after each commit, how many rows it has added to a table.
	Added func(table string, rows int)
}

// Seed adds people, products and orders to what is there, in transactions of a
// few thousand: when ctx ends, or an error comes, what was committed stays. The
// names go on where those of the last time ended. Orders are placed by people
// that a seed has made, for any product that is sold; no stock is taken.
//
// It is an error to seed one database twice at once, and to ask for orders where
// nobody can order or nothing is sold. The pool has to reach PostgreSQL itself,
// not a PgBouncer, and to have two connections.
func Seed(ctx context.Context, pool *pg.Pool, sizes Sizes, o SeedOptions) error {
	release, err := hold(ctx, pool)
	if err != nil {
		return err
	}
	defer release()
	s := &seeding{SeedOptions: o, pool: pool, source: newSource(o.Seed)}
	if err := s.users(ctx, sizes.Users); err != nil {
		return err
	}
	if err := s.products(ctx, sizes.Products); err != nil {
		return err
	}
	return s.orders(ctx, sizes.Orders)
}

// hold takes the lock that only one has, without waiting. It belongs to the
// session of a connection that is kept until release.
func hold(ctx context.Context, pool *pg.Pool) (release func(), err error) {
	conn, err := pool.Inner().Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	var held bool
	if err = conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", lockID).Scan(&held); err == nil && !held {
		err = errors.New("demo data is being added to this database already")
	}
	if err != nil {
		conn.Release()
		return nil, err
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockTimeout)
		defer cancel()
		_, _ = conn.Exec(ctx, "SELECT pg_advisory_unlock($1)", lockID) // a broken session has ended, and the lock with it
		conn.Release()
	}, nil
}

type seeding struct {
	SeedOptions
	pool   *pg.Pool
	source *source
}

func (s *seeding) users(ctx context.Context, n int) error {
	return s.named(ctx, "users", "username", n, func(number int64, first, last int) []rows {
		var people []person
		for i := first; i < last; i++ {
			p := newPerson(s.source, number+int64(i), span{s.Now, history}, i, n)
			p.passwordHash = s.PasswordHash
			people = append(people, p)
		}
		return []rows{userRows(people)}
	})
}

func (s *seeding) products(ctx context.Context, n int) error {
	return s.named(ctx, "products", "sku", n, func(number int64, first, last int) []rows {
		var products []product
		for i := first; i < last; i++ {
			products = append(products, newProduct(s.source, number+int64(i), span{s.Now, history}, i, n))
		}
		return []rows{productRows(products)}
	})
}

// named adds rows with a unique name, which ends with a number.
func (s *seeding) named(ctx context.Context, table, column string, n int, draw func(number int64, first, last int) []rows) error {
	if n == 0 {
		return nil
	}
	number, err := nextNumber(ctx, s.pool, table, column)
	if err != nil {
		return err
	}
	return s.batches(ctx, n, func(first, last int) []rows { return draw(number, first, last) })
}

func (s *seeding) orders(ctx context.Context, n int) error {
	if n == 0 {
		return nil
	}
	market, err := s.market(ctx)
	if err != nil {
		return err
	}
	var number int64
	if err := s.pool.QueryRow(ctx, "SELECT count(*) FROM orders").Scan(&number); err != nil {
		return fmt.Errorf("counting orders: %w", err)
	}
	open := market.open(s.Now)
	return s.batches(ctx, n, func(first, last int) []rows {
		var orders []order
		for i := first; i < last; i++ {
			orders = append(orders, market.newOrder(s.source, number+int64(i), open, i, n))
		}
		return orderRows(orders)
	})
}

// batches adds n rows, and what belongs to them, some thousand at a time. One
// that has begun is finished though ctx ends.
func (s *seeding) batches(ctx context.Context, n int, draw func(first, last int) []rows) error {
	for first := 0; first < n; first += batch {
		made := draw(first, min(first+batch, n))
		err := s.pool.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error { return add(ctx, tx, made) })
		if err != nil {
			return err
		}
		for _, r := range made {
			s.Added(r.table, len(r.values))
		}
	}
	return nil
}

// market reads who may order what.
func (s *seeding) market(ctx context.Context) (market, error) {
	buyers, err := collect[buyer](ctx, s.pool,
		"SELECT id, created_at FROM users WHERE email LIKE '%@"+domain+"' ORDER BY id DESC LIMIT $1", sample)
	if err != nil {
		return market{}, fmt.Errorf("reading who may order: %w", err)
	}
	offers, err := collect[offer](ctx, s.pool,
		"SELECT id, sku, name, price, currency, created_at FROM products WHERE retired_at IS NULL ORDER BY id DESC LIMIT $1", sample)
	if err != nil {
		return market{}, fmt.Errorf("reading what is sold: %w", err)
	}
	switch {
	case len(buyers) == 0:
		return market{}, errors.New("nobody can order: no seed has made people here yet")
	case len(offers) == 0:
		return market{}, errors.New("nothing can be ordered: there are no products yet")
	}
	return newMarket(buyers, offers), nil
}

func collect[T any](ctx context.Context, q db.DBTX, sql string, args ...any) ([]T, error) {
	found, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(found, pgx.RowToStructByPos[T])
}
