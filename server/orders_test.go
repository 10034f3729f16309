package server_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/servertest"
)

// ordersNoun is what the tests of all tables know of orders.
var ordersNoun = noun{
	seeded: []string{
		`INSERT INTO orders (id, user_id, status, currency, total, items, created_at, updated_at)
			SELECT gen_random_uuid(), id, 'paid', 'EUR', 1, 1, now() - interval '90 days' * random(), now() FROM users`,
		`INSERT INTO order_lines (order_id, position, product_id, quantity, sku, name, price)
			SELECT o.id, 1, p.id, 1, '', '', 1 FROM (SELECT id, row_number() OVER () AS n FROM orders) o
			JOIN (SELECT id, row_number() OVER () AS n FROM products) p USING (n)`,
	},
	newer: []string{
		`INSERT INTO orders (id, user_id, status, currency, total, items, created_at, updated_at) VALUES (@id, @user, 'paid', 'EUR', 1, 1, now(), now())`,
	},
	many: func(id, rows string) []string {
		return []string{`INSERT INTO orders (id, user_id, status, currency, total, items, created_at, updated_at)
			SELECT gen_random_uuid(), '` + id + `', 'paid', 'EUR', 1, 1, now(), now() FROM generate_series(1, ` + rows + `)`}
	},
	filters: map[string]string{"status": "paid", "include": "orders"},
	own: func(p, admin *servertest.Person) {
		lamp := product(admin, "LAMP-"+strings.ToUpper(p.User.Username), nil)
		p.Header.Set("Idempotency-Key", "once")
		order(p, line(lamp, 1))
		p.Header.Del("Idempotency-Key")
	},
	outOfRange: map[string][]string{
		"orders": {"status = 'nonsense'", "currency = 'eur'", "currency = 'EURO'", "total = -1", "total = 1000000000000001", "items = 0", "items = 500001"},
		"order_lines": {
			"position = 0", "quantity = 0", "quantity = 10001", "price = -1", "price = 1000000001", "sku = repeat('x', 65)", "name = repeat('x', 201)",
		},
	},
	twice: []string{`INSERT INTO order_lines (order_id, position, product_id, quantity, sku, name, price)
		SELECT order_id, position + 1, product_id, quantity, sku, name, price FROM order_lines`},
	staysBehind: map[string]string{"orders.user_id": "the shop's books need them, without the person"},
	readWhole:   map[string]string{"SalesBetween": "reads the orders of a day, few of which are cancelled, in a job"},
	sortsFew:    map[string]string{"OrderListLatest": "a few orders of each buyer on a page"},
}

// line of an order.
func line(p api.Product, quantity int) map[string]any {
	return map[string]any{"product_id": p.ID, "quantity": quantity}
}

func lines(all ...map[string]any) map[string]any { return map[string]any{"lines": all} }

// order places one for a test.
func order(buyer *servertest.Person, all ...map[string]any) api.Order {
	buyer.T.Helper()
	var placed api.Order
	buyer.POST("/api/v1/orders", lines(all...)).Expect(http.StatusCreated).Into(&placed)
	return placed
}

// stock of a product, as the database has it.
func stock(t *testing.T, s *servertest.Server, p api.Product) string {
	t.Helper()
	return column(t, s, "SELECT stock::text FROM products WHERE id = $1", p.ID)
}

// What costs nothing is ordered as anything else is.
func TestFreeOrder(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin, buyer := s.Admin(), s.Register()
	gift := product(admin, "GIFT", map[string]any{"price": 0})
	buyer.POST("/api/v1/orders", lines(line(gift, 1))).Expect(http.StatusCreated)
	var own api.OrderPage
	buyer.GET("/api/v1/orders").Expect(http.StatusOK).Into(&own)
	var all api.AdminOrderPage
	admin.GET("/api/v1/admin/orders").Expect(http.StatusOK).Into(&all)
	if len(own.Items) != 1 || own.Items[0].Total != 0 || len(all.Items) != 1 || all.Items[0].Total != 0 {
		t.Errorf("orders %+v, %+v", own, all)
	}
}

func TestOrder(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin, buyer := s.Admin(), s.Register()
	lamp, book := product(admin, "LAMP", map[string]any{"price": 4999}), product(admin, "BOOK", map[string]any{"price": 1250})

	created := buyer.POST("/api/v1/orders", lines(line(lamp, 2), line(book, 1))).Expect(http.StatusCreated)
	var placed api.Order
	created.Into(&placed)
	if placed.Total != 2*4999+1250 || placed.Items != 3 || placed.Currency != "EUR" || placed.Status != "pending" || placed.UserID != buyer.User.ID {
		t.Errorf("order %+v", placed)
	}
	if got := stock(t, s, lamp) + " " + stock(t, s, book); got != "8 9" {
		t.Errorf("stock %s", got)
	}
	// The lines stay as they were, whatever becomes of the products.
	admin.PATCH("/api/v1/products/"+lamp.ID.String(), map[string]any{"price": 1, "name": "Other", "sku": "OTHER"}).Expect(http.StatusOK)
	admin.DELETE("/api/v1/products/"+book.ID.String(), nil).Expect(http.StatusNoContent)
	shown := buyer.GET(created.Header.Get("Location")).Expect(http.StatusOK)
	if string(shown.Body) != string(created.Body) {
		t.Errorf("shown %s, created %s", shown.Body, created.Body)
	}
	if got := admin.GET("/api/v1/orders/" + placed.ID.String()).Expect(http.StatusOK); string(got.Body) != string(created.Body) {
		t.Errorf("an administrator sees %s", got.Body)
	}
	s.Register().GET("/api/v1/orders/" + placed.ID.String()).Expect(http.StatusNotFound)
	buyer.GET("/api/v1/orders/" + uuid.NewString()).Expect(http.StatusNotFound)
}

// Who is deleted leaves orders behind, without the person.
func TestOrdersOutliveTheirBuyer(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin, buyer := s.Admin(), s.Register()
	placed := order(buyer, line(product(admin, "A", nil), 1))
	buyer.DELETE("/api/v1/users/me", map[string]any{"password": buyer.Password}).Expect(http.StatusNoContent)
	admin.GET("/api/v1/orders/" + placed.ID.String()).Expect(http.StatusOK)
	var page api.AdminOrderPage
	admin.GET("/api/v1/admin/orders").Expect(http.StatusOK).Into(&page)
	if b := page.Items[0].Buyer; b.ID != buyer.User.ID || !strings.HasPrefix(b.Username, "deleted-") {
		t.Errorf("buyer %+v", b)
	}
	// That there was an account does not depend on which of its orders are asked for.
	path := "/api/v1/admin/users/" + buyer.User.ID.String() + "/orders"
	for query, n := range map[string]int{"": 1, "?status=pending": 1, "?status=shipped": 0} {
		var orders api.OrderPage
		admin.GET(path + query).Expect(http.StatusOK).Into(&orders)
		if len(orders.Items) != n {
			t.Errorf("%q: %d orders", query, len(orders.Items))
		}
	}
	admin.GET("/api/v1/admin/users/" + uuid.NewString() + "/orders").Expect(http.StatusNotFound)
}

func TestWhatCannotBeOrdered(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin, buyer := s.Admin(), s.Register()
	lamp, few := product(admin, "LAMP", nil), product(admin, "FEW", map[string]any{"stock": 1})
	dollars, retired := product(admin, "USD", map[string]any{"currency": "USD"}), product(admin, "OLD", nil)
	admin.DELETE("/api/v1/products/"+retired.ID.String(), nil).Expect(http.StatusNoContent)
	unknown := api.Product{ID: uuid.New()}

	conflict := buyer.POST("/api/v1/orders", lines(line(lamp, 1), line(few, 2), line(retired, 1))).Expect(http.StatusConflict).Problem("not-available")
	got := []string{}
	for _, e := range conflict.Errors {
		got = append(got, e.Field+" "+e.Code)
	}
	if want := []string{"lines[1].quantity out_of_stock", "lines[2].product_id retired"}; !slices.Equal(got, want) {
		t.Errorf("each line is to be named: %v", got)
	}
	for want, body := range map[string]map[string]any{
		"lines[1].product_id currency":                           lines(line(lamp, 1), line(dollars, 1)),
		"lines[0].product_id unknown":                            lines(line(unknown, 1), line(lamp, 1)),
		"lines[1].product_id unique":                             lines(line(lamp, 1), line(lamp, 2)),
		"lines[0].product_id unknown lines[2].product_id unique": lines(line(unknown, 1), line(few, 9), line(few, 1)),
		"lines min_items":                                        {"lines": []any{}},
		"lines[0].quantity minimum":                              lines(line(lamp, 0)),
		"lines[0].quantity maximum":                              lines(line(lamp, 10001)),
		"lines[0].product_id required lines[0].price unknown":    lines(map[string]any{"quantity": 1, "price": 1}),
	} {
		if got := strings.Join(buyer.POST("/api/v1/orders", body).Fields(), " "); got != want {
			t.Errorf("refused with %q, want %q", got, want)
		}
	}
	if got := stock(t, s, lamp) + stock(t, s, few); got != "101" {
		t.Errorf("something was taken: %s", got)
	}
	if n := column(t, s, "SELECT count(*)::text FROM orders"); n != "0" {
		t.Errorf("%s orders", n)
	}
	s.Somebody().POST("/api/v1/orders", lines(line(lamp, 1))).Expect(http.StatusUnauthorized)
}

// 64 clients order the last 100 pieces at once: exactly 100 are sold.
func TestStockIsNeverOversold(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin := s.Admin()
	a, b := product(admin, "A", map[string]any{"stock": 100}), product(admin, "B", map[string]any{"stock": 1000})
	buyers := make([]*servertest.Person, 64)
	for i := range buyers {
		buyers[i] = s.Register()
	}
	statuses := count(atOnce(len(buyers), func(i int) int {
		both := lines(line(a, 2), line(b, 1))
		if i%2 == 0 { // the other way round: a deadlock, were it not for the order of locks
			both = lines(line(b, 1), line(a, 2))
		}
		return buyers[i].POST("/api/v1/orders", both).Status
	}))
	if statuses[http.StatusCreated] != 50 || statuses[http.StatusConflict] != 14 {
		t.Errorf("statuses %v", statuses)
	}
	if sold := column(t, s, "SELECT coalesce(sum(quantity), 0)::text FROM order_lines WHERE sku = 'A'"); sold != "100" {
		t.Errorf("%s are sold", sold)
	}
	if left := stock(t, s, a) + " " + stock(t, s, b); left != "0 950" {
		t.Errorf("%s are left", left)
	}
}

func count[T comparable](values []T) map[T]int {
	n := map[T]int{}
	for _, v := range values {
		n[v]++
	}
	return n
}

// The same order sent 50 times at once with one key is placed once, and all get
// the same answer.
func TestOneKeyOneOrder(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	two := servertest.New(t, servertest.Options{DatabaseURL: s.DatabaseURL, Settings: map[string]string{"PUBLIC_URL": s.URL}})
	buyer, lamp := s.Register(), product(s.Admin(), "LAMP", map[string]any{"stock": 100})
	buyer.Header.Set("Idempotency-Key", "one")
	elsewhere := *buyer
	elsewhere.Server = two // the same person on another instance
	answers := atOnce(50, func(i int) *servertest.Answer {
		if i%2 == 0 {
			return elsewhere.POST("/api/v1/orders", lines(line(lamp, 1)))
		}
		return buyer.POST("/api/v1/orders", lines(line(lamp, 1)))
	})
	replayed := 0
	for _, a := range answers {
		a.Expect(http.StatusCreated)
		if string(a.Body) != string(answers[0].Body) || a.Header.Get("Location") != answers[0].Header.Get("Location") {
			t.Errorf("answers differ: %s and %s", a.Body, answers[0].Body)
		}
		if a.Header.Get("Idempotency-Replayed") == "true" {
			replayed++
		}
	}
	if n := column(t, s, "SELECT count(*)::text FROM orders"); n != "1" || stock(t, s, lamp) != "99" || replayed != 49 {
		t.Errorf("%s orders, %s left, %d replayed", n, stock(t, s, lamp), replayed)
	}
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin, buyer, other := s.Admin(), s.Register(), s.Register()
	lamp, few := product(admin, "LAMP", nil), product(admin, "FEW", map[string]any{"stock": 0})
	send := func(p *servertest.Person, key string, body any) *servertest.Answer {
		p.Header.Set("Idempotency-Key", key)
		defer p.Header.Del("Idempotency-Key")
		return p.POST("/api/v1/orders", body)
	}
	first := send(buyer, "k1", lines(line(lamp, 1))).Expect(http.StatusCreated)
	if first.Header.Get("Idempotency-Replayed") != "" {
		t.Error("the first answer is called a replay")
	}
	// In quotes, and with other white space in the body, it is the same request.
	again := send(buyer, `"k1"`, fmt.Sprintf(`{ "lines" : [ {"quantity": 1, "product_id": %q} ] }`, lamp.ID)).Expect(http.StatusCreated)
	if string(again.Body) != string(first.Body) || again.Header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("%v %s", again.Header, again.Body)
	}
	if again.Header.Get("X-Request-Id") == first.Header.Get("X-Request-Id") {
		t.Error("a replay has the request id of the first answer")
	}
	send(buyer, "k1", lines(line(lamp, 2))).Expect(http.StatusUnprocessableEntity).Problem("idempotency-key-reused")
	send(other, "k1", lines(line(lamp, 2))).Expect(http.StatusCreated) // somebody else's key
	buyer.POST("/api/v1/orders", lines(line(lamp, 1))).Expect(http.StatusCreated)
	buyer.POST("/api/v1/orders", lines(line(lamp, 1))).Expect(http.StatusCreated) // without a key, each is its own

	// A failure is not stored: the same request may succeed later.
	send(buyer, "k2", lines(line(few, 1))).Expect(http.StatusConflict)
	send(buyer, "k2", lines()).Expect(http.StatusUnprocessableEntity)
	admin.PATCH("/api/v1/products/"+few.ID.String(), map[string]any{"stock": 1}).Expect(http.StatusOK)
	retried := send(buyer, "k2", lines(line(few, 1))).Expect(http.StatusCreated)
	if retried.Header.Get("Idempotency-Replayed") != "" {
		t.Error("a failure was replayed")
	}

	if n := column(t, s, "SELECT count(*)::text FROM audit_events WHERE action = 'order.create' AND outcome = 'succeeded'"); n != "5" {
		t.Errorf("%s orders are audited, want each once", n)
	}
	for key, want := range map[string]string{
		strings.Repeat("k", 256): "Idempotency-Key pattern",
		`k"k`:                    "Idempotency-Key pattern",
		"k k":                    "Idempotency-Key pattern",
		`k\k`:                    "Idempotency-Key pattern",
	} {
		if got := strings.Join(send(buyer, key, lines(line(lamp, 1))).Fields(), " "); got != want {
			t.Errorf("%q: %q", key, got)
		}
	}

	s.Clock.Advance(24*time.Hour + time.Second)
	buyer.SignIn()
	if later := send(buyer, "k1", lines(line(lamp, 2))).Expect(http.StatusCreated); later.Header.Get("Idempotency-Replayed") != "" {
		t.Error("a key is kept for longer than 24 hours")
	}
}

// A request whose first one is still at work waits for it, and no longer than its time.
func TestTwinWaits(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	buyer, lamp := s.Register(), product(s.Admin(), "LAMP", nil)
	unlock := hold(t, s, "SELECT 1 FROM products FOR UPDATE")
	buyer.Header.Set("Idempotency-Key", "one")
	answers := make(chan *servertest.Answer, 2)
	for range 2 {
		go func() { answers <- buyer.POST("/api/v1/orders", lines(line(lamp, 1))) }()
	}
	first := <-answers // the twin gives up before the first one's own time is over
	if first.Expect(http.StatusConflict).Problem("request-in-progress"); first.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	unlock()
	(<-answers).Expect(http.StatusCreated)
	if n := column(t, s, "SELECT count(*)::text FROM orders"); n != "1" {
		t.Errorf("%s orders", n)
	}
}

func TestOrderSteps(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin, buyer := s.Admin(), s.Register()
	lamp := product(admin, "LAMP", map[string]any{"stock": 1000})
	all := []string{"pending", "paid", "shipped", "delivered", "cancelled"}
	ways := map[string][]string{ // how to get there
		"pending": nil, "paid": {"paid"}, "shipped": {"paid", "shipped"}, "delivered": {"paid", "shipped", "delivered"}, "cancelled": {"cancelled"},
	}
	allowed := map[string]string{"pending": "paid cancelled", "paid": "shipped cancelled", "shipped": "delivered", "delivered": "", "cancelled": ""}
	for _, from := range all {
		for _, to := range all {
			path := "/api/v1/admin/orders/" + order(buyer, line(lamp, 2)).ID.String() + "/status"
			for _, step := range ways[from] {
				admin.POST(path, map[string]any{"status": step}).Expect(http.StatusOK)
			}
			answer := admin.POST(path, map[string]any{"status": to})
			if slices.Contains(strings.Fields(allowed[from]), to) {
				var moved api.Order
				answer.Expect(http.StatusOK).Into(&moved)
				if string(moved.Status) != to {
					t.Errorf("%s to %s: %s", from, to, moved.Status)
				}
				continue
			}
			if p := answer.Expect(http.StatusConflict).Problem("wrong-order-status"); strings.ContainsAny(p.Detail, "[]") {
				t.Errorf("%s to %s: %s", from, to, p.Detail)
			}
		}
	}
	if want := column(t, s, "SELECT (1000 - sum(items))::text FROM orders WHERE status <> 'cancelled'"); stock(t, s, lamp) != want {
		t.Errorf("%s left, want %s", stock(t, s, lamp), want)
	}
	admin.POST("/api/v1/admin/orders/"+uuid.NewString()+"/status", map[string]any{"status": "paid"}).Expect(http.StatusNotFound)
	buyer.POST("/api/v1/admin/orders/"+uuid.NewString()+"/status", map[string]any{"status": "paid"}).Expect(http.StatusForbidden)
}

// What an order had taken is given back once, however often and at once it is cancelled.
func TestCancel(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin, buyer := s.Admin(), s.Register()
	lamp, book := product(admin, "LAMP", nil), product(admin, "BOOK", nil)
	path := "/api/v1/orders/" + order(buyer, line(lamp, 4), line(book, 3)).ID.String()
	s.Register().POST(path+"/cancel", nil).Expect(http.StatusNotFound)
	admin.POST(path+"/cancel", nil).Expect(http.StatusNotFound) // it is not an administrator's own
	if got := stock(t, s, lamp); got != "6" {
		t.Errorf("%s left", got)
	}
	statuses := count(atOnce(10, func(int) int { return buyer.POST(path+"/cancel", nil).Status }))
	if statuses[http.StatusOK] != 1 || statuses[http.StatusConflict] != 9 {
		t.Errorf("statuses %v", statuses)
	}
	if got := stock(t, s, lamp) + " " + stock(t, s, book); got != "10 10" {
		t.Errorf("%s left", got)
	}
	var shown api.Order
	buyer.GET(path).Expect(http.StatusOK).Into(&shown)
	if shown.Status != "cancelled" || shown.Items != 7 {
		t.Errorf("order %+v", shown)
	}
	// A product shows its stock at once, since an order makes it stale.
	var p api.Product
	buyer.GET("/api/v1/products/" + lamp.ID.String()).Into(&p)
	order(buyer, line(lamp, 1))
	buyer.GET("/api/v1/products/" + lamp.ID.String()).Into(&p)
	if p.Stock != 9 {
		t.Errorf("stock %d", p.Stock)
	}
}

// Orders and cancellations of the same products never answer with a deadlock.
func TestOrdersAndCancellationsAtOnce(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin, buyer := s.Admin(), s.Register()
	var all []api.Product
	for i := range 4 {
		all = append(all, product(admin, fmt.Sprint("P", i), map[string]any{"stock": 10000}))
	}
	atOnce(24, func(i int) int {
		first, second := all[i%4], all[(i+1)%4]
		placed := order(buyer, line(first, 1), line(second, 2))
		return buyer.POST("/api/v1/orders/"+placed.ID.String()+"/cancel", nil).Expect(http.StatusOK).Status
	})
	for _, p := range all {
		if got := stock(t, s, p); got != "10000" {
			t.Errorf("%s left", got)
		}
	}
}

func TestOrderLists(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin, buyer, other := s.Admin(), s.Register(), s.Register()
	lamp := product(admin, "LAMP", map[string]any{"stock": 1000})
	var mine []string
	for range 5 {
		mine = append([]string{order(buyer, line(lamp, 1)).ID.String()}, mine...)
	}
	theirs := order(other, line(lamp, 1)).ID.String()
	admin.POST("/api/v1/admin/orders/"+mine[1]+"/status", map[string]any{"status": "paid"}).Expect(http.StatusOK)

	ids := func(p *servertest.Person, path string) (found []string) {
		for path != "" {
			var page api.OrderPage
			answer := p.GET(path).Expect(http.StatusOK)
			answer.Into(&page)
			for _, o := range page.Items {
				found = append(found, o.ID.String())
			}
			path = answer.Link()
		}
		return found
	}
	for path, want := range map[string][]string{
		"/api/v1/orders?limit=2":          mine,
		"/api/v1/orders?status=paid":      mine[1:2],
		"/api/v1/orders?status=shipped":   nil,
		"/api/v1/orders?status=pending":   append(mine[:1:1], mine[2:]...),
		"/api/v1/orders?status=cancelled": nil,
	} {
		if got := ids(buyer, path); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	for path, want := range map[string][]string{
		"/api/v1/admin/users/" + buyer.User.ID.String() + "/orders?limit=2": mine,
		"/api/v1/admin/users/" + admin.User.ID.String() + "/orders":         nil,
		"/api/v1/admin/orders?limit=2":                                      append([]string{theirs}, mine...),
		"/api/v1/admin/orders?status=paid":                                  mine[1:2],
	} {
		if got := ids(admin, path); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	admin.GET("/api/v1/admin/users/" + uuid.NewString() + "/orders").Expect(http.StatusNotFound)
	var page api.AdminOrderPage
	admin.GET("/api/v1/admin/orders").Into(&page)
	if b := page.Items[0].Buyer; b.ID != other.User.ID || b.Username != other.User.Username || b.Email != other.User.Email {
		t.Errorf("buyer %+v", b)
	}
	buyer.GET("/api/v1/admin/orders").Expect(http.StatusForbidden)
	buyer.GET("/api/v1/admin/users/" + buyer.User.ID.String() + "/orders").Expect(http.StatusForbidden)
}

// A cursor of one's own orders opens no other list.
func TestOrderCursorsAreTheirList(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin := s.Admin()
	lamp := product(admin, "LAMP", nil)
	order(admin, line(lamp, 1))
	order(admin, line(lamp, 1))
	_, cursor, _ := strings.Cut(admin.GET("/api/v1/orders?limit=1").Link(), "cursor=")
	cursor, _, _ = strings.Cut(cursor, "&")
	if got := admin.GET("/api/v1/admin/orders?cursor=" + cursor).Fields(); !slices.Equal(got, []string{"cursor cursor"}) {
		t.Errorf("fields %v", got)
	}
	tampered := "A" + cursor[1:]
	if cursor[0] == 'A' {
		tampered = "B" + cursor[1:]
	}
	if got := admin.GET("/api/v1/orders?cursor=" + tampered).Fields(); !slices.Equal(got, []string{"cursor cursor"}) {
		t.Errorf("fields %v", got)
	}
}

// The list of accounts shows the latest orders of each where they are asked for.
func TestUsersWithOrders(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin, buyer := s.Admin(), s.Register()
	lamp := product(admin, "LAMP", nil)
	var placed []api.Order
	for range 4 {
		placed = append(placed, order(buyer, line(lamp, 1)))
	}
	var page api.AdminUserPage
	admin.GET("/api/v1/admin/users?include=orders").Expect(http.StatusOK).Into(&page)
	got := *page.Items[0].Orders
	if len(got) != 3 || got[0].ID != placed[3].ID || got[2].ID != placed[1].ID || got[0].Total != 1000 {
		t.Errorf("orders %+v", got)
	}
	if none := page.Items[1].Orders; none == nil || len(*none) != 0 {
		t.Errorf("the administrator has ordered %v", none)
	}
	var bare api.AdminUserPage
	admin.GET("/api/v1/admin/users").Expect(http.StatusOK).Into(&bare)
	if bare.Items[0].Orders != nil {
		t.Error("orders are there, and nobody asked")
	}
	if got := admin.GET("/api/v1/admin/users?include=passwords").Fields(); !slices.Equal(got, []string{"include[0] enum"}) {
		t.Errorf("fields %v", got)
	}
}
