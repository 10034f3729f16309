package server

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/pg/pgtest"
)

const (
	// interleavings is how many histories of one session are driven.
	interleavings = 10_000
	// crowd is how many sessions live at once: their histories are interleaved.
	crowd = 8
	// steps is how many uses a history has.
	steps = 6
)

// history is one session as its holder and a thief with copies live it, beside a
// model of what has to be.
type history struct {
	s       *Server
	clock   *time.Time
	session principal
	tokens  []string    // the line of successors, oldest first
	usedAt  []time.Time // when each of them was first used; zero for the last
	ended   bool        // by reuse or by sign-out
}

// TestRotationProperty drives concurrent and retried refreshes. At every moment
// one successor at most is live, a retry within the grace gives the very same
// one, and a session is ended if, and only if, a used token came back later.
func TestRotationProperty(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var workers sync.WaitGroup
	for worker := range crowd {
		workers.Go(func() { rotateMany(t, rand.New(rand.NewPCG(seed, uint64(worker))), interleavings/crowd) })
	}
	workers.Wait()
}

func rotateMany(t *testing.T, random *rand.Rand, n int) {
	t.Helper()
	s, clock := rotating(t)
	user := someUser(t, s)
	for range n {
		h := begin(t, s, clock, user)
		for range steps {
			h.step(t, random)
			if t.Failed() {
				return
			}
		}
	}
}

// rotating is a server on a database of its own with a clock that is set.
func rotating(t *testing.T) (*Server, *time.Time) {
	t.Helper()
	config, err := LoadConfig(map[string]string{
		"ENVIRONMENT": "test", "DATABASE_URL": pgtest.New(t), "BCRYPT_COST": "4", "DB_POOL_SIZE": "3", "DB_POOL_OVERFLOW": "0",
	})
	if err != nil {
		t.Error(err)
		return nil, nil
	}
	clock := time.Now().Truncate(time.Microsecond)
	s, err := New(t.Context(), config, Options{Now: func() time.Time { return clock }})
	if err != nil {
		t.Error(err)
		return nil, nil
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return s, &clock
}

func someUser(t *testing.T, s *Server) db.User {
	t.Helper()
	user, err := s.queries.UserCreate(t.Context(), db.UserCreateParams{
		ID: newID(), Email: "a@example.com", Username: "a", FullName: "a", PasswordHash: "x", Role: "user", Now: s.now(),
	})
	if err != nil {
		t.Error(err)
	}
	return user
}

func begin(t *testing.T, s *Server, clock *time.Time, user db.User) *history {
	t.Helper()
	token, hash := s.refresh.New()
	h := &history{s: s, clock: clock, session: principal{UserID: user.ID, SessionID: newID()}, tokens: []string{token}, usedAt: []time.Time{{}}}
	err := s.queries.SessionCreate(t.Context(), db.SessionCreateParams{
		ID: h.session.SessionID, UserID: user.ID, TokenHash: hash, Now: s.now(), ExpiresAt: s.now().Add(time.Hour),
	})
	if err != nil {
		t.Error(err)
	}
	return h
}

// step moves the clock, and lets one to three holders use tokens at once: mostly
// the newest, sometimes an older copy. Now and then the owner signs out.
func (h *history) step(t *testing.T, random *rand.Rand) {
	t.Helper()
	*h.clock = h.clock.Add([]time.Duration{0, time.Second, 9 * time.Second, 11 * time.Second}[random.IntN(4)])
	if random.IntN(25) == 0 {
		h.signOut(t)
		return
	}
	which := len(h.tokens) - 1
	if random.IntN(3) == 0 {
		which = random.IntN(len(h.tokens))
	}
	holders := 1 + random.IntN(3)
	answers, errs := make([]string, holders), make([]error, holders)
	var together sync.WaitGroup
	barrier := make(chan struct{})
	for i := range holders {
		together.Go(func() {
			<-barrier
			ctx := context.WithValue(context.Background(), callKey{}, &call{ip: netip.IPv6Loopback()})
			_, answers[i], errs[i] = h.s.rotate(ctx, h.tokens[which])
		})
	}
	close(barrier)
	together.Wait()
	h.check(t, which, answers, errs)
}

func (h *history) signOut(t *testing.T) {
	t.Helper()
	_, err := h.s.queries.SessionRevoke(t.Context(), db.SessionRevokeParams{
		ID: h.session.SessionID, UserID: h.session.UserID, Now: h.s.now(), Reason: endedByLogout,
	})
	if (err == nil) == h.ended {
		t.Errorf("signing out of a session that has ended is %t: %v", h.ended, err)
	}
	h.ended = true
}

// check holds what came out against the model, and the database against both.
func (h *history) check(t *testing.T, which int, answers []string, errs []error) {
	t.Helper()
	now := h.s.now()
	first := h.usedAt[which].IsZero()
	valid := !h.ended && (first || now.Sub(h.usedAt[which]) < refreshGrace)
	for i, err := range errs {
		if (err == nil) != valid {
			t.Errorf("token %d of %d, ended %t, used before %t: %v", which, len(h.tokens), h.ended, !first, err)
			return
		}
		if err == nil && answers[i] != answers[0] {
			t.Errorf("two successors of one token")
		}
	}
	switch {
	case valid && first:
		h.usedAt[which] = now
		h.tokens, h.usedAt = append(h.tokens, answers[0]), append(h.usedAt, time.Time{})
	case valid && answers[0] != h.tokens[which+1]:
		t.Errorf("a retry within the grace gave another successor")
	case !valid:
		h.ended = true // it was used before, or the session had ended already
	}
	h.checkRows(t)
}

func (h *history) checkRows(t *testing.T) {
	t.Helper()
	var live int
	var revoked bool
	var hashes [][]byte
	err := h.s.pool.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE t.used_at IS NULL), bool_or(s.revoked_at IS NOT NULL), array_agg(t.hash)
		FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id WHERE s.id = $1`, h.session.SessionID).Scan(&live, &revoked, &hashes)
	if err != nil || live != 1 || revoked != h.ended || len(hashes) != len(h.tokens) {
		t.Errorf("%d live tokens of %d (%d in the model), ended %t (%t in the model): %v", live, len(hashes), len(h.tokens), revoked, h.ended, err)
	}
	if slices.ContainsFunc(hashes, func(hash []byte) bool { return slices.Contains(h.tokens, string(hash)) }) {
		t.Error("a token is stored in clear")
	}
}
