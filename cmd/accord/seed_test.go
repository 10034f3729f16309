package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/accord-api/accord/demo"
	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/pg"
	"github.com/accord-api/accord/pg/pgtest"
	"github.com/accord-api/accord/servertest"
)

// count asks a database for a number.
func count(t *testing.T, address, sql string) (n int) {
	t.Helper()
	pool, err := pg.Open(t.Context(), pg.Config{URL: address, Size: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if err := pool.QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

func TestSeed(t *testing.T) {
	t.Parallel()
	address := pgtest.New(t)
	s := servertest.New(t, servertest.Options{DatabaseURL: address, Start: true})
	const products = "/api/v1/products?limit=100"
	reader := s.Admin()
	s.Eventually("the list of products is kept", func() bool {
		s.Queries.Take()
		return len(items(t, reader, products)) == 0 && !slices.Contains(s.Queries.Take(), "ProductListNewest")
	})
	kept := s.Clock.Now()
	for range 2 {
		code, out, errs := ran(t, onDatabase(address), "", "seed", "--users", "30", "--products", "40", "--orders", "60")
		if code != exitOK || !strings.HasPrefix(out, "30 users\n40 products\n60 orders\n") || !strings.Contains(out, " a second") || !strings.Contains(out, seedPassword) {
			t.Fatalf("exit %d: %s%s", code, out, errs)
		}
		if !strings.Contains(errs, "users: 30 of 30\nproducts: 40 of 40\norders: 60 of 60\n") {
			t.Errorf("progress: %s", errs)
		}
	}
	if n := count(t, address, "SELECT count(DISTINCT password_hash) FROM users WHERE role = 'user'"); n != 2 {
		t.Errorf("%d hashes of two runs", n)
	}
	s.Eventually("a server that runs shows all products", func() bool { return len(items(t, reader, products)) == 80 })
	if took := s.Clock.Now().Sub(kept); took > time.Minute {
		t.Errorf("seen %s later, when the list is not kept any more", took)
	}
	if got := readAll(t, s); got != (demo.Sizes{Users: 62, Products: 80, Orders: 120}) {
		t.Errorf("the API shows %+v", got)
	}
}

// Everything that a newcomer finds is what the contract says it is.
func TestFilledDatabaseReadsWell(t *testing.T) {
	t.Parallel()
	s := withDemoData(t)
	if got := readAll(t, s); got != (demo.Sizes{Users: 43, Products: 200, Orders: 300}) {
		t.Errorf("the API shows %+v", got)
	}
	for _, account := range demoAccounts {
		p := s.Somebody()
		p.Login(account.Username, account.Password).Expect(http.StatusOK).Into(&p.Tokens)
		all, unread := len(items(t, p, "/api/v1/notifications?limit=100")), len(items(t, p, "/api/v1/notifications?limit=100&unread=true"))
		if unread < 2 || unread >= all {
			t.Errorf("%s has %d notifications, %d of them unread", account.Username, all, unread)
		}
		if orders := len(items(t, p, "/api/v1/orders")); (account.Role == "user") != (orders == 12) {
			t.Errorf("%s has %d orders", account.Username, orders)
		}
		if account.Role == "user" {
			hasReport(t, p)
		}
	}
}

// hasReport wants one finished report, and its file as its checksum says.
func hasReport(t *testing.T, p *servertest.Person) {
	t.Helper()
	var reports api.ReportPage
	ask(p, "/api/v1/reports").Into(&reports)
	var kept api.FilePage
	ask(p, "/api/v1/files").Into(&kept)
	if len(reports.Items) != 1 || reports.Items[0].Status != "succeeded" || len(kept.Items) != 2 {
		t.Fatalf("reports %+v, files %+v", reports.Items, kept.Items)
	}
	i := slices.IndexFunc(kept.Items, func(f api.File) bool { return f.ID == *reports.Items[0].FileID })
	if i < 0 {
		t.Fatalf("no file of %+v is in %+v", reports.Items, kept.Items)
	}
	file := kept.Items[i]
	content := ask(p, "/api/v1/files/"+file.ID.String()).Body
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != file.Sha256 || int64(len(content)) != file.Size {
		t.Errorf("the file is not what %+v says: %s", file, content)
	}
	if lines := strings.Count(string(content), "\n"); lines < 13 {
		t.Errorf("%d lines of 12 orders", lines)
	}
}

// readAll reads all that there is through the API, which holds each answer
// against the contract, and counts it.
func readAll(t *testing.T, s *servertest.Server) (sizes demo.Sizes) {
	t.Helper()
	admin := s.Admin()
	for _, sort := range []string{"newest", "price_asc", "price_desc"} {
		sizes.Products = len(items(t, admin, "/api/v1/products?limit=100&sort="+sort))
	}
	for _, id := range items(t, admin, "/api/v1/products?limit=100") {
		ask(admin, "/api/v1/products/"+id)
	}
	users := items(t, admin, "/api/v1/admin/users?limit=100&include=orders")
	sizes.Users = len(users)
	ofUsers := 0
	for _, id := range users {
		ask(admin, "/api/v1/users/"+id)
		ofUsers += len(items(t, admin, "/api/v1/admin/users/"+id+"/orders?limit=100"))
	}
	orders := items(t, admin, "/api/v1/admin/orders?limit=100")
	sizes.Orders = len(orders)
	if ofUsers != sizes.Orders {
		t.Errorf("%d orders, and %d of all users", sizes.Orders, ofUsers)
	}
	for _, id := range orders {
		var order api.Order
		ask(admin, "/api/v1/orders/"+id).Into(&order)
		total := int64(0)
		for _, l := range order.Lines {
			total += l.Price * int64(l.Quantity)
		}
		if total != order.Total {
			t.Errorf("the order %s has the total %d, and its lines %d", id, order.Total, total)
		}
	}
	for _, path := range []string{"/api/v1/admin/stats", "/api/v1/export/users", "/api/v1/export/orders"} {
		ask(admin, path)
	}
	ask(admin, "/api/v1/products?q=blanket")
	return sizes
}

// ask reads one thing, and lets a while pass for the limits.
func ask(p *servertest.Person, path string) *servertest.Answer {
	p.T.Helper()
	p.Clock.Advance(250 * time.Millisecond)
	return p.GET(path).Expect(http.StatusOK)
}

// items reads a list from its first page to its last, and gives the ids: each
// once.
func items(t *testing.T, p *servertest.Person, path string) []string {
	t.Helper()
	seen := map[string]bool{}
	for path != "" {
		answer := ask(p, path)
		var page struct{ Items []struct{ ID string } }
		if err := json.Unmarshal(answer.Body, &page); err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			if seen[item.ID] {
				t.Errorf("%s shows %s twice", path, item.ID)
			}
			seen[item.ID] = true
		}
		path = answer.Link()
	}
	return slices.Collect(maps.Keys(seen))
}

// People of a seed sign in with the one password, but in production with none.
func TestSeedInProduction(t *testing.T) {
	t.Parallel()
	address := pgtest.New(t)
	code, _, errs := ran(t, inProduction(t, address), "", "seed", "--users", "3")
	if code != exitUsage || !strings.Contains(errs, "--in-production") || count(t, address, "SELECT count(*) FROM users") > 0 {
		t.Errorf("exit %d: %s", code, errs)
	}
	code, out, errs := ran(t, inProduction(t, address), "", "seed", "--users", "3", "--in-production")
	if code != exitOK || strings.Contains(out, seedPassword) || count(t, address, "SELECT count(*) FROM users WHERE password_hash = ''") != 3 {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if code, _, errs := ran(t, onDatabase(address), "", "seed", "--users", "3"); code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	s := servertest.New(t, servertest.Options{DatabaseURL: address})
	signedIn := map[int]int{}
	for _, id := range items(t, s.Admin(), "/api/v1/admin/users?is_active=true&limit=100") {
		var user api.User
		ask(s.Admin(), "/api/v1/users/"+id).Into(&user)
		signedIn[s.Somebody().Login(user.Username, seedPassword).Status]++
	}
	if signedIn[http.StatusOK] != 3 || signedIn[http.StatusUnauthorized] < 4 {
		t.Errorf("sign-ins: %v", signedIn)
	}
}

func TestSeedRefuses(t *testing.T) {
	t.Parallel()
	for args, c := range map[string]struct {
		code int
		want string
	}{
		"":                      {exitUsage, "--users, --products and --orders say how many; at least one of them is needed"},
		"--seed -1":             {exitUsage, "--seed takes a whole number from 0 on, not \"-1\""},
		"--users -1 --orders 5": {exitUsage, "--users"},
		"--users many":          {exitUsage, "--users"},
		"--orders 5":            {exitFailed, "nobody can order"},
		"--users 5 --orders 5":  {exitFailed, "nothing can be ordered"},
	} {
		code, _, errs := ran(t, onDatabase(pgtest.New(t)), "", append([]string{"seed"}, strings.Fields(args)...)...)
		if code != c.code || !strings.Contains(errs, c.want) {
			t.Errorf("seed %s: exit %d, %s", args, code, errs)
		}
	}
	if code, _, errs := ran(t, onDatabase(pgtest.Empty(t)), "", "seed", "--users", "5"); code != exitFailed || !strings.Contains(errs, "migrate up") {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// onWrite does something at the first write.
type onWrite struct {
	output
	do func()
}

func (w *onWrite) Write(p []byte) (int, error) {
	w.do()
	return w.output.Write(p)
}

// Ctrl-C ends it with whole batches, and says what is there.
func TestSeedIsInterrupted(t *testing.T) {
	t.Parallel()
	address := pgtest.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	errs, out := &onWrite{do: cancel}, &output{}
	code := run(ctx, []string{"seed", "--users", "12000", "--orders", "10"}, command{dir: t.TempDir(), environ: onDatabase(address), out: out, err: errs})
	if code != exitInterrupted || !strings.Contains(errs.String(), "accord: stopped before all was added; what was added stays\n") || !strings.Contains(out.String(), "5000 users\n5000 rows") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if n := count(t, address, "SELECT count(*) FROM users"); n != 5000 {
		t.Errorf("%d users", n)
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	sizes := demo.Sizes{Users: 40, Orders: 40}
	for terminal, c := range map[bool]struct{ want, unwanted string }{
		true:  {`\rusers +0% .*\rorders +100% .*\(80/80\)\n$`, "of 40"},
		false: {`^users: 20 of 40\nusers: 40 of 40\norders: 20 of 40\norders: 40 of 40\n$`, "%"},
	} {
		var out strings.Builder
		p := newProgress(&out, terminal, sizes)
		for range 2 {
			p.added("users", 20)
		}
		for range 2 {
			p.added("orders", 20)
			p.added("order_lines", 50)
		}
		p.end()
		if !regexp.MustCompile("(?s)"+c.want).MatchString(out.String()) || strings.Contains(out.String(), c.unwanted) {
			t.Errorf("terminal %t: %q", terminal, out.String())
		}
		out.Reset()
		err := p.report(&out, 2*time.Second)
		if want := "40 users\n40 orders\n100 order_lines\n180 rows in 2s, 90 a second\n"; err != nil || out.String() != want {
			t.Errorf("report: %q, %v", out.String(), err)
		}
	}
}

// What a newcomer deletes is not there again after the next start, and is not
// offered any more.
func TestDemoDataIsMadeOnce(t *testing.T) {
	t.Parallel()
	address := pgtest.New(t)
	environ := []string{"DATABASE_URL=" + address, "PORT=0", "LOG_LEVEL=error"}
	base, first, stop := serving(t, t.TempDir(), environ)
	if got := login(t, base, "user", "User-demo-1"); got != http.StatusOK {
		t.Fatalf("sign-in: %d, %s", got, first)
	}
	stop()
	for table, want := range map[string]int{"users": 42, "products": 200, "orders": 300} {
		if n := count(t, address, "SELECT count(*) FROM "+table); n != want {
			t.Errorf("%d %s", n, table)
		}
	}
	gone := `WITH p AS (UPDATE products SET retired_at = now()), o AS (DELETE FROM notifications)
		UPDATE users SET username = 'gone', email = 'gone@deleted.invalid', is_active = false, deleted_at = now() WHERE username = 'user' RETURNING 1`
	count(t, address, gone)

	base, second, stop := serving(t, t.TempDir(), environ)
	if got := login(t, base, "user", "User-demo-1"); got != http.StatusUnauthorized || strings.Contains(second.String(), "User-demo-1") {
		t.Errorf("sign-in: %d, %s", got, second)
	}
	stop()
	if n := count(t, address, "SELECT count(*) FROM products WHERE retired_at IS NULL") + count(t, address, "SELECT count(*) FROM notifications"); n != 0 {
		t.Errorf("%d rows are there again", n)
	}
	if !strings.Contains(second.String(), "Admin-demo-1") {
		t.Errorf("the administrator is not offered any more: %s", second)
	}
}

// A script reads what a seed has added, and nothing else.
func TestSeedInJSON(t *testing.T) {
	t.Parallel()
	code, out, errs := ran(t, onDatabase(pgtest.New(t)), "", "seed", "--users", "3", "--products", "2", "--json")
	var told struct {
		Added map[string]int
		Rows  int
	}
	if err := json.Unmarshal([]byte(out), &told); err != nil || code != exitOK || told.Added["users"] != 3 || told.Added["products"] != 2 || told.Rows != 5 {
		t.Errorf("exit %d, %v: %s%s", code, err, out, errs)
	}
}
