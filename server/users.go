package server

import (
	"context"

	"github.com/google/uuid"

	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/jobs"
)

// RegisterUser creates an account. Its mails are enqueued with it.
func (s *Server) RegisterUser(ctx context.Context, r api.RegisterUserRequestObject) (api.RegisterUserResponseObject, error) {
	hash, err := s.hasher.Hash(ctx, r.Body.Password)
	if err != nil {
		return nil, err
	}

	var user db.User
	err = s.inTx(ctx, func(ctx context.Context, w *write) (err error) {
		user, err = w.UserCreate(ctx, db.UserCreateParams{
			ID: newID(), Now: s.now(), Role: string(api.RoleUser), PasswordHash: hash,
			Email: r.Body.Email, Username: r.Body.Username, FullName: r.Body.FullName,
		})
		if err != nil {
			return err
		}
		auditSubject(ctx, user.ID)
		if err := w.enqueue(ctx, jobs.Mail{Template: jobs.MailWelcome, UserID: user.ID}); err != nil {
			return err
		}
		return w.enqueue(ctx, jobs.NotifyAdmins{UserID: user.ID})
	})
	if err != nil {
		return nil, err
	}

	return api.RegisterUser201JSONResponse{
		Headers: api.RegisterUser201ResponseHeaders{Location: "/api/v1/users/" + user.ID.String()},
		Body:    userOf(user),
	}, nil
}

// GetMe shows the caller's account.
func (s *Server) GetMe(ctx context.Context, _ api.GetMeRequestObject) (api.GetMeResponseObject, error) {
	user, err := s.queries.UserGet(ctx, caller(ctx).UserID)
	return api.GetMe200JSONResponse{UserJSONResponse: userAnswer(user)}, orEnded(err)
}

// UpdateMe changes what a person may change of the own account.
func (s *Server) UpdateMe(ctx context.Context, r api.UpdateMeRequestObject) (api.UpdateMeResponseObject, error) {
	var user db.User
	err := s.inTx(ctx, func(ctx context.Context, w *write) (err error) {
		user, err = w.UserUpdate(ctx, db.UserUpdateParams{
			ID: caller(ctx).UserID, Now: s.now(), Username: r.Body.Username, FullName: r.Body.FullName,
		})
		return err
	})
	return api.UpdateMe200JSONResponse{UserJSONResponse: userAnswer(user)}, orEnded(err)
}

// DeleteMe anonymises the caller's account, and deletes what else is the caller's own.
func (s *Server) DeleteMe(ctx context.Context, r api.DeleteMeRequestObject) (api.DeleteMeResponseObject, error) {
	user, err := s.confirmPassword(ctx, "password", r.Body.Password)
	if err != nil {
		return nil, err
	}
	return api.DeleteMe204Response{}, s.inTx(ctx, func(ctx context.Context, w *write) error {
		if err := w.keepAnAdmin(ctx, user.ID); err != nil {
			return err
		}
		if err := w.holdPassword(ctx, user); err != nil {
			return err
		}
		// bare-drops {
		if err := w.deleteFilesOf(ctx, user.ID); err != nil {
			return err
		}
		// bare-drops }
		if err := w.UserForget(ctx, user.ID); err != nil {
			return err
		}
		if err := w.UserAnonymise(ctx, db.UserAnonymiseParams{ID: user.ID, Now: s.now(), Pseudonym: uuid.NewString()}); err != nil {
			return err
		}
		if err := s.jobs.ForgetAddress(ctx, w.tx, user.Email); err != nil {
			return err
		}
		return w.endSessions(ctx, user.ID, endedByDeletion, nil)
	})
}

// ChangePassword sets a new password and keeps only this session.
func (s *Server) ChangePassword(ctx context.Context, r api.ChangePasswordRequestObject) (api.ChangePasswordResponseObject, error) {
	user, err := s.confirmPassword(ctx, "current_password", r.Body.CurrentPassword)
	if err != nil {
		return nil, err
	}
	hash, err := s.hasher.Hash(ctx, r.Body.NewPassword)
	if err != nil {
		return nil, err
	}
	session := caller(ctx).SessionID
	return api.ChangePassword204Response{}, s.inTx(ctx, func(ctx context.Context, w *write) error {
		if err := w.holdPassword(ctx, user); err != nil {
			return err
		}
		return w.setPassword(ctx, user.ID, hash, &session)
	})
}

// confirmPassword gives the caller's account if the password is right. A wrong
// one counts like a failed sign-in: a stolen token must not help to guess it.
func (s *Server) confirmPassword(ctx context.Context, field, password string) (db.User, error) {
	user, err := s.queries.UserGet(ctx, caller(ctx).UserID)
	if err != nil {
		return user, orEnded(err)
	}
	err = s.guess(ctx, accountOf(user.ID), func() (bool, error) { return s.verifyPassword(ctx, &user, password) })
	if isProblem(err, api.ProblemInvalidCredentials) {
		return user, fieldProblem(field, "password", "is not your password")
	}
	return user, err
}

// GetUser shows one account to its owner or an administrator.
func (s *Server) GetUser(ctx context.Context, r api.GetUserRequestObject) (api.GetUserResponseObject, error) {
	who := caller(ctx)
	user, err := s.queries.UserGetVisible(ctx, db.UserGetVisibleParams{
		ID: r.UserID, ViewerID: who.UserID, SeesAll: who.Role == string(api.RoleAdmin),
	})
	return api.GetUser200JSONResponse{UserJSONResponse: userAnswer(user)}, err
}

// userOf shows an account.
func userOf(u db.User) api.User {
	return api.User{
		ID: u.ID, Email: u.Email, Username: u.Username, FullName: u.FullName,
		Role: api.Role(u.Role), IsActive: u.IsActive, EmailVerified: u.EmailVerifiedAt != nil, CreatedAt: u.CreatedAt.UTC(),
	}
}

// userAnswer is an account as the answer that several operations share.
func userAnswer(u db.User) api.UserJSONResponse { return api.UserJSONResponse(userOf(u)) }
