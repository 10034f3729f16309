package server

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/gen/db"
)

// AdminListUsers lists all accounts.
func (s *Server) AdminListUsers(ctx context.Context, r api.AdminListUsersRequestObject) (api.AdminListUsersResponseObject, error) {
	page, err := s.page(ctx, r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	rows, err := s.queries.UserList(ctx, db.UserListParams{
		Before: page.before, Max: page.max,
		Role: (*string)(r.Params.Role), IsActive: r.Params.IsActive, Q: r.Params.Q,
	})
	if err != nil {
		return nil, err
	}

	rows, next := cut(page, rows, func(row db.User) uuid.UUID { return row.ID })
	items := each(rows, adminUserOf)
	// bare-drops {
	if slices.Contains(r.Params.Include, api.UserIncludeOrders) {
		err = s.addOrders(ctx, items)
	}
	// bare-drops }
	return api.AdminListUsers200JSONResponse{
		Headers: api.AdminListUsers200ResponseHeaders{Link: nextLink(ctx, next)},
		Body:    api.AdminUserPage{Items: items, NextCursor: next},
	}, err
}

// adminUserOf shows an account in a list.
func adminUserOf(u db.User) api.AdminUser {
	// bare-drops {
	shown := userOf(u)
	return api.AdminUser{
		ID: shown.ID, Email: shown.Email, Username: shown.Username, FullName: shown.FullName,
		Role: shown.Role, IsActive: shown.IsActive, EmailVerified: shown.EmailVerified, CreatedAt: shown.CreatedAt,
	}
	// bare-drops }
	// bare-has: return api.AdminUser(userOf(u))
}

// AdminGetUser shows any account.
func (s *Server) AdminGetUser(ctx context.Context, r api.AdminGetUserRequestObject) (api.AdminGetUserResponseObject, error) {
	user, err := s.queries.UserGet(ctx, r.UserID)
	return api.AdminGetUser200JSONResponse{UserJSONResponse: userAnswer(user)}, err
}

// AdminUpdateUser changes role and activity. Both hold at once, everywhere.
func (s *Server) AdminUpdateUser(ctx context.Context, r api.AdminUpdateUserRequestObject) (api.AdminUpdateUserResponseObject, error) {
	var user db.User
	auditSubject(ctx, r.UserID)
	auditDetail(ctx, changeOf(r.Body))
	err := s.inTx(ctx, func(ctx context.Context, w *write) (err error) {
		if removesAdmin(r.Body) {
			if err := w.keepAnAdmin(ctx, r.UserID); err != nil {
				return err
			}
		}
		user, err = w.UserUpdate(ctx, db.UserUpdateParams{
			ID: r.UserID, Now: s.now(), Role: (*string)(r.Body.Role), IsActive: r.Body.IsActive,
		})
		if err != nil {
			return err
		}
		if !user.IsActive {
			return w.endSessions(ctx, user.ID, endedByAdmin, nil)
		}
		return w.sessionsChanged(ctx, user.ID)
	})
	return api.AdminUpdateUser200JSONResponse{UserJSONResponse: userAnswer(user)}, err
}

// removesAdmin says whether an administrator would be none after the change.
func removesAdmin(change *api.AdminUserUpdate) bool {
	return (change.Role != nil && *change.Role != api.RoleAdmin) || (change.IsActive != nil && !*change.IsActive)
}

// changeOf says in words what is to change, for the audit trail.
func changeOf(change *api.AdminUserUpdate) string {
	var words []string
	if change.Role != nil {
		words = append(words, "role="+string(*change.Role))
	}
	if change.IsActive != nil {
		words = append(words, "is_active="+strconv.FormatBool(*change.IsActive))
	}
	return strings.Join(words, " ")
}

// keepAnAdmin refuses to take the last active administrator away. The lock that
// it takes makes two administrators that remove each other queue.
func (w *write) keepAnAdmin(ctx context.Context, leaving uuid.UUID) error {
	admins, err := w.AdminLock(ctx)
	if err != nil {
		return err
	}
	if slices.Equal(admins, []uuid.UUID{leaving}) {
		return problem(api.ProblemLastAdmin, "Make another active account an administrator first.")
	}
	return nil
}

// AdminListAuditEvents lists what happened.
func (s *Server) AdminListAuditEvents(ctx context.Context, r api.AdminListAuditEventsRequestObject) (api.AdminListAuditEventsResponseObject, error) {
	page, err := s.page(ctx, r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	rows, err := s.queries.AuditEventList(ctx, db.AuditEventListParams{
		Before: page.before, Max: page.max,
		Action: r.Params.Action, Outcome: (*string)(r.Params.Outcome), UserID: r.Params.UserID,
	})
	if err != nil {
		return nil, err
	}

	rows, next := cut(page, rows, func(row db.AuditEvent) uuid.UUID { return row.ID })
	return api.AdminListAuditEvents200JSONResponse{
		Headers: api.AdminListAuditEvents200ResponseHeaders{Link: nextLink(ctx, next)},
		Body:    api.AuditEventPage{Items: each(rows, auditEventOf), NextCursor: next},
	}, nil
}

// auditEventOf shows an audit event.
func auditEventOf(e db.AuditEvent) api.AuditEvent {
	return api.AuditEvent{
		ID: e.ID, CreatedAt: e.CreatedAt.UTC(), Action: e.Action, Outcome: api.AuditOutcome(e.Outcome),
		ActorID: e.ActorID, SubjectID: e.SubjectID, Detail: e.Detail, IP: e.IP, UserAgent: e.UserAgent, RequestID: e.RequestID,
	}
}
