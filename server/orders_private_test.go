package server_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/accord-api/accord/servertest"
)

// Two people who send the same request with the same key get each their own answer,
// whenever they send it again.
func TestOneKeyOfTwoPeople(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	people, lamp := []*servertest.Person{s.Register(), s.Register()}, product(s.Admin(), "LAMP", nil)
	var first, again []string
	for _, answers := range []*[]string{&first, &again} {
		for _, p := range people {
			p.Header.Set("Idempotency-Key", "one")
			*answers = append(*answers, string(p.POST("/api/v1/orders", lines(line(lamp, 1))).Expect(http.StatusCreated).Body))
		}
	}
	if first[0] == first[1] || !slices.Equal(again, first) {
		t.Errorf("first %v, again %v", first, again)
	}
}
