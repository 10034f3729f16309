package server_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/servertest"
)

// productsNoun is what the tests of all tables know of products.
var productsNoun = noun{
	seeded: []string{`INSERT INTO products (id, sku, name, description, price, currency, stock, created_at, updated_at)
		SELECT gen_random_uuid(), 'sku-' || n, 'name' || n, 'word' || n % 5000, n, 'EUR', 5, now(), now() FROM generate_series(1, 20000) n`},
	worn: []string{"ALTER TABLE products DISABLE TRIGGER USER", "UPDATE products SET retired_at = now() WHERE price % 10 <> 0", "ANALYZE products"},
	newer: []string{`INSERT INTO products (id, sku, name, description, price, currency, stock, created_at, updated_at)
		VALUES (@id, 'sku-' || @n::int, 'x', 'x', 1, 'EUR', 1, now(), now())`},
	many: func(_, rows string) []string {
		return []string{`INSERT INTO products (id, sku, name, description, price, currency, stock, created_at, updated_at)
			SELECT gen_random_uuid(), 'sku-' || n, 'name', 'word', n, 'EUR', 5, now(), now() FROM generate_series(1, ` + rows + `) n`}
	},
	filters:   map[string]string{"min_price": "1", "max_price": "5", "currency": "EUR", "in_stock": "true", "sort": "price_desc"},
	mayBeNull: map[string]string{"products.retired_at": "on sale"},
	outOfRange: map[string][]string{"products": {
		"sku = repeat('x', 65)", "name = repeat('x', 201)", "description = repeat('x', 5001)", "price = -1", "price = 1000000001",
		"currency = 'eur'", "currency = 'EURO'", "stock = -1", "stock = 1000000001",
	}},
	twice: []string{"UPDATE products SET sku = CASE sku WHEN 'sku-1' THEN sku ELSE 'SKU-1' END"},
	readWhole: map[string]string{
		"ProductListNewest":   "currency and stock are filters; the number of products, 16 at once, kept for five minutes",
		"ProductListCheapest": "as ProductListNewest",
		"ProductListDearest":  "as ProductListNewest",
	},
	sortsFew: map[string]string{"ProductSearch": "the newest 10,000 that have the words"},
	servedBy: map[string][]string{
		"ProductListNewest":   {"products_newest_idx"},
		"ProductListCheapest": {"products_price_idx"},
		"ProductListDearest":  {"products_price_idx"},
	},
}

// product offers one for a test, with changes to what does for most.
func product(admin *servertest.Person, sku string, changes map[string]any) api.Product {
	admin.T.Helper()
	body := map[string]any{"sku": sku, "name": "Product " + sku, "description": "", "price": 1000, "currency": "EUR", "stock": 10}
	maps.Copy(body, changes)
	var made api.Product
	admin.POST("/api/v1/products", body).Expect(http.StatusCreated).Into(&made)
	return made
}

// skus of a page of products, in its order.
func skus(a *servertest.Answer) []string {
	var page api.ProductPage
	a.Expect(http.StatusOK).Into(&page)
	found := []string{}
	for _, p := range page.Items {
		found = append(found, p.Sku)
	}
	return found
}

func TestProductLife(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin, anybody := s.Admin(), s.Somebody()

	created := admin.POST("/api/v1/products", map[string]any{
		"sku": "LAMP-1", "name": "Lamp", "description": "It shines.", "price": 4999, "currency": "EUR", "stock": 3,
	}).Expect(http.StatusCreated)
	path := created.Header.Get("Location")
	shown := anybody.GET(path).Expect(http.StatusOK)
	if shown.Header.Get("ETag") != created.Header.Get("ETag") || string(shown.Body) != string(created.Body) {
		t.Errorf("everybody sees %s, created was %s", shown.Body, created.Body)
	}

	admin.PATCH(path, map[string]any{"price": 5999}).Expect(http.StatusOK)
	var after api.Product
	anybody.GET(path).Expect(http.StatusOK).Into(&after)
	if after.Price != 5999 || after.Name != "Lamp" || after.Stock != 3 {
		t.Errorf("after the change: %+v", after)
	}

	admin.DELETE(path, nil).Expect(http.StatusNoContent)
	anybody.GET(path).Expect(http.StatusNotFound).Problem("not-found")
	admin.PATCH(path, map[string]any{"price": 1}).Expect(http.StatusNotFound)
	admin.DELETE(path, nil).Expect(http.StatusNotFound)
	if got := skus(anybody.GET("/api/v1/products")); len(got) != 0 {
		t.Errorf("a retired product is listed: %v", got)
	}
	admin.POST("/api/v1/products", map[string]any{
		"sku": "lamp-1", "name": "Lamp", "description": "", "price": 1, "currency": "EUR", "stock": 3,
	}).Expect(http.StatusConflict).Problem("sku-taken")
}

func TestProductsAreChangedByAdministratorsOnly(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	path := "/api/v1/products/" + product(s.Admin(), "A", nil).ID.String()
	user := s.Register()
	user.POST("/api/v1/products", map[string]any{"sku": "B", "name": "B", "description": "", "price": 1, "currency": "EUR", "stock": 1}).Expect(http.StatusForbidden)
	user.PATCH(path, map[string]any{"price": 1}).Expect(http.StatusForbidden)
	user.DELETE(path, nil).Expect(http.StatusForbidden)
	s.Somebody().DELETE(path, nil).Expect(http.StatusUnauthorized)
}

// An administrator changes what was read, or nothing (RFC 9110, section 13.1.1).
func TestIfMatch(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin := s.Admin()
	path := "/api/v1/products/" + product(admin, "A", nil).ID.String()
	// tag is the ETag of a version: it begins with the number.
	rest, _ := strings.CutPrefix(admin.GET(path).Header.Get("ETag"), `"1`)
	tag := func(version string) string { return `"` + version + rest }
	change := func(ifMatch string, price int) *servertest.Answer {
		admin.Header["If-Match"] = strings.Split(ifMatch, "\n")
		defer admin.Header.Del("If-Match")
		return admin.PATCH(path, map[string]any{"price": price})
	}
	change(tag("1"), 1).Expect(http.StatusOK) // makes version 2
	for _, other := range []string{
		tag("1"), "W/" + tag("2"), `"of-another-kind"`, `"2"`, tag("02"), tag("+2"), `"x,` + tag("2")[1:], `"x,2"`, `"2-of-another-contract"`, `""`,
	} {
		change(other, 2).Expect(http.StatusPreconditionFailed).Problem("precondition-failed")
	}
	if got := change(tag("1")+", "+tag("2"), 3).Expect(http.StatusOK).Header.Get("ETag"); got != tag("3") {
		t.Errorf("ETag %s", got)
	}
	change(tag("2")+"\n"+tag("3"), 3).Expect(http.StatusOK) // a list may stand on several lines
	change("*", 4).Expect(http.StatusOK)
	for _, malformed := range []string{"3", "*\n*", `"a" "b"`, "W/*"} {
		if got := change(malformed, 5).Fields(); !slices.Equal(got, []string{"If-Match pattern"}) {
			t.Errorf("%s: %v", malformed, got)
		}
	}

	admin.Header.Set("If-Match", tag("1"))
	admin.DELETE(path, nil).Expect(http.StatusPreconditionFailed)
	admin.Header.Set("If-Match", tag("5"))
	admin.DELETE(path, nil).Expect(http.StatusNoContent)
	admin.DELETE(path, nil).Expect(http.StatusNotFound) // gone, whatever the version
}

// Of two who change the same version at once, one does.
func TestIfMatchAtOnce(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin := s.Admin()
	path := "/api/v1/products/" + product(admin, "A", nil).ID.String()
	admin.Header.Set("If-Match", admin.GET(path).Header.Get("ETag"))
	statuses := atOnce(8, func(i int) int { return admin.PATCH(path, map[string]any{"price": i + 1}).Status })
	slices.Sort(statuses)
	if statuses[0] != http.StatusOK || statuses[1] != http.StatusPreconditionFailed {
		t.Errorf("statuses %v", statuses)
	}
}

func TestProductSearch(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin, anybody := s.Admin(), s.Somebody()
	product(admin, "RUN-1", map[string]any{"name": "Running shoes", "description": "For running -- fast; light.", "price": 9900})
	product(admin, "HIKE-1", map[string]any{"name": "Hiking boot", "description": "A union of leather and wool.", "price": 15900, "stock": 0})
	product(admin, "BOOK-1", map[string]any{"name": "The Who", "description": "A book about a band.", "price": 2500, "currency": "USD"})
	product(admin, "LAMP-1", map[string]any{"name": "Lampe für draußen", "description": "<script>alert(1)</script>", "price": 4900})
	for query, want := range map[string]string{
		"q=shoe":                              "RUN-1", // the stem
		"q=RUNNING":                           "RUN-1",
		"q=ran OR boots":                      "HIKE-1",
		"q=the who":                           "BOOK-1", // English search leaves such words out
		"q=HIKE-1":                            "HIKE-1",
		"q=run-1 light":                       "RUN-1",
		`q="running fast"`:                    "RUN-1",
		`q="fast running"`:                    "",
		"q=running -fast":                     "",
		"q=draußen":                           "LAMP-1",
		"q=nothing of the kind":               "",
		"q=book&currency=USD":                 "BOOK-1",
		"q=book&currency=EUR":                 "",
		"q=wool&in_stock=true":                "",
		"q=wool&in_stock=false":               "HIKE-1",
		"min_price=9900":                      "HIKE-1 RUN-1",
		"max_price=4900":                      "LAMP-1 BOOK-1",
		"min_price=2500&max_price=2500":       "BOOK-1",
		"min_price=5&max_price=4":             "",
		"in_stock=false":                      "HIKE-1",
		"currency=USD":                        "BOOK-1",
		"":                                    "LAMP-1 BOOK-1 HIKE-1 RUN-1",
		"sort=price_asc":                      "BOOK-1 LAMP-1 RUN-1 HIKE-1",
		"sort=price_desc":                     "HIKE-1 RUN-1 LAMP-1 BOOK-1",
		"q=shoe OR boot&sort=price_desc":      "HIKE-1 RUN-1",
		"q=shoe OR boot&sort=price_asc":       "RUN-1 HIKE-1",
		"sort=price_asc&min_price=4900":       "LAMP-1 RUN-1 HIKE-1",
		"sort=price_desc&in_stock=true":       "RUN-1 LAMP-1 BOOK-1",
		"sort=price_desc&max_price=9900":      "RUN-1 LAMP-1 BOOK-1",
		"sort=price_asc&currency=EUR&limit=1": "LAMP-1",
		// What looks like SQL or markup is a word like any other.
		"q=union":                             "HIKE-1",
		"q=--":                                "",
		"q=;":                                 "",
		"q='":                                 "",
		"q=' OR 1=1 --":                       "",
		"q=union select * from users":         "",
		"q='; DROP TABLE products; --":        "",
		"q=<script>":                          "",
		`q=\`:                                 "",
		"q=%":                                 "",
		"q=running & | ! ( ) : * shoes":       "RUN-1",
		"q=" + strings.Repeat("-", 100):       "",
		"q=" + strings.Repeat("🦉", 100):       "",
		"q=running:*":                         "RUN-1",
		"q=shoes <-> running":                 "RUN-1",
		"q=running) OR (1=1":                  "RUN-1",
		"q=price_asc; select pg_sleep(1)":     "",
		"q=\u00a0shoe\u00a0":                  "RUN-1",
		"q=running or or shoes":               "RUN-1",
		"q=-shoe -boot -book&sort=newest":     "", // nothing to look for
		"q=shoe or -boot":                     "",
		"q=" + strings.Repeat("running ", 12): "RUN-1",
		`q="running`:                          "RUN-1",
	} {
		escaped := url.Values{}
		for pair := range strings.SplitSeq(query, "&") {
			if name, value, ok := strings.Cut(pair, "="); ok {
				escaped.Set(name, value)
			}
		}
		answer := anybody.GET("/api/v1/products?" + escaped.Encode())
		if answer.Status != http.StatusOK {
			t.Errorf("%q is answered with %d", query, answer.Status)
		} else if got := strings.Join(skus(answer), " "); got != want {
			t.Errorf("%q gives %q, want %q", query, got, want)
		}
	}
	for query, want := range map[string]string{
		"q=":                               "q min_length",
		"q=" + strings.Repeat("a", 101):    "q max_length",
		"sort=cheapest":                    "sort enum",
		"min_price=-1":                     "min_price minimum",
		"max_price=1000000001":             "max_price maximum",
		"currency=eur":                     "currency pattern",
		"in_stock=maybe":                   "in_stock type",
		"limit=101":                        "limit maximum",
		"cursor=abc":                       "cursor cursor",
		"q=" + url.QueryEscape("a\x00b"):   "q pattern",
		"q=a&q=b":                          "q repeated",
		"q=" + url.QueryEscape("a\x1bb"):   "q pattern",
		"limit=0&sort=up&currency=EURO":    "currency max_length currency pattern sort enum limit minimum",
		"limit=1&cursor=" + "A=":           "cursor pattern",
		"min_price=12.5":                   "min_price type",
		"max_price=99999999999999999999":   "max_price maximum",
		"cursor=" + strings.Repeat("A", 9): "cursor cursor",
	} {
		if got := strings.Join(anybody.GET("/api/v1/products?"+query).Fields(), " "); got != want {
			t.Errorf("%q is refused with %q, want %q", query, got, want)
		}
	}
}

// A search means each of its words, those that English is full of too: what is
// left out is not shown, and what stands in quotes stands together.
func TestProductSearchMeansEachWord(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin, anybody := s.Admin(), s.Somebody()
	product(admin, "BLANKET", map[string]any{"name": "Zorble blanket", "description": "Warm."})
	product(admin, "OF", map[string]any{"name": "The Zorble Of"})
	product(admin, "HAMLET", map[string]any{"name": "Zorble", "description": "To be or not to be."})
	product(admin, "LAMP", map[string]any{"name": "Zorble lamps", "description": "They shine."})
	retired := product(admin, "OLD", map[string]any{"name": "Zorble of old"})
	admin.DELETE("/api/v1/products/"+retired.ID.String(), nil).Expect(http.StatusNoContent)
	renamed := product(admin, "NEW", map[string]any{"name": "Zorble of new"})
	admin.PATCH("/api/v1/products/"+renamed.ID.String(), map[string]any{"name": "Something else"}).Expect(http.StatusOK)
	for query, want := range map[string]string{
		"zorble":                      "LAMP HAMLET OF BLANKET",
		"zorble -blankets":            "LAMP HAMLET OF",
		"zorble -the":                 "LAMP HAMLET BLANKET",
		`zorble "to be or not"`:       "HAMLET",
		`zorble -"to be"`:             "LAMP OF BLANKET",
		"the zorble of":               "OF",
		"the":                         "OF",
		"ZORBLES the or lamp":         "LAMP OF",
		"zorble -lamp -blanket -they": "HAMLET OF",
		"else":                        "NEW",
	} {
		if got := strings.Join(skus(anybody.GET("/api/v1/products?q="+url.QueryEscape(query))), " "); got != want {
			t.Errorf("%q gives %q, want %q", query, got, want)
		}
	}
}

// A semicolon in a query is a character like any other (RFC 3986, section 3.4).
func TestSemicolonsInTheQuery(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin, anybody := s.Admin(), s.Somebody()
	for _, sku := range []string{"LAMP-1", "LAMP-2"} {
		product(admin, sku, map[string]any{"name": "Lamp"})
	}
	for query, want := range map[string]string{
		"q=;": "", "q=lamp;&limit=1": "LAMP-2", "utm=a;b&limit=1": "LAMP-2", ";": "LAMP-2 LAMP-1", "q=lamp;limit=1": "", "limit=1&utm;=;": "LAMP-2",
	} {
		if got := strings.Join(skus(anybody.GET("/api/v1/products?"+query)), " "); got != want {
			t.Errorf("%q gives %q, want %q", query, got, want)
		}
	}
	if got := anybody.GET("/api/v1/products?limit=1;currency=EUR").Fields(); !slices.Equal(got, []string{"limit type"}) {
		t.Errorf("a semicolon ends a parameter: %v", got)
	}
	if got := skus(anybody.GET(anybody.GET("/api/v1/products?q=lamp;&limit=1").Link())); !slices.Equal(got, []string{"LAMP-1"}) {
		t.Errorf("the next page has %v", got)
	}
}

// No text of the length that is taken makes the search fail.
func TestSearchTakesAnyText(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	conn, err := pgx.Connect(t.Context(), s.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	rapid.Check(t, func(r *rapid.T) {
		q := rapid.StringOfN(rapid.RuneFrom([]rune(`--""  aor|&!():*<>'\é🦉.1`)), 1, 100, -1).Draw(r, "q")
		if _, err := conn.Exec(t.Context(), "SELECT product_query($1)", q); err != nil {
			r.Fatalf("%q: %v", q, err)
		}
	})
}

// Every order of the list is walked whole, with products of one price, while
// others are offered in between; a cursor of one order is none of another.
func TestProductPages(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin, anybody := s.Admin(), s.Somebody()
	prices, newest := map[string]int64{}, []string{}
	for i := range 11 {
		sku := fmt.Sprintf("P-%02d", i)
		prices[sku] = product(admin, sku, map[string]any{"name": "Thing", "price": 100 * (i % 3)}).Price
		newest = append([]string{sku}, newest...)
	}
	ascending, descending := slices.Clone(newest), slices.Clone(newest)
	slices.Sort(ascending)
	slices.SortStableFunc(ascending, func(a, b string) int { return int(prices[a] - prices[b]) })
	slices.SortStableFunc(descending, func(a, b string) int { return int(prices[b] - prices[a]) })

	extra := 0
	for query, want := range map[string][]string{
		"sort=newest": newest, "sort=price_asc": ascending, "sort=price_desc": descending,
		"q=thing&sort=newest": newest, "q=thing&sort=price_asc": ascending, "q=thing&sort=price_desc": descending,
	} {
		got := []string{}
		for path := "/api/v1/products?limit=3&" + query; path != ""; {
			answer := anybody.GET(path)
			got = append(got, skus(answer)...)
			product(admin, fmt.Sprintf("EXTRA-%03d", extra), map[string]any{"name": "Thing"})
			extra++
			path = answer.Link()
		}
		got = slices.DeleteFunc(got, func(sku string) bool { return strings.HasPrefix(sku, "EXTRA") })
		if !slices.Equal(got, want) {
			t.Errorf("%s walks %v, want %v", query, got, want)
		}
	}

	link, err := url.Parse(anybody.GET("/api/v1/products?sort=price_asc&limit=3").Link())
	if err != nil {
		t.Fatal(err)
	}
	cursor := link.Query().Get("cursor")
	for _, other := range []string{"sort=newest&", "sort=price_desc&", ""} {
		if got := anybody.GET("/api/v1/products?" + other + "cursor=" + cursor).Fields(); !slices.Equal(got, []string{"cursor cursor"}) {
			t.Errorf("%s takes the cursor of another order: %v", other, got)
		}
	}
	// Somebody else's parameters are not in the link: the page may be kept for all.
	if got := anybody.GET("/api/v1/products?limit=3&tracking=me").Link(); strings.Contains(got, "tracking") || !strings.Contains(got, "limit=3") {
		t.Errorf("Link %s", got)
	}
}

// Answers are kept: what is changed behind the server's back is not seen until
// the time is over, and what is changed through it is seen at once.
func TestProductsAreKept(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin, anybody := s.Admin(), s.Somebody()
	one, other := product(admin, "A", nil), product(admin, "B", nil)
	path, list := "/api/v1/products/"+one.ID.String(), "/api/v1/products?sort=price_asc"
	name := func() string {
		var p api.Product
		anybody.GET(path).Expect(http.StatusOK).Into(&p)
		return p.Name
	}
	first, pages := name(), skus(anybody.GET(list))
	anybody.GET("/api/v1/products/" + other.ID.String()).Expect(http.StatusOK)
	execute(t, s, "UPDATE products SET name = 'Behind', sku = sku || '-behind'")

	if got := name(); got != first {
		t.Errorf("the product is not kept: %s", got)
	}
	if got := skus(anybody.GET(list)); !slices.Equal(got, pages) {
		t.Errorf("the list is not kept: %v", got)
	}
	// Undeclared parameters, other spellings and the defaults make no entry of their own.
	for _, same := range []string{list + "&utm=1", list + "&limit=20", "/api/v1/products?limit=20&sort=price_asc&_=" + first[:1], list + "&min_price=0"} {
		if got := skus(anybody.GET(same)); !slices.Equal(got, pages) {
			t.Errorf("%s is kept apart: %v", same, got)
		}
	}

	admin.PATCH("/api/v1/products/"+other.ID.String(), map[string]any{"price": 1}).Expect(http.StatusOK)
	if got := name(); got != first {
		t.Errorf("a change of another product made this one stale: %s", got)
	}
	if got := skus(anybody.GET(list)); slices.Equal(got, pages) {
		t.Error("a change of a product did not make the lists stale")
	}
	admin.PATCH(path, map[string]any{"stock": 7}).Expect(http.StatusOK)
	if got := name(); got != "Behind" {
		t.Errorf("a change of the product did not make it stale: %s", got)
	}

	execute(t, s, "UPDATE products SET name = 'Later'")
	s.Clock.Advance(5*time.Minute + time.Second)
	if got := name(); got != "Later" {
		t.Errorf("it is kept for longer than the time: %s", got)
	}
}

func TestConditionalGet(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin, anybody := s.Admin(), s.Somebody()
	one := product(admin, "A", nil)
	for _, path := range []string{"/api/v1/products/" + one.ID.String(), "/api/v1/products"} {
		anybody.Header.Del("If-None-Match")
		answer := anybody.GET(path).Expect(http.StatusOK)
		tag := answer.Header.Get("ETag")
		if got := answer.Header.Get("Cache-Control"); got != "public, max-age=0, must-revalidate" {
			t.Errorf("%s: Cache-Control %s", path, got)
		}
		for _, match := range []string{tag, "W/" + tag, `"other", ` + tag, "*", "\"other\"\n" + tag, `"a,b",,` + tag + "\t,"} {
			anybody.Header["If-None-Match"] = strings.Split(match, "\n")
			again := anybody.GET(path).Expect(http.StatusNotModified)
			if again.Header.Get("ETag") != tag || again.Header.Get("Content-Type") != "" {
				t.Errorf("%s: %v", path, again.Header)
			}
		}
		for _, match := range []string{`"other"`, `"a,*,b"`, "W/*", `"a,` + tag[1:], strings.Trim(tag, `"`), `"a" ` + tag} {
			anybody.Header.Set("If-None-Match", match)
			anybody.GET(path).Expect(http.StatusOK)
		}
		admin.PATCH("/api/v1/products/"+one.ID.String(), map[string]any{"price": len(path)}).Expect(http.StatusOK)
		anybody.Header.Set("If-None-Match", tag)
		if got := anybody.GET(path).Expect(http.StatusOK).Header.Get("ETag"); got == tag {
			t.Errorf("%s: the tag of a changed answer is the same", path)
		}
	}
	admin.GET("/api/v1/users/me") // private answers are not kept anywhere
	if got := admin.GET("/api/v1/users/me").Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control of a private answer: %s", got)
	}
}

// A change made on one instance is seen on the other within a second.
func TestChangesReachOtherInstances(t *testing.T) {
	t.Parallel()
	one := servertest.New(t, servertest.Options{Start: true})
	two := servertest.New(t, servertest.Options{Start: true, DatabaseURL: one.DatabaseURL})
	admin, anybody := one.Admin(), two.Somebody()
	path := "/api/v1/products/" + product(admin, "A", nil).ID.String()
	price := func() int64 {
		var p api.Product
		anybody.GET(path).Expect(http.StatusOK).Into(&p)
		return p.Price
	}
	for i := range int64(5) {
		price()
		admin.PATCH(path, map[string]any{"price": i}).Expect(http.StatusOK)
		began := time.Now()
		two.Eventually("the change is seen", func() bool { return price() == i })
		if took := time.Since(began); took > time.Second {
			t.Errorf("it took %s", took)
		}
	}
}

// A search that lacks its index is noticed.
func TestSearchNeedsItsIndex(t *testing.T) {
	t.Parallel()
	conn, search := planned(t), queriesOf(t)["ProductSearch"]
	execOn(t, conn, "SET plan_cache_mode = force_generic_plan")
	if found := faultsOf(plan(t, conn, "ProductSearch", search)); len(found) > 0 {
		t.Error(found)
	}
	execOn(t, conn, "DROP INDEX product_searches_words_idx")
	if found := faultsOf(plan(t, conn, "ProductSearch without", search)); len(found) == 0 {
		t.Error("ProductSearch lacks its index, and nobody notices")
	}
}

// What says the default is the same list, and its cursor opens it.
func TestDefaultsAreTheSameList(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin := s.Admin()
	for _, sku := range []string{"A", "B", "C", "D"} {
		product(admin, sku, nil)
	}
	_, cursor := pageOf(admin.GET("/api/v1/products?limit=2"))
	if got := skus(admin.GET("/api/v1/products?sort=newest&min_price=0&cursor=" + cursor)); !slices.Equal(got, []string{"B", "A"}) {
		t.Errorf("the rest is %v", got)
	}
}
