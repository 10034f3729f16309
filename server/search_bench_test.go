package server_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/pg/pgtest"
)

// longProducts have 2 KB of text each, and words that all, many and few have.
const longProducts = `INSERT INTO products (id, sku, name, description, price, currency, stock, created_at, updated_at)
	SELECT gen_random_uuid(), 'sku-' || n, 'Product ' || n, 'lorem ipsum group' || n % 100 || ' ' ||
		(SELECT string_agg('word' || (n * 31 + i * 7919) % 5000, ' ') FROM generate_series(1, 200) i), n, 'EUR', 5, now(), now()
	FROM generate_series(1, 20000) n`

// BenchmarkProductSearch asks for the same over and over on one connection, so
// that PostgreSQL has made up its mind about the prepared statement.
func BenchmarkProductSearch(b *testing.B) {
	conn, err := pgx.Connect(b.Context(), pgtest.New(b))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(b.Context())) }()
	for _, sql := range []string{longProducts, "VACUUM ANALYZE"} {
		if _, err := conn.Exec(b.Context(), sql); err != nil {
			b.Fatal(err)
		}
	}
	queries := db.New(conn)
	for name, q := range map[string]string{
		"all have it": "lorem", "one in a hundred": "group7", "none": "nothing", "a phrase": `"lorem ipsum"`, "left out only": "-zz1",
	} {
		b.Run(name, func(b *testing.B) {
			slowest := time.Duration(0)
			for b.Loop() {
				began := time.Now()
				if _, err := queries.ProductSearch(b.Context(), db.ProductSearchParams{
					Q: q, MaxPrice: math.MaxInt64, Sort: "newest", AtPrice: math.MaxInt64, AtID: uuid.Max, Max: 6,
				}); err != nil {
					b.Fatal(err)
				}
				slowest = max(slowest, time.Since(began))
			}
			b.ReportMetric(float64(slowest.Milliseconds()), "slowest-ms")
		})
	}
}
