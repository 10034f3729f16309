package server

import (
	"testing"
	"time"

	"github.com/google/uuid"
)

// crowded remembers n sessions, each of another user.
func crowded(b *testing.B, n int) (*sessions, []principal) {
	b.Helper()
	now := time.Now()
	s := newSessions(nil, func() time.Time { return now })
	people := make([]principal, n)
	for i := range people {
		people[i] = principal{UserID: uuid.New(), SessionID: uuid.New()}
		s.remember(people[i].SessionID, &knownSession{who: people[i], live: true, readAt: now, expires: now.Add(time.Hour)})
	}
	return s, people
}

// A sign-out, on this instance or another, makes a user's sessions forgotten.
func BenchmarkSessionsForget(b *testing.B) {
	s, people := crowded(b, rememberedSessions)
	for i := 0; b.Loop(); i++ {
		s.forget(people[i%len(people)].UserID)
	}
}

// What each request with a token asks.
func BenchmarkSessionsRemembered(b *testing.B) {
	s, people := crowded(b, 100)
	s.forget(uuid.New()) // so that not everything is as it was
	ctx := b.Context()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.get(ctx, people[1].SessionID); err != nil {
				b.Fatal(err)
			}
		}
	})
}
