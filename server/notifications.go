package server

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/gen/db"
)

// notification is something that a user is told.
type notification struct {
	kind  api.NotificationKind
	title string // at most 200 characters
	link  string // the path of this API that it is about; "" for none
}

// notify tells a user something once the transaction is committed. The user's
// next notification waits for that, so it belongs near the end of a transaction.
// What cannot call this runs the query NotificationCreate itself.
func (w *write) notify(ctx context.Context, user uuid.UUID, n notification) error {
	return w.NotificationCreate(ctx, db.NotificationCreateParams{
		ID: newID(), UserID: user, Now: w.server.now(), Kind: string(n.kind), Title: n.title, Link: n.link,
	})
}

// newSignIn tells of a sign-in that may be somebody else's.
func newSignIn(userAgent string) notification {
	return notification{
		kind: api.NotificationKindSecurityNewSignIn, title: "New sign-in from " + deviceOf(userAgent), link: "/api/v1/auth/sessions",
	}
}

// newPassword tells of a change that may be somebody else's.
var newPassword = notification{
	kind: api.NotificationKindSecurityPasswordChanged, title: "Your password was changed", link: "/api/v1/users/me",
}

// ListNotifications lists what the caller was told.
func (s *Server) ListNotifications(ctx context.Context, r api.ListNotificationsRequestObject) (api.ListNotificationsResponseObject, error) {
	page, err := s.page(ctx, r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	wanted := db.NotificationListParams{UserID: caller(ctx).UserID, Before: page.before, Max: page.max}
	var rows []db.Notification
	if *r.Params.Unread {
		rows, err = s.queries.NotificationListUnread(ctx, db.NotificationListUnreadParams(wanted))
	} else {
		rows, err = s.queries.NotificationList(ctx, wanted)
	}
	if err != nil {
		return nil, err
	}

	rows, next := cut(page, rows, func(row db.Notification) uuid.UUID { return row.ID })
	return api.ListNotifications200JSONResponse{
		Headers: api.ListNotifications200ResponseHeaders{Link: nextLink(ctx, next)},
		Body:    api.NotificationPage{Items: each(rows, notificationOf), NextCursor: next},
	}, nil
}

// CountUnreadNotifications counts what the caller has not read.
func (s *Server) CountUnreadNotifications(ctx context.Context, _ api.CountUnreadNotificationsRequestObject) (api.CountUnreadNotificationsResponseObject, error) {
	count, err := s.queries.NotificationCountUnread(ctx, caller(ctx).UserID)
	return api.CountUnreadNotifications200JSONResponse{Count: count}, err
}

// ReadAllNotifications marks all as read that the caller has.
func (s *Server) ReadAllNotifications(ctx context.Context, _ api.ReadAllNotificationsRequestObject) (api.ReadAllNotificationsResponseObject, error) {
	var count int64
	err := s.inTx(ctx, func(ctx context.Context, w *write) (err error) {
		count, err = w.NotificationReadAll(ctx, s.now(), caller(ctx).UserID)
		return err
	})
	return api.ReadAllNotifications200JSONResponse{Count: count}, err
}

// StreamNotifications sends the caller's notifications as they arise, or all that
// are newer than the last one that the client has.
func (s *Server) StreamNotifications(ctx context.Context, r api.StreamNotificationsRequestObject) (api.StreamNotificationsResponseObject, error) {
	call := callFrom(ctx)
	return writtenNotifications(func(w http.ResponseWriter) error {
		if call.request.Method == http.MethodHead {
			beginEvents(w)
			return nil
		}
		stream, err := s.hub.open(ctx, call.who.UserID, r.Params.LastEventID)
		if err != nil {
			return err
		}
		defer stream.close()
		return stream.serve(ctx, w)
	}), nil
}

// writtenNotifications is an answer that a function writes.
type writtenNotifications func(w http.ResponseWriter) error

// VisitStreamNotificationsResponse writes the answer.
func (write writtenNotifications) VisitStreamNotificationsResponse(w http.ResponseWriter) error {
	return write(w)
}

// ReadNotification marks one of the caller's notifications as read.
func (s *Server) ReadNotification(ctx context.Context, r api.ReadNotificationRequestObject) (api.ReadNotificationResponseObject, error) {
	var row db.Notification
	err := s.inTx(ctx, func(ctx context.Context, w *write) (err error) {
		row, err = w.NotificationRead(ctx, db.NotificationReadParams{ID: r.NotificationID, UserID: caller(ctx).UserID, Now: s.now()})
		return err
	})
	return api.ReadNotification200JSONResponse(notificationOf(row)), err
}

// notificationOf shows a notification.
func notificationOf(row db.Notification) api.Notification {
	n := api.Notification{
		ID: row.ID, Number: row.Number, Kind: api.NotificationKind(row.Kind),
		Title: row.Title, Link: row.Link, CreatedAt: row.CreatedAt.UTC(),
	}
	if row.ReadAt != nil {
		at := row.ReadAt.UTC()
		n.ReadAt = &at
	}
	return n
}
