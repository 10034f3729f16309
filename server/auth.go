package server

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/accord-api/accord/auth"
	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/jobs"
	"github.com/accord-api/accord/limit"
)

const (
	// refreshGrace is how long a used refresh token gives its successor again,
	// for a client that lost the answer.
	refreshGrace = 10 * time.Second

	// Why a session ended.
	endedByLogout      = "logout"
	endedByOwner       = "revoked"
	endedByPassword    = "password"
	endedByAdmin       = "deactivated"
	endedByDeletion    = "deleted"
	actionRefreshReuse = "auth.refresh-reuse"
)

// Login checks a password and begins a session.
func (s *Server) Login(ctx context.Context, r api.LoginRequestObject) (api.LoginResponseObject, error) {
	token, err := s.signIn(ctx, r.Body.Username, r.Body.Password)
	if errors.Is(err, errPasswordChanged) { // it may be the wrong one by now
		token, err = s.signIn(ctx, r.Body.Username, r.Body.Password)
	}
	if err != nil {
		return nil, err
	}

	answer, err := s.tokenAnswer(callFrom(ctx).who, token)
	return api.Login200JSONResponse{TokenJSONResponse: answer}, err
}

// signIn makes the call the first one of a new session, and gives its refresh
// token.
func (s *Server) signIn(ctx context.Context, login, password string) (string, error) {
	user, err := s.checkCredentials(ctx, login, password)
	if err != nil {
		return "", err
	}

	call := callFrom(ctx)
	token, hash := s.refresh.New()
	call.who = principal{UserID: user.ID, SessionID: newID(), Role: user.Role}
	auditSession(ctx, call.who.SessionID)
	err = s.inTx(ctx, func(ctx context.Context, w *write) error {
		if err := w.holdPassword(ctx, user); err != nil {
			return err
		}
		now := s.now()
		err := w.SessionCreate(ctx, db.SessionCreateParams{
			ID: call.who.SessionID, UserID: user.ID, TokenHash: hash, Now: now, ExpiresAt: now.Add(s.config.RefreshTokenTTL),
			IP: call.ip.String(), UserAgent: call.userAgent,
		})
		// bare-drops {
		if err == nil {
			err = w.notify(ctx, user.ID, newSignIn(call.userAgent))
		}
		// bare-drops }
		return err
	})
	if err != nil { // no session has begun
		call.who = principal{}
		auditDetail(ctx, "")
	}
	return token, err
}

// errPasswordChanged is for a password that was changed, or hashed anew, while
// it was being checked.
var errPasswordChanged = unavailable("The password was changed at the same moment.")

// holdPassword keeps the account that was checked as it is until the transaction
// ends. Checking takes long: without this, somebody who signs in again and again
// with a password that was found out could begin a session after the reset that
// was to end them all.
func (w *write) holdPassword(ctx context.Context, checked db.User) error {
	_, err := w.UserHold(ctx, checked.ID, checked.PasswordHash)
	if errors.Is(err, pgx.ErrNoRows) {
		return errPasswordChanged
	}
	return err
}

// checkCredentials gives the active account with this name or address and this
// password. Everything that can be wrong gives one answer, at one cost: unknown
// name, wrong password, inactive account.
func (s *Server) checkCredentials(ctx context.Context, login, password string) (db.User, error) {
	user, err := s.queries.UserGetByLogin(ctx, login)
	known := err == nil
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return user, err
	}
	if known {
		auditSubject(ctx, user.ID)
	}
	// What is typed counts, known or not, so that a refusal tells nothing of accounts.
	err = s.guess(ctx, typedName(login), func() (bool, error) {
		if !known {
			return false, s.hasher.VerifyUnknown(ctx, password)
		}
		return s.checkAccount(ctx, &user, password)
	})
	return user, err
}

// checkAccount says whether an account is active and has this password.
func (s *Server) checkAccount(ctx context.Context, user *db.User, password string) (bool, error) {
	err := s.guess(ctx, accountOf(user.ID), func() (bool, error) {
		ok, err := s.verifyPassword(ctx, user, password)
		return ok && user.IsActive, err
	})
	switch {
	case isProblem(err, api.ProblemTooManyRequests):
		// It was tried under its other name. To say so would tell that the two
		// belong together; to try all the same would give twice the guesses.
		return false, s.hasher.VerifyUnknown(ctx, password)
	case isProblem(err, api.ProblemInvalidCredentials):
		return false, nil
	}
	return err == nil, err
}

// typedName is what attempts to sign in count for, accountOf what every guess at
// an account's password counts for.
func typedName(login string) string { return "typed " + login }

func accountOf(user uuid.UUID) string { return "account " + user.String() }

// guess lets one password be tried for a name or an account, unless too many were
// wrong from the caller's network; then with growing waits.
func (s *Server) guess(ctx context.Context, of string, try func() (bool, error)) error {
	attempt, wait := s.failures.Begin(ctx, fromNetwork(ctx, of))
	if wait > 0 {
		return tooMany(wait, "Too many wrong passwords for this account from your network.")
	}
	defer attempt.Cancel(ctx) // after an error; else it has ended before
	ok, err := try()
	if err != nil {
		return err
	}
	if !ok {
		attempt.Fail(ctx)
		return invalidCredentials()
	}
	attempt.Succeed(ctx)
	return nil
}

func fromNetwork(ctx context.Context, of string) string {
	return strings.ToLower(of) + " " + limit.Network(callFrom(ctx).ip)
}

// forgetGuesses lets the owner of an account, who has proved it in another way,
// sign in from where too many passwords were wrong.
func (s *Server) forgetGuesses(ctx context.Context, user db.User) {
	for _, of := range []string{accountOf(user.ID), typedName(user.Username), typedName(user.Email)} {
		s.failures.Forget(ctx, fromNetwork(ctx, of))
	}
}

// verifyPassword checks a password, and stores its hash anew (in user, too) where
// the cost or the key has changed since.
func (s *Server) verifyPassword(ctx context.Context, user *db.User, password string) (bool, error) {
	ok, rehash, err := s.hasher.Verify(ctx, user.PasswordHash, password)
	if err != nil || !ok || !rehash {
		return ok, err
	}
	hash, err := s.hasher.Hash(ctx, password)
	if err != nil {
		return false, err
	}
	err = s.queries.UserRehash(ctx, db.UserRehashParams{ID: user.ID, OldHash: user.PasswordHash, PasswordHash: hash})
	user.PasswordHash = hash
	return true, err
}

func invalidCredentials() error {
	return problem(api.ProblemInvalidCredentials, "The user name or the password is wrong.").challenge()
}

// RefreshToken exchanges a refresh token for its successor.
func (s *Server) RefreshToken(ctx context.Context, r api.RefreshTokenRequestObject) (api.RefreshTokenResponseObject, error) {
	body := r.JSONBody
	if body == nil {
		body = r.FormdataBody
	}
	who, successor, err := s.rotate(ctx, body.RefreshToken)
	if err != nil {
		return nil, err
	}
	callFrom(ctx).who = who

	answer, err := s.tokenAnswer(who, successor)
	return api.RefreshToken200JSONResponse{TokenJSONResponse: answer}, err
}

// rotate uses a refresh token: it gives the session's user and the successor.
// A copy of a used token ends the session.
func (s *Server) rotate(ctx context.Context, token string) (principal, string, error) {
	call, now := callFrom(ctx), s.now()
	hash, err := s.refresh.Hash(token)
	if err != nil {
		return principal{}, "", invalidGrant().because(err)
	}
	_, successor, err := s.refresh.Child(token)
	if err != nil {
		return principal{}, "", invalidGrant().because(err)
	}
	row, err := s.queries.SessionRotate(ctx, db.SessionRotateParams{
		Hash: hash, Successor: successor,
		Now: now, GraceStart: now.Add(-refreshGrace), ExpiresAt: now.Add(s.config.RefreshTokenTTL),
		IP: call.ip.String(), UserAgent: call.userAgent,
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return principal{}, "", s.refuseRefresh(ctx, hash, now)
	}
	if err != nil {
		return principal{}, "", err
	}
	child, ok := s.refresh.Replay(token, row.Successor)
	if !ok { // made with a SECRET_KEY that is no longer known
		return principal{}, "", invalidGrant()
	}
	return principal{UserID: row.UserID, SessionID: row.SessionID, Role: row.Role}, child, nil
}

// refuseRefresh ends the session of a token that was used before, and gives the
// answer that is the same for every token that is not valid.
func (s *Server) refuseRefresh(ctx context.Context, hash []byte, now time.Time) error {
	err := s.inTx(ctx, func(ctx context.Context, w *write) error {
		reused, err := w.SessionRevokeReused(ctx, db.SessionRevokeReusedParams{
			Hash: hash, Now: now, GraceStart: now.Add(-refreshGrace),
		})
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		auditSubject(ctx, reused.UserID)
		auditDetail(ctx, "A used refresh token was sent again; the session "+reused.ID.String()+" is ended.")
		if err := w.audit(ctx, actionRefreshReuse, api.AuditOutcomeFailed); err != nil {
			return err
		}
		return w.sessionsChanged(ctx, reused.UserID)
	})
	if err != nil {
		return err
	}
	return invalidGrant()
}

func invalidGrant() *Problem {
	return problem(api.ProblemInvalidGrant, "The refresh token is not valid.")
}

// tokenAnswer issues an access token beside the refresh token.
func (s *Server) tokenAnswer(who principal, refreshToken string) (api.TokenJSONResponse, error) {
	scope := rolesOf(who.Role)
	access, expires, err := s.tokens.Issue(auth.Claims{User: who.UserID, Session: who.SessionID, Scope: scope})
	if err != nil {
		return api.TokenJSONResponse{}, err
	}
	return api.TokenJSONResponse{
		Headers: api.TokenResponseHeaders{CacheControl: noStore},
		Body: api.Token{
			AccessToken: access, RefreshToken: refreshToken, TokenType: api.TokenTokenTypeBearer,
			ExpiresIn: int32(seconds(expires.Sub(s.now()))), //nolint:gosec // the configuration allows half an hour at most
			Scope:     strings.Join(scope, " "),
		},
	}, nil
}

// Logout ends the session of the access token.
func (s *Server) Logout(ctx context.Context, _ api.LogoutRequestObject) (api.LogoutResponseObject, error) {
	return api.Logout204Response{}, orEnded(s.endSession(ctx, caller(ctx).SessionID, endedByLogout))
}

// LogoutAll ends all sessions of the caller.
func (s *Server) LogoutAll(ctx context.Context, _ api.LogoutAllRequestObject) (api.LogoutAllResponseObject, error) {
	return api.LogoutAll204Response{}, s.inTx(ctx, func(ctx context.Context, w *write) error {
		return w.endSessions(ctx, caller(ctx).UserID, endedByLogout, nil)
	})
}

// ListSessions lists where the caller is signed in.
func (s *Server) ListSessions(ctx context.Context, r api.ListSessionsRequestObject) (api.ListSessionsResponseObject, error) {
	page, err := s.page(ctx, r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	rows, err := s.queries.SessionList(ctx, db.SessionListParams{
		UserID: caller(ctx).UserID, Now: s.now(), Before: page.before, Max: page.max,
	})
	if err != nil {
		return nil, err
	}

	rows, next := cut(page, rows, func(row db.Session) uuid.UUID { return row.ID })
	return api.ListSessions200JSONResponse{
		Headers: api.ListSessions200ResponseHeaders{Link: nextLink(ctx, next)},
		Body:    api.SessionPage{Items: each(rows, sessionOf(caller(ctx).SessionID)), NextCursor: next},
	}, nil
}

// RevokeSession ends one of the caller's sessions.
func (s *Server) RevokeSession(ctx context.Context, r api.RevokeSessionRequestObject) (api.RevokeSessionResponseObject, error) {
	return api.RevokeSession204Response{}, s.endSession(ctx, r.SessionID, endedByOwner)
}

// endSession ends one session of the caller; another's is not found.
func (s *Server) endSession(ctx context.Context, id uuid.UUID, reason string) error {
	auditSession(ctx, id)
	return s.inTx(ctx, func(ctx context.Context, w *write) error {
		_, err := w.SessionRevoke(ctx, db.SessionRevokeParams{ID: id, UserID: caller(ctx).UserID, Now: s.now(), Reason: reason})
		if err != nil {
			return err
		}
		return w.sessionsChanged(ctx, caller(ctx).UserID)
	})
}

// endSessions ends all sessions of a user, but for one to keep where given.
func (w *write) endSessions(ctx context.Context, user uuid.UUID, reason string, keep *uuid.UUID) error {
	err := w.SessionRevokeAll(ctx, db.SessionRevokeAllParams{UserID: user, Now: w.server.now(), Reason: reason, Keep: keep})
	if err != nil {
		return err
	}
	return w.sessionsChanged(ctx, user)
}

// ForgotPassword enqueues the same job whether or not there is an account: only
// the job looks, so that neither answer nor time tells.
func (s *Server) ForgotPassword(ctx context.Context, r api.ForgotPasswordRequestObject) (api.ForgotPasswordResponseObject, error) {
	return api.ForgotPassword202Response{}, s.mailTo(ctx, r.Body.Email, jobs.MailReset)
}

// ResendVerification does the same with another mail.
func (s *Server) ResendVerification(ctx context.Context, r api.ResendVerificationRequestObject) (api.ResendVerificationResponseObject, error) {
	return api.ResendVerification202Response{}, s.mailTo(ctx, r.Body.Email, jobs.MailVerify)
}

func (s *Server) mailTo(ctx context.Context, email, template string) error {
	return s.inTx(ctx, func(ctx context.Context, w *write) error {
		return w.enqueue(ctx, jobs.Mail{Template: template, Email: strings.ToLower(email), AskedAt: s.now()})
	})
}

// ResetPassword sets a new password with the token of a mail.
func (s *Server) ResetPassword(ctx context.Context, r api.ResetPasswordRequestObject) (api.ResetPasswordResponseObject, error) {
	hash, err := s.hasher.Hash(ctx, r.Body.NewPassword)
	if err != nil {
		return nil, err
	}
	var user db.User
	err = s.inTx(ctx, func(ctx context.Context, w *write) error {
		id, err := w.useMailToken(ctx, r.Body.Token, jobs.PurposeReset)
		if err != nil {
			return err
		}
		if _, err := w.UserVerifyEmail(ctx, s.now(), id); err != nil {
			return err
		}
		if user, err = w.UserGet(ctx, id); err != nil {
			return err
		}
		return w.setPassword(ctx, id, hash, nil)
	})
	if err != nil {
		return nil, err
	}

	s.forgetGuesses(ctx, user)
	return api.ResetPassword204Response{}, nil
}

// VerifyEmail confirms the address of the account that the token was mailed to.
func (s *Server) VerifyEmail(ctx context.Context, r api.VerifyEmailRequestObject) (api.VerifyEmailResponseObject, error) {
	return api.VerifyEmail204Response{}, s.inTx(ctx, func(ctx context.Context, w *write) error {
		user, err := w.useMailToken(ctx, r.Body.Token, jobs.PurposeVerify)
		if err != nil {
			return err
		}
		_, err = w.UserVerifyEmail(ctx, s.now(), user)
		return err
	})
}

// useMailToken spends a token and gives whose it was.
func (w *write) useMailToken(ctx context.Context, token, purpose string) (uuid.UUID, error) {
	hash, err := auth.HashSecret(token)
	if err != nil {
		return uuid.Nil, invalidLink().because(err)
	}
	user, err := w.MailTokenUse(ctx, db.MailTokenUseParams{Hash: hash, Purpose: purpose, Now: w.server.now()})
	if errors.Is(err, pgx.ErrNoRows) {
		return user, invalidLink()
	}
	if err == nil {
		auditSubject(ctx, user)
	}
	return user, err
}

func invalidLink() *Problem {
	return problem(api.ProblemInvalidLink, "The link is unknown, used or expired.")
}

// setPassword stores a new password's hash, ends the user's sessions (but for
// one to keep), spends the links to set a password and tells the user, by mail too.
func (w *write) setPassword(ctx context.Context, user uuid.UUID, hash string, keep *uuid.UUID) error {
	if _, err := w.UserSetPassword(ctx, db.UserSetPasswordParams{ID: user, PasswordHash: hash, Now: w.server.now()}); err != nil {
		return err
	}
	// After the account itself: what makes a link holds it until the link is made.
	if err := w.MailTokenRevoke(ctx, user, jobs.PurposeReset); err != nil {
		return err
	}
	if err := w.endSessions(ctx, user, endedByPassword, keep); err != nil {
		return err
	}
	// bare-drops {
	if err := w.notify(ctx, user, newPassword); err != nil {
		return err
	}
	// bare-drops }
	return w.enqueue(ctx, jobs.Mail{Template: jobs.MailPasswordChanged, UserID: user})
}

// sessionOf shows sessions to a caller, who is in one of them.
func sessionOf(current uuid.UUID) func(db.Session) api.Session {
	return func(row db.Session) api.Session {
		return api.Session{
			ID: row.ID, Device: deviceOf(row.UserAgent), IP: row.IP, IsCurrent: row.ID == current,
			CreatedAt: row.CreatedAt.UTC(), LastUsedAt: row.LastUsedAt.UTC(), ExpiresAt: row.ExpiresAt.UTC(),
		}
	}
}

// GetJwks publishes the public keys of access tokens.
func (s *Server) GetJwks(context.Context, api.GetJwksRequestObject) (api.GetJwksResponseObject, error) {
	return api.GetJwks200JSONResponse(s.jwks), nil
}
