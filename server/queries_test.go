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
	id := p.User.ID.String()
	for _, sql := range []string{
		`INSERT INTO users (id, email, username, full_name, password_hash, role, created_at, updated_at)
			SELECT gen_random_uuid(), 's' || n || '@example.com', 'seller' || n, 'S', 'x', 'user', now(), now() FROM generate_series(2, ` + rows + `) n`,
		`INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at, ip, user_agent)
			SELECT gen_random_uuid(), '` + id + `', now(), now(), now() + interval '7 days', '', '' FROM generate_series(2, ` + rows + `)`,
		`INSERT INTO products (id, sku, name, description, price, currency, stock, created_at, updated_at)
			SELECT gen_random_uuid(), 'sku-' || n, 'name', 'word', n, 'EUR', 5, now(), now() FROM generate_series(1, ` + rows + `) n`,
		`INSERT INTO orders (id, user_id, status, currency, total, items, created_at, updated_at)
			SELECT gen_random_uuid(), '` + id + `', 'paid', 'EUR', 1, 1, now(), now() FROM generate_series(1, ` + rows + `)`,
		`INSERT INTO files (id, user_id, name, content_type, size, sha256, storage_key, created_at)
			SELECT gen_random_uuid(), '` + id + `', 'name', '', 1, sha256(''), 'uploads/' || n, now() FROM generate_series(1, ` + rows + `) n`,
	} {
		execute(t, s, sql)
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
				path += "&include=orders"
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
	if len(asked) < 7 {
		t.Errorf("only %d lists: %v", len(asked), asked)
	}
	t.Log(asked)
}
