package server

import (
	"context"
	"time"

	"github.com/oapi-codegen/runtime/types"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/gen/db"
)

// statsDays is how many days the statistics show, today included.
const statsDays = 30

// AdminGetStats counts everything, and what came in on the last days.
func (s *Server) AdminGetStats(ctx context.Context, _ api.AdminGetStatsRequestObject) (api.AdminGetStatsResponseObject, error) {
	now := s.now().UTC()
	counts, err := s.queries.StatsCount(ctx, now)
	if err != nil {
		return nil, err
	}
	today := now.Truncate(24 * time.Hour)
	days, err := s.queries.StatsDays(ctx, today.AddDate(0, 0, 1-statsDays), today)
	return api.AdminGetStats200JSONResponse{
		Users: counts.Users, ActiveUsers: counts.ActiveUsers, Sessions: counts.Sessions,
		Products: counts.Products, ProductsOutOfStock: counts.ProductsOutOfStock, // bare-drops
		Orders: counts.Orders, OpenOrders: counts.OpenOrders, Files: counts.Files, // bare-drops
		Days: each(days, func(d db.StatsDaysRow) api.StatsDay {
			return api.StatsDay{Day: types.Date{Time: d.Day.UTC()}, Users: d.Users, Orders: d.Orders, Items: d.Items} // bare-drops
			// bare-has: return api.StatsDay{Day: types.Date{Time: d.Day.UTC()}, Users: d.Users}
		}),
	}, err
}
