package server_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/servertest"
)

func TestDashboard(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin, buyer := s.Admin(), s.Register()
	lamp := product(admin, "LAMP", map[string]any{"stock": 1000})
	var placed []api.Order
	for range 6 {
		placed = append(placed, order(buyer, line(lamp, 1)))
	}
	buyer.POST("/api/v1/notifications/read-all", nil).Expect(http.StatusOK)
	order(buyer, line(lamp, 1))

	var shown api.Dashboard
	buyer.GET("/api/v1/dashboard").Expect(http.StatusOK).Into(&shown)
	if shown.User == nil || shown.User.ID != buyer.User.ID || len(shown.Errors) != 0 {
		t.Errorf("%+v", shown)
	}
	if len(shown.Orders) != 5 || shown.Orders[1].ID != placed[5].ID {
		t.Errorf("orders %+v", shown.Orders)
	}
	if len(shown.Notifications) != 1 || shown.Notifications[0].Kind != "order.placed" {
		t.Errorf("notifications %+v", shown.Notifications)
	}
}

// The parts that come are shown, whatever becomes of the others; all of them
// wait at the same time.
func TestDashboardWithoutAPart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sql  string
		want []string
	}{
		"late":   {"LOCK TABLE notifications, orders IN ACCESS EXCLUSIVE MODE", []string{"orders /problems/timeout", "notifications /problems/timeout"}},
		"nobody": {"LOCK TABLE users IN ACCESS EXCLUSIVE MODE", []string{"user /problems/timeout"}},
		"gone":   {"", []string{"notifications /problems/internal"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := servertest.New(t)
			user := s.Register()
			user.GET("/api/v1/users/me").Expect(http.StatusOK) // so that the session is known
			if c.sql == "" {
				execute(t, s, "DROP TABLE notifications")
			} else {
				defer hold(t, s, c.sql)()
			}
			began := time.Now()
			var shown api.Dashboard
			answer := user.GET("/api/v1/dashboard").Expect(http.StatusOK)
			answer.Into(&shown)
			if took := time.Since(began); took > 4*time.Second {
				t.Errorf("it took %s: the parts wait one after the other", took)
			}
			got := []string{}
			for _, e := range shown.Errors {
				got = append(got, string(e.Part)+" "+e.Type)
			}
			if missing := name == "nobody"; (shown.User == nil) != missing || !slices.Equal(got, c.want) || shown.Orders == nil || shown.Notifications == nil {
				t.Errorf("%s", answer.Body)
			}
		})
	}
}
