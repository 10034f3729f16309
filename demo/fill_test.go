package demo_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/accord-api/accord/demo"
	"github.com/accord-api/accord/pg"
)

var accounts = []demo.Account{
	{Email: "admin@example.com", Username: "admin", FullName: "An Admin", Role: "admin", Password: "a"},
	{Email: "user@example.com", Username: "user", FullName: "A User", Role: "user", Password: "u"},
}

// fill fills a database, and counts the passwords that are hashed for that.
func fill(t *testing.T, pool *pg.Pool) (hashed int64) {
	t.Helper()
	var n atomic.Int64
	hash := func(_ context.Context, password string) (string, error) {
		n.Add(1)
		return "hash of " + password, nil
	}
	if err := demo.Fill(t.Context(), pool, demo.FillOptions{Accounts: accounts, Hash: hash, Now: now}); err != nil {
		t.Error(err)
	}
	return n.Load()
}

// counts are those of a filled database.
var counts = map[string]int{
	"SELECT count(*) FROM products":                                                             200,
	"SELECT count(*) FROM orders":                                                               300,
	"SELECT count(*) FROM users":                                                                42,
	"SELECT count(*) FROM users WHERE password_hash = '' AND role = 'user'":                     40,
	"SELECT count(*) FROM users WHERE password_hash = 'hash of a' AND role = 'admin'":           1,
	"SELECT count(*) FROM users WHERE password_hash = 'hash of u' AND role = 'user'":            1,
	"SELECT count(*) FROM orders JOIN users ON users.id = user_id WHERE username = 'user'":      12,
	"SELECT count(DISTINCT user_id) FROM notifications WHERE read_at IS NULL":                   2,
	"SELECT count(DISTINCT user_id) FROM notifications WHERE read_at IS NOT NULL":               2,
	"SELECT count(DISTINCT kind) FROM notifications":                                            3,
	"SELECT count(*) FROM (SELECT FROM orders GROUP BY date_trunc('day', created_at, 'UTC')) d": 91, // it is noon
}

func isFilled(t *testing.T, pool *pg.Pool) {
	t.Helper()
	for sql, want := range counts {
		if got := ask[int](t, pool, sql); got != want {
			t.Errorf("%s: %d, want %d", sql, got, want)
		}
	}
}

func TestFill(t *testing.T) {
	t.Parallel()
	pool := database(t)
	if hashed := fill(t, pool); hashed != 2 {
		t.Errorf("%d passwords were hashed", hashed)
	}
	isFilled(t, pool)
	holds(t, pool)
	for _, sql := range []string{
		"SELECT bool_and(created_at = (SELECT min(created_at) FROM users)) FROM users WHERE username IN ('admin', 'user')",
		"SELECT bool_and(link = '' OR link LIKE '/api/v1/%') FROM notifications",
		"SELECT avg((read_at IS NULL)::int) BETWEEN 0.3 AND 0.4 FROM notifications",
		"SELECT count(*) = count(DISTINCT name) FROM products",
		"SELECT count(DISTINCT split_part(description, '.', 1)) > 20 FROM products",
	} {
		if !ask[bool](t, pool, sql) {
			t.Errorf("not so: %s", sql)
		}
	}
}

// Whoever starts later changes nothing, and what was deleted stays deleted.
func TestFillOnce(t *testing.T) {
	t.Parallel()
	pool := database(t)
	fill(t, pool)
	execute(t, pool, "UPDATE products SET retired_at = now()")
	execute(t, pool, "UPDATE users SET username = 'gone', email = 'gone@deleted.invalid', deleted_at = now(), is_active = false WHERE username = 'user'")
	execute(t, pool, "DELETE FROM notifications")
	before := ask[string](t, pool, everything)
	if hashed := fill(t, pool); hashed != 0 || before != ask[string](t, pool, everything) {
		t.Errorf("the second time changes something, and hashes %d passwords", hashed)
	}
	present, err := demo.Present(t.Context(), pool, accounts)
	if err != nil || len(present) != 1 || present[0].Username != "admin" {
		t.Errorf("present: %v, %v", present, err)
	}
	execute(t, pool, "UPDATE users SET is_active = false WHERE username = 'admin'")
	if present, err := demo.Present(t.Context(), pool, accounts); err != nil || len(present) > 0 {
		t.Errorf("present: %v, %v", present, err)
	}
}

// Two programs that start at once fill a database once.
func TestFillAtOnce(t *testing.T) {
	t.Parallel()
	pool := database(t)
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() { fill(t, pool) })
	}
	all.Wait()
	isFilled(t, pool)
}

// Where somebody has seeded first, only the accounts are missing.
func TestFillAfterSeed(t *testing.T) {
	t.Parallel()
	pool := database(t)
	seed(t, pool, demo.Sizes{Users: 5, Products: 5}, options(1))
	fill(t, pool)
	if users, products, orders := ask[int](t, pool, "SELECT count(*) FROM users"), ask[int](t, pool, "SELECT count(*) FROM products"), ask[int](t, pool, "SELECT count(*) FROM orders"); users != 7 || products != 5 || orders != 0 {
		t.Errorf("%d users, %d products, %d orders", users, products, orders)
	}
	seed(t, pool, demo.Sizes{Orders: 5}, options(1))
}

// People and notifications that are there already stay, and get company.
func TestFillAroundOthers(t *testing.T) {
	t.Parallel()
	pool := database(t)
	seed(t, pool, demo.Sizes{Users: 5}, options(1))
	execute(t, pool, `INSERT INTO users (id, email, username, full_name, password_hash, role, created_at, updated_at)
		VALUES ('01900000-0000-7000-8000-000000000000', 'User@Example.com', 'somebody', 'Own', 'own', 'user', '2026-02-01', '2026-02-01')`)
	execute(t, pool, "INSERT INTO notification_counters VALUES ('01900000-0000-7000-8000-000000000000', 1)")
	execute(t, pool, `INSERT INTO notifications (id, user_id, number, kind, title, link, created_at)
		VALUES ('01900000-0000-7000-8000-000000000000', '01900000-0000-7000-8000-000000000000', 1, 'x', '', '', '2025-02-01')`)
	fill(t, pool)
	if got := ask[string](t, pool, "SELECT full_name || password_hash FROM users WHERE lower(email) = 'user@example.com'"); got != "Ownown" {
		t.Errorf("the account is now %s", got)
	}
	if got := ask[int](t, pool, "SELECT count(*) FROM users"); got != 47 {
		t.Errorf("%d users", got)
	}
	if got := ask[int](t, pool, "SELECT count(*) FROM orders JOIN users ON users.id = user_id WHERE username = 'somebody'"); got < 6 || got > 11 {
		t.Errorf("%d orders, which has to be all since February", got)
	}
	if !ask[bool](t, pool, `SELECT count(DISTINCT number) = max(last) AND max(number) = max(last)
		FROM notifications JOIN notification_counters c USING (user_id) JOIN users ON users.id = c.user_id WHERE username = 'somebody'`) {
		t.Error("the notifications are not numbered one after the other")
	}
}

// All of it, or nothing.
func TestFillFails(t *testing.T) {
	t.Parallel()
	pool := database(t)
	broken := errors.New("broken")
	failing := func(context.Context, string) (string, error) { return "", broken }
	err := demo.Fill(t.Context(), pool, demo.FillOptions{Accounts: accounts, Hash: failing, Now: now})
	if !errors.Is(err, broken) {
		t.Errorf("error: %v", err)
	}
	execute(t, pool, "ALTER TABLE notifications ADD CHECK (number < 3)")
	hash := func(context.Context, string) (string, error) { return "", nil }
	if err := demo.Fill(t.Context(), pool, demo.FillOptions{Accounts: accounts, Hash: hash, Now: now}); err == nil {
		t.Error("no error")
	}
	if got := ask[int](t, pool, "SELECT count(*) FROM users") + ask[int](t, pool, "SELECT count(*) FROM products"); got != 0 {
		t.Errorf("%d rows", got)
	}
}
