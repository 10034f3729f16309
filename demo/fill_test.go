package demo_test

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/accord-api/accord/demo"
	"github.com/accord-api/accord/files"
	"github.com/accord-api/accord/pg"
)

var accounts = []demo.Account{
	{Email: "admin@example.com", Username: "admin", FullName: "An Admin", Role: "admin", Password: "a"},
	{Email: "user@example.com", Username: "user", FullName: "A User", Role: "user", Password: "u"},
}

// storage is an empty one, and the folder that it is in.
func storage(t *testing.T) (*files.Store, string) {
	t.Helper()
	dir := t.TempDir()
	store, err := files.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store, dir
}

// kept lists what is in the folder of a storage.
func kept(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// fill fills a database, and counts the passwords that are hashed for that.
func fill(t *testing.T, pool *pg.Pool) (hashed int64) {
	t.Helper()
	store, _ := storage(t)
	return fillWith(t, pool, store)
}

func fillWith(t *testing.T, pool *pg.Pool, store *files.Store) (hashed int64) {
	t.Helper()
	var n atomic.Int64
	hash := func(_ context.Context, password string) (string, error) {
		n.Add(1)
		return "hash of " + password, nil
	}
	if err := demo.Fill(t.Context(), pool, demo.FillOptions{Accounts: accounts, Hash: hash, Files: store, Now: now}); err != nil {
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
	"SELECT count(DISTINCT kind) FROM notifications":                                            4,
	"SELECT count(*) FROM files JOIN users ON users.id = user_id WHERE username = 'user'":       2,
	"SELECT count(*) FROM reports JOIN files ON files.id = file_id WHERE status = 'succeeded'":  1,
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

const ofReport = "WHERE id IN (SELECT file_id FROM reports)"

// The report has the orders of its user, as they are, and its bytes are those
// that its row tells of.
func TestFillReports(t *testing.T) {
	t.Parallel()
	pool := database(t)
	store, dir := storage(t)
	fillWith(t, pool, store)
	opened, err := store.Open(t.Context(), ask[string](t, pool, "SELECT storage_key FROM files "+ofReport))
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	content, err := io.ReadAll(opened)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	if hex.EncodeToString(sum[:]) != ask[string](t, pool, "SELECT encode(sha256, 'hex') FROM files "+ofReport) || len(content) != ask[int](t, pool, "SELECT size FROM files "+ofReport) {
		t.Error("the row tells of other bytes")
	}
	rows, err := csv.NewReader(strings.NewReader(string(content))).ReadAll()
	if err != nil || len(rows) < 13 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	var lines []string
	for _, row := range rows[1:] {
		lines = append(lines, row[0]+" "+row[2]+" "+row[4])
	}
	want := ask[string](t, pool, `SELECT string_agg(concat_ws(' ', order_id, status, sku), ',' ORDER BY order_id, position)
		FROM order_lines JOIN orders ON orders.id = order_id JOIN users ON users.id = user_id WHERE username = 'user'
		AND orders.created_at >= '2025-12-30'`) // 90 days, today included
	if got := strings.Join(lines, ","); got != want {
		t.Errorf("the report has %s, want %s", got, want)
	}
	if got := kept(t, dir); len(got) != 2 { // it, and the notes of the examples
		t.Errorf("the storage has %q", got)
	}
	if !ask[bool](t, pool, `SELECT link LIKE '%/' || files.id AND title LIKE '%' || files.name AND days = 90
		FROM notifications, files JOIN reports ON file_id = files.id WHERE notifications.kind = 'report.succeeded'`) {
		t.Error("the user is told of something else")
	}
}

// Without a storage there is no report, and nothing else either.
func TestFillWithoutStorage(t *testing.T) {
	t.Parallel()
	pool := database(t)
	store, dir := storage(t)
	_ = store.Close()
	hash := func(context.Context, string) (string, error) { return "", nil }
	if err := demo.Fill(t.Context(), pool, demo.FillOptions{Accounts: accounts, Hash: hash, Files: store, Now: now}); err == nil {
		t.Error("no error")
	}
	if n := ask[int](t, pool, "SELECT (SELECT count(*) FROM files) + (SELECT count(*) FROM users)"); n != 0 || len(kept(t, dir)) != 0 {
		t.Errorf("%d rows, %q", n, kept(t, dir))
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
		VALUES ('01900000-0000-7000-8000-000000000000', '01900000-0000-7000-8000-000000000000', 1, 'order.placed', '', '', '2025-02-01')`)
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
	store, dir := storage(t)
	broken := errors.New("broken")
	failing := func(context.Context, string) (string, error) { return "", broken }
	err := demo.Fill(t.Context(), pool, demo.FillOptions{Accounts: accounts, Hash: failing, Files: store, Now: now})
	if !errors.Is(err, broken) {
		t.Errorf("error: %v", err)
	}
	execute(t, pool, "ALTER TABLE notifications ADD CHECK (number < 3)")
	hash := func(context.Context, string) (string, error) { return "", nil }
	if err := demo.Fill(t.Context(), pool, demo.FillOptions{Accounts: accounts, Hash: hash, Files: store, Now: now}); err == nil {
		t.Error("no error")
	}
	if got := ask[int](t, pool, "SELECT count(*) FROM users") + ask[int](t, pool, "SELECT count(*) FROM products"); got != 0 {
		t.Errorf("%d rows", got)
	}
	if got := kept(t, dir); len(got) != 0 {
		t.Errorf("the storage has %q", got)
	}
}
