package server

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/labstack/echo/v4"
	"github.com/maypok86/otter/v2"

	"github.com/accord-api/accord/auth"
	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/gen/db"
)

const (
	// sessionMemory is how long a live session is believed to be live without
	// asking the database: the longest time that a sign-out, a deactivation or a
	// new role can take to hold on every instance, whatever else fails.
	sessionMemory = time.Second
	// rememberedSessions bounds the memory that this takes.
	rememberedSessions = 100_000
	// sessionsChannel is where the query SessionsChanged notifies.
	sessionsChannel = "accord_sessions"
)

// sessions answers whether a session is live, and whose it is.
type sessions struct {
	queries *db.Queries
	now     func() time.Time
	known   *otter.Cache[uuid.UUID, liveSession]
	// forgotten counts forget: what was read before one must not be remembered
	// after it.
	forgotten atomic.Int64
}

type liveSession struct {
	who     principal
	readAt  time.Time
	expires time.Time
}

func newSessions(queries *db.Queries, now func() time.Time) *sessions {
	return &sessions{
		queries: queries,
		now:     now,
		known:   otter.Must(&otter.Options[uuid.UUID, liveSession]{MaximumSize: rememberedSessions}),
	}
}

// get gives the caller of a live session; pgx.ErrNoRows when it is not live.
func (s *sessions) get(ctx context.Context, id uuid.UUID) (principal, error) {
	now := s.now()
	if live, ok := s.known.GetIfPresent(id); ok && now.Sub(live.readAt) < sessionMemory && now.Before(live.expires) {
		return live.who, nil
	}
	forgotten := s.forgotten.Load()
	row, err := s.queries.SessionGet(ctx, id)
	if err == nil && !now.Before(row.ExpiresAt) {
		err = pgx.ErrNoRows
	}
	if err != nil {
		s.known.Invalidate(id)
		return principal{}, err
	}
	who := principal{UserID: row.UserID, SessionID: id, Role: row.Role}
	if s.forgotten.Load() == forgotten {
		s.known.Set(id, liveSession{who: who, readAt: now, expires: row.ExpiresAt})
	}
	return who, nil
}

// forget drops what is remembered of a user's sessions.
func (s *sessions) forget(user uuid.UUID) {
	s.forgotten.Add(1)
	for id, live := range s.known.All() {
		if live.who.UserID == user {
			s.known.Invalidate(id)
		}
	}
}

// forgetAll drops everything, after a time in which changes may have been missed.
func (s *sessions) forgetAll() {
	s.forgotten.Add(1)
	s.known.InvalidateAll()
}

// authenticate gives who signed the request's access token in. Every failure
// is the problem `unauthenticated`, but for those of the database.
func (s *Server) authenticate(r *http.Request) (principal, error) {
	scheme, token, ok := strings.Cut(r.Header.Get(echo.HeaderAuthorization), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return principal{}, unauthenticated("", "Send an access token in the Authorization header.")
	}
	claims, err := s.tokens.Verify(strings.TrimSpace(token))
	if errors.Is(err, auth.ErrTokenExpired) {
		return principal{}, unauthenticated("invalid_token", "The access token has expired.")
	}
	if err != nil {
		return principal{}, unauthenticated("invalid_token", "The access token is not valid.")
	}
	who, err := s.sessions.get(r.Context(), claims.Session)
	if err == nil && who.UserID != claims.User {
		err = pgx.ErrNoRows
	}
	return who, orEnded(err)
}

// orEnded is for rows that a live session has: its own, and its user's. They may
// be missed as long as an instance remembers a session that ended elsewhere.
func orEnded(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return unauthenticated("invalid_token", "The session has ended.")
	}
	return err
}

// unauthenticated is a 401; code is RFC 6750's, "" where nothing was sent.
func unauthenticated(code, detail string) error {
	p := problem(api.ProblemUnauthenticated, "%s", detail)
	p.challenge = bearerChallenge()
	if code != "" {
		p.challenge = bearerChallenge(`error="`+code+`"`, `error_description="`+detail+`"`)
	}
	return p
}
