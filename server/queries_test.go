package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/accord-api/accord/servertest"
)

// seedFor fills the lists of one person with so many rows each.
func seedFor(t *testing.T, s *servertest.Server, p *servertest.Person, rows string) {
	t.Helper()
	for _, n := range nouns {
		if n.many == nil {
			continue
		}
		for _, sql := range n.many(p.User.ID.String(), rows) {
			execute(t, s, sql)
		}
	}
}

// Every list asks as many queries for a hundred rows as for one.
func TestListsAskAsManyQueriesForManyRows(t *testing.T) {
	t.Parallel()
	asked := map[string][]string{}
	for _, rows := range []string{"1", "100"} {
		s := servertest.New(t)
		admin := s.Admin()
		seedFor(t, s, admin, rows)
		for _, o := range document(t) {
			if o.Method != http.MethodGet || !slices.Contains(o.parameters(), "limit") {
				continue
			}
			path := strings.ReplaceAll(o.url(), unknownID, admin.User.ID.String()) + "?limit=100"
			if slices.Contains(o.parameters(), "include") {
				path += "&include=" + mapped(func(n noun) map[string]string { return n.filters })["include"]
			}
			admin.GET("/api/v1/users/me")
			s.Clock.Advance(2 * time.Second) // the session is asked for anew, once
			s.Queries.Take()
			answer := admin.GET(path)
			if answer.Status == http.StatusNotFound && strings.Contains(o.Path, "{") {
				continue // of something that is not there
			}
			answer.Expect(http.StatusOK)
			names := s.Queries.Take()
			if before, ok := asked[o.ID]; ok && !slices.Equal(before, names) {
				t.Errorf("%s asks %v for one row and %v for a hundred", o.ID, before, names)
			}
			asked[o.ID] = names
			if len(names) > 3 {
				t.Errorf("%s asks %v", o.ID, names)
			}
		}
	}
	if len(asked) < 7 { // bare-drops
		// bare-has: if len(asked) < 3 {
		t.Errorf("only %d lists: %v", len(asked), asked)
	}
	t.Log(asked)
}
