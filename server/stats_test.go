package server_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/servertest"
)

// statsNoun is what the tests of all tables know of statistics.
var statsNoun = noun{
	readWhole: map[string]string{
		"StatsDays":  "reads 30 days, which may be all that there is; kept for a minute",
		"StatsCount": "counts whole tables; at most once a minute for each administrator, two at once",
	},
	servedBy: map[string][]string{"StatsDays": {"users_created_idx", "orders_created_idx"}},
}

func TestStats(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	admin, buyer := s.Admin(), s.Register()
	lamp := product(admin, "LAMP", nil)
	product(admin, "NONE", map[string]any{"stock": 0})
	placed := order(buyer, line(lamp, 3))
	order(buyer, line(lamp, 2))
	buyer.POST("/api/v1/orders/"+placed.ID.String()+"/cancel", nil).Expect(http.StatusOK)
	execute(t, s, "UPDATE users SET created_at = created_at - interval '29 days', is_active = false WHERE role = 'user'")

	var stats api.Stats
	s.Queries.Take()
	admin.GET("/api/v1/admin/stats").Expect(http.StatusOK).Into(&stats)
	if n := len(s.Queries.Take()); n > 3 { // the session, the counts, the days
		t.Errorf("%d queries", n)
	}
	if stats.Users != 2 || stats.ActiveUsers != 1 || stats.Sessions != 2 || stats.Products != 2 || stats.ProductsOutOfStock != 1 || stats.Orders != 2 || stats.OpenOrders != 1 || stats.Files != 0 {
		t.Errorf("counts %+v", stats)
	}
	first, last := stats.Days[0], stats.Days[29]
	today := s.Clock.Now().UTC()
	if got := last.Day.Format(time.DateOnly); got != today.Format(time.DateOnly) || last.Orders != 1 || last.Items != 2 || last.Users != 1 {
		t.Errorf("today: %s %+v", got, last)
	}
	if got := first.Day.Format(time.DateOnly); got != today.AddDate(0, 0, -29).Format(time.DateOnly) || first.Users != 1 || first.Orders != 0 {
		t.Errorf("the first day: %s %+v", got, first)
	}
	if got := admin.GET("/api/v1/admin/stats").Header.Get("Cache-Control"); got != "private, max-age=0, must-revalidate" {
		t.Errorf("Cache-Control %s", got)
	}
	buyer.GET("/api/v1/admin/stats").Expect(http.StatusForbidden)
}
