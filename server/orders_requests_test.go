package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/accord-api/accord/servertest"
)

// What the key of a request came to is among what was decided, as is its SQL.
func TestDevelopmentShowsKeys(t *testing.T) {
	t.Parallel()
	s, user, admin := developing(t, servertest.Options{Start: true, Outbox: t.TempDir()})
	lamp := product(admin, "LAMP", nil)
	user.Header.Set("Idempotency-Key", "one")
	first := recordOf(s, user.POST("/api/v1/orders", lines(line(lamp, 1))).Expect(http.StatusCreated))
	decided(t, first, "body limit passed", "authentication passed: "+user.User.ID.String()+", with the role user", "rate limit by user passed: 299 of 300", "role passed: user",
		"content type passed", "validation passed", "idempotency passed: the first request", "audit passed: order.create", "timeout passed: answered within 10s")
	ran := map[string]string{}
	for _, q := range shownQuery.FindAllStringSubmatch(first, -1) {
		ran[q[1]] = q[2]
	}
	for name, rows := range map[string]string{"begin": "0", "OrderCreate": "1", "IdempotencyKeyTake": "1", "AuditEventCreate": "1", "commit": "0"} {
		if ran[name] != rows {
			t.Errorf("%s gave %q rows, want %s, among %v", name, ran[name], rows, ran)
		}
	}
	again := recordOf(s, user.POST("/api/v1/orders", lines(line(lamp, 1))).Expect(http.StatusCreated))
	if got := decisions(again); !slices.ContainsFunc(got, func(d string) bool { return strings.HasPrefix(d, "idempotency passed: the answer of the first") }) {
		t.Errorf("the replay: %v", got)
	}
	other := recordOf(s, user.POST("/api/v1/orders", lines(line(lamp, 2))).Expect(http.StatusUnprocessableEntity))
	if !strings.Contains(other, "idempotency-key-reused") {
		t.Errorf("another request under the key: %s", other)
	}
}

// Of an answer that is everybody's one sees whether it was kept.
func TestDevelopmentShowsPublicAnswers(t *testing.T) {
	t.Parallel()
	s, _, admin := developing(t, servertest.Options{})
	path := "/api/v1/products/" + product(admin, "LAMP", nil).ID.String()
	for _, want := range []string{"cache passed: miss", "cache passed: hit"} {
		decided(t, recordOf(s, s.Somebody().GET(path).Expect(http.StatusOK)), "body limit passed", "rate limit by ip passed", "authentication passed", "validation passed", want, "timeout passed")
	}
}
