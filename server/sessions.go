package server

import (
	"context"
	"encoding/binary"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/labstack/echo/v4"

	"github.com/accord-api/accord/auth"
	"github.com/accord-api/accord/gen/api"
	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/memory"
)

const (
	// sessionMemory is how long a session is believed to be live, or not to be,
	// without asking the database: the longest time that a sign-out, a deactivation
	// or a new role can take to hold on every instance, whatever else fails.
	sessionMemory = time.Second
	// rememberedSessions and changePlaces bound the memory that this takes.
	rememberedSessions = 100_000
	changePlaces       = 1 << 14
	// sessionsChannel is where the query SessionsChanged notifies.
	sessionsChannel = "accord_sessions"
)

// sessions answers whether a session is live, and whose it is.
type sessions struct {
	queries *db.Queries
	now     func() time.Time
	known   memory.Store[uuid.UUID, any] // a *knownSession each
	changes changes

	hits, misses atomic.Int64 // for metrics
}

// knownSession is what was read of a session.
type knownSession struct {
	who     principal
	live    bool
	readAt  time.Time
	expires time.Time
	// asOf is how many changes there had been when it was read.
	asOf int64
}

func newSessions(queries *db.Queries, now func() time.Time) *sessions {
	return &sessions{
		queries: queries,
		now:     now,
		known:   memory.ByID(rememberedSessions),
	}
}

// get gives the caller of a live session; pgx.ErrNoRows when it is not live.
func (s *sessions) get(ctx context.Context, id uuid.UUID) (principal, error) {
	now, asOf := s.now(), s.changes.count.Load()
	known, ok := s.remembered(id)
	if !ok || now.Sub(known.readAt) >= sessionMemory || s.changes.since(known.who.UserID, known.asOf) {
		s.misses.Add(1)
		row, err := s.queries.SessionGet(ctx, id)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return principal{}, err
		}
		known = &knownSession{readAt: now, asOf: asOf, live: err == nil, expires: row.ExpiresAt}
		known.who = principal{UserID: row.UserID, SessionID: id, Role: row.Role}
		s.remember(id, known)
	} else {
		s.hits.Add(1)
	}
	if !known.live || !now.Before(known.expires) {
		return principal{}, pgx.ErrNoRows
	}
	return known.who, nil
}

// ended says whether a session was not live when it was last read, however long
// ago that was.
func (s *sessions) ended(id uuid.UUID) bool {
	known, ok := s.remembered(id)
	return ok && !known.live
}

// remember and remembered alone know of which type the values are.
func (s *sessions) remember(id uuid.UUID, session *knownSession) { s.known.Set(id, session) }

func (s *sessions) remembered(id uuid.UUID) (*knownSession, bool) {
	known, _ := s.known.GetIfPresent(id)
	session, ok := known.(*knownSession)
	return session, ok
}

// forget makes a user's sessions be read anew.
func (s *sessions) forget(user uuid.UUID) { s.changes.add(user) }

// forgetAll makes all be read anew, after a time in which changes may have been
// missed.
func (s *sessions) forgetAll() { s.changes.addAll() }

// changes numbers the changes of users' sessions, so that what was read can be
// told to be older than one without being looked for. Users share a place where
// their ids end alike: then one is asked for anew though another has changed.
type changes struct {
	count  atomic.Int64
	latest [changePlaces]atomic.Int64
	all    atomic.Int64 // the latest that may concern everybody
}

func (c *changes) place(user uuid.UUID) *atomic.Int64 {
	return &c.latest[binary.BigEndian.Uint16(user[14:])%changePlaces] // these bits are random
}

func (c *changes) add(user uuid.UUID) { raise(c.place(user), c.count.Add(1)) }

func (c *changes) addAll() { raise(&c.all, c.count.Add(1)) }

// since says whether a user's sessions may have changed after so many changes.
func (c *changes) since(user uuid.UUID, asOf int64) bool {
	return max(c.place(user).Load(), c.all.Load()) > asOf
}

// raise stores a number unless there is a higher one.
func raise(at *atomic.Int64, number int64) {
	for {
		if had := at.Load(); had >= number || at.CompareAndSwap(had, number) {
			return
		}
	}
}

// claims reads the request's access token. Its failures are the problem
// `unauthenticated`.
func (s *Server) claims(r *http.Request) (auth.Claims, error) {
	scheme, token, ok := strings.Cut(r.Header.Get(echo.HeaderAuthorization), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return auth.Claims{}, unauthenticated("", "Send an access token in the Authorization header.")
	}
	claims, err := s.tokens.Verify(strings.TrimSpace(token))
	if errors.Is(err, auth.ErrTokenExpired) {
		return claims, unauthenticated("invalid_token", "The access token has expired.")
	}
	if err != nil {
		return claims, unauthenticated("invalid_token", "The access token is not valid.")
	}
	return claims, nil
}

// authenticate gives whose session a token is of. Every failure is the problem
// `unauthenticated`, but for those of the database.
func (s *Server) authenticate(ctx context.Context, claims auth.Claims) (principal, error) {
	who, err := s.sessions.get(ctx, claims.Session)
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
	if code == "" {
		return p.challenge()
	}
	return p.challenge(`error="`+code+`"`, `error_description="`+detail+`"`)
}
