package server_test

import (
	"net/http"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/redistest"
	"github.com/accord-api/accord/servertest"
)

// Instances share what they have loaded, and what one of them changes is stale
// for all.
func TestInstancesShareAnswers(t *testing.T) {
	t.Parallel()
	first, second := instances(t, patient(redistest.URL(t)))
	admin := first.Admin()
	path := "/api/v1/products/" + product(admin, "LAMP", nil).ID.String()
	price := func(s *servertest.Server) int64 {
		var p api.Product
		s.Somebody().GET(path).Expect(http.StatusOK).Into(&p)
		return p.Price
	}
	price(first)
	execute(t, first, "UPDATE products SET price = 1")
	first.Eventually("the other instance has what this one has loaded", func() bool { return price(second) == 1000 })
	admin.PATCH(path, map[string]any{"stock": 5}).Expect(http.StatusOK)
	if got := price(first); got != 1 {
		t.Errorf("price %d after the change", got)
	}
}

// Two databases on one Redis, with one key, never see each other's answers.
func TestDatabasesShareNoAnswers(t *testing.T) {
	t.Parallel()
	settings := map[string]string{"REDIS_URL": patient(redistest.URL(t)), "PUBLIC_URL": "http://api.example.com"}
	first := servertest.New(t, servertest.Options{Settings: settings})
	other := servertest.New(t, servertest.Options{Settings: settings, Now: first.Clock.Now})
	product(first.Admin(), "LAMP", nil)
	first.Somebody().GET("/api/v1/products").Expect(http.StatusOK)
	first.Eventually("the list is shared", func() bool { return len(entries(t, settings["REDIS_URL"])) == 1 })
	if got := skus(other.Somebody().GET("/api/v1/products")); len(got) != 0 {
		t.Errorf("the other database has %v", got)
	}
}

// entries are the keys of shared answers.
func entries(t *testing.T, url string) []string {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	defer func() { _ = client.Close() }()
	return client.Keys(t.Context(), "*:entry:*").Val()
}
