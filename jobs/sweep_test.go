package jobs_test

import (
	"encoding/binary"
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
	// bare-drops {
	b.notification(user, "kept", 90*24*time.Hour)
	b.notification(user, "old", 90*24*time.Hour+time.Second)
	b.report(user, 30, 90*24*time.Hour)
	b.report(user, 31, 90*24*time.Hour+time.Second)
	// bare-drops }
	_, used := auth.NewSecret() // a token of a session that lives on
	b.exec("INSERT INTO refresh_tokens (hash, session_id, created_at, expires_at) VALUES ($1, $2, $3, $3)", used, alive, b.now.Add(-time.Second))

	b.start(b.jobs)
	b.becomes("sweep", "completed 1")
	for sql, want := range map[string]string{
		"SELECT string_agg(id::text, ' ') FROM sessions":               alive.String(),
		"SELECT string_agg(session_id::text, ' ') FROM refresh_tokens": alive.String(),
		"SELECT string_agg(purpose, ' ') FROM mail_tokens":             jobs.PurposeVerify,
		"SELECT string_agg(title, ' ') FROM notifications":             "kept", // bare-drops
		"SELECT string_agg(days::text, ' ') FROM reports":              "30",   // bare-drops
		"SELECT string_agg(username, ' ') FROM users":                  "ada",
	} {
		if got := b.text(sql); got != want {
			t.Errorf("%s: %s, want %s (%s has expired)", sql, got, want, dead)
		}
	}
}

// The audit trail is kept as long as the setting says, or for ever.
func TestSweepOfTheAuditTrail(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		retention time.Duration
		want      string
	}{"for a time": {auditRetention, "just kept"}, "for ever": {0, "just gone, just kept"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setUp(t)
			b.jobs = b.newJobs(b.post.sender(t), c.retention)
			// More than one statement deletes; each has the id of its time.
			b.exec(`INSERT INTO audit_events (id, created_at, action, outcome, detail, ip, user_agent, request_id)
				SELECT gen_random_uuid(), now(), 'x', 'failed', '', '', '', '' FROM generate_series(1, 5001)`)
			b.exec(`UPDATE audit_events SET id = ('00000000' || substr(id::text, 9))::uuid`)
			for action, age := range map[string]time.Duration{"just gone": auditRetention + time.Millisecond, "just kept": auditRetention} {
				id := uuid.Must(uuid.NewV7())
				binary.BigEndian.PutUint64(id[:], uint64(b.now.Add(-age).UnixMilli())<<16|0x7abc)
				b.exec(`INSERT INTO audit_events (id, created_at, action, outcome, detail, ip, user_agent, request_id)
					VALUES ($1, $2, $3, 'failed', '', '', '', '')`, id, b.now.Add(-age), action)
			}
			b.start(b.jobs)
			b.becomes("sweep", "completed 1")
			if got := b.text("SELECT string_agg(DISTINCT action, ', ' ORDER BY action) FROM audit_events WHERE action <> 'x'"); got != c.want {
				t.Errorf("kept: %s, want %s", got, c.want)
			}
			if n := b.text("SELECT count(*)::text FROM audit_events WHERE action = 'x'"); (n == "0") != (c.retention > 0) {
				t.Errorf("%s old events are left", n)
			}
		})
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
