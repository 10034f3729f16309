package jobs_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/accord-api/accord/auth"
	"github.com/accord-api/accord/gen/db"
	"github.com/accord-api/accord/jobs"
)

// The sweep of the start deletes what has expired, and nothing else.
func TestSweep(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	user := b.user("ada", "user", "")
	alive, dead := b.session(user, time.Hour), b.session(user, -time.Second)
	b.mailToken(user, jobs.PurposeVerify, time.Hour)
	b.mailToken(user, jobs.PurposeReset, -time.Second)
	_, used := auth.NewSecret() // a token of a session that lives on
	b.exec("INSERT INTO refresh_tokens (hash, session_id, created_at, expires_at) VALUES ($1, $2, $3, $3)", used, alive, b.now.Add(-time.Second))

	b.start(b.jobs)
	b.becomes("sweep", "completed 1")
	for sql, want := range map[string]string{
		"SELECT string_agg(id::text, ' ') FROM sessions":               alive.String(),
		"SELECT string_agg(session_id::text, ' ') FROM refresh_tokens": alive.String(),
		"SELECT string_agg(purpose, ' ') FROM mail_tokens":             jobs.PurposeVerify,
		"SELECT string_agg(username, ' ') FROM users":                  "ada",
	} {
		if got := b.text(sql); got != want {
			t.Errorf("%s: %s, want %s (%s has expired)", sql, got, want, dead)
		}
	}
}

// Two instances that start at once sweep once.
func TestSweepOnceAnHour(t *testing.T) {
	t.Parallel()
	b := setUp(t)
	b.start(b.jobs)
	b.becomes("sweep", "completed 1")
	b.enqueue(jobs.Sweep{}, jobs.Sweep{})
	if states := b.states("sweep"); states != "completed 1" {
		t.Errorf("the sweeps are %s", states)
	}
}

func (b *bench) session(user db.User, left time.Duration) uuid.UUID {
	b.Helper()
	id := uuid.Must(uuid.NewV7())
	_, hash := auth.NewSecret()
	err := b.queries.SessionCreate(b.Context(), db.SessionCreateParams{
		ID: id, UserID: user.ID, TokenHash: hash, Now: b.now, ExpiresAt: b.now.Add(left),
	})
	if err != nil {
		b.Fatal(err)
	}
	return id
}

func (b *bench) mailToken(user db.User, purpose string, left time.Duration) {
	b.Helper()
	_, hash := auth.NewSecret()
	_, err := b.queries.MailTokenCreate(b.Context(), db.MailTokenCreateParams{
		Hash: hash, UserID: user.ID, Purpose: purpose, Now: b.now, ExpiresAt: b.now.Add(left),
	})
	if err != nil {
		b.Fatal(err)
	}
}
