package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/gen/db"
)

const (
	// dashboardWait is how long each part may take: what is later is left out.
	dashboardWait = 2 * time.Second
	// dashboardItems is how many items each list shows.
	dashboardItems = 5
)

// GetDashboard reads the parts at the same time and answers with those that came.
func (s *Server) GetDashboard(ctx context.Context, _ api.GetDashboardRequestObject) (api.GetDashboardResponseObject, error) {
	id := caller(ctx).UserID
	user := beginPart(ctx, func(ctx context.Context) (*api.User, error) {
		row, err := s.queries.UserGet(ctx, id)
		shown := userOf(row)
		return &shown, err
	})
	orders := beginPart(ctx, func(ctx context.Context) ([]api.OrderSummary, error) {
		rows, err := s.queries.OrderList(ctx, db.OrderListParams{UserID: id, Before: uuid.Max, Max: dashboardItems})
		return each(rows, orderSummaryOf), err
	})
	notifications := beginPart(ctx, func(ctx context.Context) ([]api.Notification, error) {
		rows, err := s.queries.NotificationListUnread(ctx, db.NotificationListUnreadParams{UserID: id, Before: uuid.Max, Max: dashboardItems})
		return each(rows, notificationOf), err
	})

	shown := api.Dashboard{Errors: []api.DashboardError{}}
	shown.User = take(ctx, s, &shown, api.DashboardPartUser, user, nil)
	shown.Orders = take(ctx, s, &shown, api.DashboardPartOrders, orders, []api.OrderSummary{})
	shown.Notifications = take(ctx, s, &shown, api.DashboardPartNotifications, notifications, []api.Notification{})
	return api.GetDashboard200JSONResponse(shown), nil
}

// part is what became of one part.
type part[V any] struct {
	value V
	err   error
}

// beginPart reads a part beside others. It ends in time, and a panic of it is its
// own failure.
func beginPart[V any](ctx context.Context, read func(context.Context) (V, error)) <-chan part[V] {
	done := make(chan part[V], 1)
	go func() {
		ctx, cancel := context.WithTimeout(ctx, dashboardWait)
		defer cancel()
		defer func() {
			if r := recover(); r != nil {
				done <- part[V]{err: fmt.Errorf("panic: %v", r)}
			}
		}()
		value, err := read(ctx)
		done <- part[V]{value, err}
	}()
	return done
}

// take waits for a part. One that failed is logged and named in the answer.
func take[V any](ctx context.Context, s *Server, shown *api.Dashboard, name api.DashboardPart, done <-chan part[V], missing V) V {
	p := <-done
	if p.err == nil {
		return p.value
	}
	kind := problemOf(p.err).kind
	if !errors.Is(ctx.Err(), context.Canceled) { // or the client has gone, and nothing is wrong
		s.log.WarnContext(ctx, "a part of a dashboard is missing", "part", name, "problem", kind.Code, "error", p.err)
	}
	shown.Errors = append(shown.Errors, api.DashboardError{Part: name, Type: problemPath + kind.Code, Title: kind.Title})
	return missing
}
