package demo_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/accord-api/accord/demo"
	"github.com/accord-api/accord/pg"
	"github.com/accord-api/accord/pg/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// now is the time of all data here.
var now = time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC)

// database is one with the schema and nothing in it.
func database(t *testing.T) *pg.Pool {
	t.Helper()
	return open(t, pgtest.New(t))
}

func open(t *testing.T, url string) *pg.Pool {
	t.Helper()
	pool, err := pg.Open(t.Context(), pg.Config{URL: url, Size: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func ask[T any](t *testing.T, pool *pg.Pool, sql string) (answer T) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), sql).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return answer
}

func execute(t *testing.T, pool *pg.Pool, sql string) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func options(seed uint64) demo.SeedOptions {
	return demo.SeedOptions{Seed: seed, Now: now, PasswordHash: "hash", Added: func(string, int) {}}
}

func seed(t *testing.T, pool *pg.Pool, sizes demo.Sizes, o demo.SeedOptions) {
	t.Helper()
	if err := demo.Seed(t.Context(), pool, sizes, o); err != nil {
		t.Fatal(err)
	}
}

// everything is a sum over all that is in the database.
const everything = `SELECT md5(concat(
	(SELECT string_agg(t::text, '' ORDER BY id) FROM users t), (SELECT string_agg(t::text, '' ORDER BY id) FROM products t),
	(SELECT string_agg(t::text, '' ORDER BY id) FROM orders t), (SELECT string_agg(t::text, '' ORDER BY order_id, position) FROM order_lines t),
	(SELECT string_agg(t::text, '' ORDER BY id) FROM notifications t), (SELECT string_agg(t::text, '' ORDER BY id) FROM files t),
	(SELECT string_agg(t::text, '' ORDER BY id) FROM reports t)))`

// wrong holds, for all that must hold, a query that counts the rows for which it
// does not.
var wrong = map[string]string{
	"an order's total and items are those of its lines": `SELECT count(*) FROM orders o WHERE (total, items) <>
		(SELECT sum(quantity * price), sum(quantity) FROM order_lines WHERE order_id = o.id)`,
	"an order has one to five lines, numbered from 1": `SELECT count(*) FROM orders o WHERE
		(SELECT min(position) = 1 AND max(position) = count(*) AND count(*) <= 5 FROM order_lines WHERE order_id = o.id) IS NOT TRUE`,
	"lines are frozen products, in the order's currency": `SELECT count(*) FROM order_lines l JOIN orders o ON o.id = l.order_id
		JOIN products p ON p.id = l.product_id WHERE (l.sku, l.name, l.price, o.currency) <> (p.sku, p.name, p.price, p.currency)`,
	"who orders, and what, was there": `SELECT count(*) FROM order_lines l JOIN orders o ON o.id = l.order_id
		JOIN products p ON p.id = l.product_id JOIN users u ON u.id = o.user_id WHERE greatest(p.created_at, u.created_at) > o.created_at`,
	"orders are of the last 90 days": `SELECT count(*) FROM orders WHERE created_at < '2026-03-29 12:00Z'::timestamptz - interval '90 days'
		OR updated_at NOT BETWEEN created_at AND '2026-03-29 12:00Z'`,
	"a status has had its time": `SELECT count(*) FROM orders WHERE CASE status WHEN 'pending' THEN updated_at <> created_at
		WHEN 'delivered' THEN updated_at < created_at + interval '30 hours' ELSE updated_at = created_at END`,
	"an order does not stand still": `SELECT count(*) FROM orders
		WHERE status NOT IN ('delivered', 'cancelled') AND id::text NOT LIKE '0198c0de-%' AND created_at < '2026-03-29 12:00Z'::timestamptz - interval '11 days'`,
	"ids are UUIDv7 of their own time": `SELECT count(*) FROM all_rows WHERE id::text NOT LIKE '0198c0de-%' AND (id::text !~ '^.{14}7.{4}[89ab]'
		OR abs(('x' || lpad(left(replace(id::text, '-', ''), 12), 16, '0'))::bit(64)::bigint - extract(epoch FROM created_at) * 1000) > 1)`,
	"ids sort as their times": `SELECT count(*) FROM (SELECT kind, created_at, lag(created_at) OVER (PARTITION BY kind ORDER BY id) AS before FROM all_rows) r
		WHERE created_at < before`,
	"nothing happens in the future": `SELECT count(*) FROM all_rows WHERE created_at > '2026-03-29 12:00Z' OR updated_at > '2026-03-29 12:00Z'`,
	"notifications are numbered": `SELECT count(*) FROM (SELECT number, row_number() OVER (PARTITION BY user_id ORDER BY id) AS n FROM notifications) x
		WHERE number <> n`,
	"the counters know the last number": `SELECT count(*) FROM notification_counters c
		WHERE last <> (SELECT max(number) FROM notifications WHERE user_id = c.user_id)`,
}

const allRows = `CREATE VIEW all_rows AS
	SELECT 'users' AS kind, id, created_at, greatest(updated_at, email_verified_at) AS updated_at FROM users
	UNION ALL SELECT 'products', id, created_at, updated_at FROM products
	UNION ALL SELECT 'orders', id, created_at, updated_at FROM orders
	UNION ALL SELECT 'files', id, created_at, created_at FROM files
	UNION ALL SELECT 'reports', id, created_at, coalesce(finished_at, created_at) FROM reports
	UNION ALL SELECT 'notifications of ' || user_id, id, created_at, coalesce(read_at, created_at) FROM notifications`

func holds(t *testing.T, pool *pg.Pool) {
	t.Helper()
	execute(t, pool, allRows)
	for rule, sql := range wrong {
		if rows := ask[int](t, pool, sql); rows > 0 {
			t.Errorf("it does not hold that %s: %d rows", rule, rows)
		}
	}
}

// What is made up is coherent.
func TestSeed(t *testing.T) {
	t.Parallel()
	pool := database(t)
	added := map[string]int{}
	o := options(1)
	o.Added = func(table string, rows int) { added[table] += rows }
	seed(t, pool, demo.Sizes{Users: 500, Products: 300, Orders: 6000}, o)
	holds(t, pool)
	for table, rows := range added {
		if got := ask[int](t, pool, "SELECT count(*) FROM "+table); got != rows {
			t.Errorf("%d %s, and %d were told of", got, table, rows)
		}
	}
	if added["users"] != 500 || added["products"] != 300 || added["orders"] != 6000 || added["order_lines"] < 9000 {
		t.Errorf("added: %v", added)
	}
	for _, sql := range []string{ // variety, and a share that is plausible
		"SELECT count(DISTINCT status) = 5 FROM orders", "SELECT count(DISTINCT currency) = 2 FROM orders",
		"SELECT count(DISTINCT user_id) > 450 FROM orders", "SELECT count(DISTINCT full_name) > 450 FROM users",
		"SELECT count(DISTINCT name) = 300 FROM products", "SELECT count(DISTINCT price) > 100 FROM products",
		"SELECT avg((email_verified_at IS NULL)::int) BETWEEN 0.05 AND 0.2 FROM users",
		"SELECT avg((NOT is_active)::int) BETWEEN 0.01 AND 0.1 FROM users", "SELECT bool_and(password_hash = 'hash') FROM users",
		"SELECT avg((stock = 0)::int) BETWEEN 0.03 AND 0.2 FROM products", "SELECT avg((currency = 'EUR')::int) BETWEEN 0.7 AND 0.95 FROM products",
		"SELECT avg((status = 'cancelled')::int) BETWEEN 0.03 AND 0.1 FROM orders",
		"SELECT bool_and(version = 1 AND updated_at = created_at) FROM products",
	} {
		if !ask[bool](t, pool, sql) {
			t.Errorf("not so: %s", sql)
		}
	}
}

// The same seed makes the same data, another one makes other data.
func TestSeedIsRepeatable(t *testing.T) {
	t.Parallel()
	sizes := demo.Sizes{Users: 20, Products: 20, Orders: 50}
	sums := map[string]bool{}
	for _, s := range []uint64{1, 1, 2} {
		pool := database(t)
		seed(t, pool, sizes, options(s))
		sums[ask[string](t, pool, everything)] = true
	}
	if len(sums) != 2 {
		t.Errorf("%d different databases of two seeds", len(sums))
	}
}

// Each run adds more, with names of its own, also in the same moment, and beside
// names that others have chosen.
func TestSeedAddsMore(t *testing.T) {
	t.Parallel()
	pool := database(t)
	sizes := demo.Sizes{Users: 20, Products: 20, Orders: 50}
	execute(t, pool, `INSERT INTO users (id, email, username, full_name, password_hash, role, created_at, updated_at)
		VALUES (gen_random_uuid(), 'ines@example.com', 'ines-carver-70', 'Ines', '', 'user', now(), now())`)
	for range 3 {
		seed(t, pool, sizes, options(1))
	}
	for table, want := range map[string]int{"users": 61, "products": 60, "orders": 150} {
		if got := ask[int](t, pool, "SELECT count(*) FROM "+table); got != want {
			t.Errorf("%d %s, want %d", got, table, want)
		}
	}
	if !ask[bool](t, pool, "SELECT max(substring(username FROM '[0-9]+$')::int) = 130 FROM users") {
		t.Error("the numbers do not go on from the highest")
	}
	execute(t, pool, "DELETE FROM users WHERE username = 'ines-carver-70'")
	holds(t, pool)
}

// Only people of a seed order, and only what is sold.
func TestSeedLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	pool := database(t)
	seed(t, pool, demo.Sizes{Users: 3, Products: 4}, options(1))
	execute(t, pool, `INSERT INTO users (id, email, username, full_name, password_hash, role, created_at, updated_at)
		SELECT gen_random_uuid(), 'p' || n || '@example.com', 'p' || n, 'P', '', 'user', '2025-01-01', now() FROM generate_series(1, 20) n`)
	execute(t, pool, "UPDATE products SET retired_at = now() WHERE id IN (SELECT id FROM products LIMIT 2)")
	before := ask[string](t, pool, "SELECT string_agg(p::text, '') FROM products p")
	seed(t, pool, demo.Sizes{Orders: 200}, options(1))
	if n := ask[int](t, pool, "SELECT count(*) FROM orders JOIN users ON users.id = user_id WHERE email NOT LIKE '%@people.example.com'"); n > 0 {
		t.Errorf("%d orders of real people", n)
	}
	if n := ask[int](t, pool, "SELECT count(*) FROM order_lines JOIN products ON products.id = product_id WHERE retired_at IS NOT NULL"); n > 0 {
		t.Errorf("%d lines of retired products", n)
	}
	if before != ask[string](t, pool, "SELECT string_agg(p::text, '') FROM products p") {
		t.Error("products are changed")
	}
}

func TestSeedNeedsSomebodyAndSomething(t *testing.T) {
	t.Parallel()
	pool := database(t)
	for _, sizes := range []demo.Sizes{{Products: 5, Orders: 5}, {Users: 5, Orders: 5}} {
		before := ask[string](t, pool, everything)
		if err := demo.Seed(t.Context(), pool, demo.Sizes{Orders: 5}, options(1)); err == nil {
			t.Error("orders of nobody, or of nothing")
		}
		if before != ask[string](t, pool, everything) {
			t.Error("something was added")
		}
		seed(t, pool, demo.Sizes{Users: sizes.Users, Products: sizes.Products}, options(1))
	}
	seed(t, pool, demo.Sizes{Orders: 5}, options(1))
}

// A stop leaves whole batches, and the next run goes on.
func TestSeedStops(t *testing.T) {
	t.Parallel()
	pool := database(t)
	ctx, cancel := context.WithCancel(t.Context())
	o := options(1)
	o.Added = func(string, int) { cancel() }
	sizes := demo.Sizes{Users: 5100, Products: 10, Orders: 10}
	if err := demo.Seed(ctx, pool, sizes, o); !errors.Is(err, context.Canceled) {
		t.Errorf("error: %v", err)
	}
	if users, products := ask[int](t, pool, "SELECT count(*) FROM users"), ask[int](t, pool, "SELECT count(*) FROM products"); users != 5000 || products != 0 {
		t.Errorf("%d users, %d products", users, products)
	}
	seed(t, pool, sizes, options(1))
	holds(t, pool)
}

// Two at once would give out the same names.
func TestSeedOnceAtATime(t *testing.T) {
	t.Parallel()
	pool := database(t)
	o := options(1)
	o.Added = func(string, int) {
		if err := demo.Seed(t.Context(), open(t, urlOf(pool)), demo.Sizes{Users: 1}, options(2)); err == nil {
			t.Error("two seeds at once")
		}
	}
	seed(t, pool, demo.Sizes{Users: 1}, o)
	seed(t, pool, demo.Sizes{Users: 1}, options(1))
}

func urlOf(pool *pg.Pool) string { return pool.Inner().Config().ConnString() }
