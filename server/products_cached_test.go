package server_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/servertest"
)

// However many searches are on their way, what is kept is answered.
func TestKeptAnswersPassTheGate(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	product(s.Admin(), "A", nil)
	anybody := s.Somebody()
	anybody.GET("/api/v1/products").Expect(http.StatusOK)
	conn, err := pgx.Connect(t.Context(), s.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	execOn(t, conn, "BEGIN; LOCK TABLE product_searches")

	const places = 16
	searches := make(chan int, places)
	for i := range places {
		one := s.Somebody()
		go func() { searches <- one.GET(fmt.Sprint("/api/v1/products?q=word", i)).Status }()
	}
	s.Eventually("all places are taken", func() bool {
		return textsOf(t, conn, "SELECT count(*)::text FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")[0] == fmt.Sprint(places)
	})
	anybody.GET("/api/v1/products").Expect(http.StatusOK)
	anybody.GET("/api/v1/products?limit=1").Expect(http.StatusServiceUnavailable).Problem("unavailable")

	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range places {
		if status := <-searches; status != http.StatusOK {
			t.Errorf("a search is answered with %d", status)
		}
	}
}
