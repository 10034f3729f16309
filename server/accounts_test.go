package server_test

import "github.com/accord-api/accord/servertest"

// accountsNoun is of accounts, of what signs them in, and of what each request may leave.
var accountsNoun = noun{
	seeded: []string{
		`INSERT INTO users (id, email, username, full_name, password_hash, role, created_at, updated_at)
			SELECT gen_random_uuid(), 'p' || n || '@example.com', 'p' || n, 'Person ' || n, 'x', 'user', now(), now() FROM generate_series(1, 20000) n`,
		`INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at, ip, user_agent)
			SELECT gen_random_uuid(), id, now(), now(), now() + interval '7 days' * random(), '', '' FROM users`,
		`INSERT INTO refresh_tokens (hash, session_id, created_at, expires_at) SELECT sha256(id::text::bytea), id, now(), expires_at FROM sessions`,
		`INSERT INTO mail_tokens (hash, user_id, purpose, created_at, expires_at)
			SELECT sha256(id::text::bytea), id, 'verify', now(), now() + interval '1 day' * random() FROM users`,
		`INSERT INTO audit_events (id, created_at, action, outcome, actor_id, subject_id, detail, ip, user_agent, request_id)
			SELECT gen_random_uuid(), now(), 'a.' || length(username), 'succeeded', id, id, '', '', '', '' FROM users`,
		`INSERT INTO idempotency_keys (user_id, operation, key, request_hash, expires_at)
			SELECT id, 'x', 'x', sha256(''), now() + interval '1 day' * random() FROM users`,
	},
	newer: []string{
		`INSERT INTO users (id, email, username, full_name, password_hash, role, created_at, updated_at)
			VALUES (@id, 'p' || @n::int || '@example.com', 'person' || @n::int, 'x', 'x', 'user', now(), now())`,
		`INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at, ip, user_agent) VALUES (@id, @user, now(), now(), '2100-01-01', '', '')`,
		`INSERT INTO audit_events (id, created_at, action, outcome, detail, ip, user_agent, request_id) VALUES (@id, now(), 'a', 'failed', '', '', '', '')`,
	},
	many: func(id, rows string) []string {
		return []string{
			`INSERT INTO users (id, email, username, full_name, password_hash, role, created_at, updated_at)
				SELECT gen_random_uuid(), 's' || n || '@example.com', 'seller' || n, 'S', 'x', 'user', now(), now() FROM generate_series(2, ` + rows + `) n`,
			`INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at, ip, user_agent)
				SELECT gen_random_uuid(), '` + id + `', now(), now(), now() + interval '7 days', '', '' FROM generate_series(2, ` + rows + `)`,
		}
	},
	filters: map[string]string{"q": "x", "role": "user", "is_active": "true", "action": "a", "outcome": "failed", "user_id": unknownID},
	own: func(p, _ *servertest.Person) {
		column(p.T, p.Server, `INSERT INTO idempotency_keys (user_id, operation, key, request_hash, expires_at)
			VALUES ('`+p.User.ID.String()+`', 'x', 'x', sha256(''), now() + interval '1 day') RETURNING key`)
	},
	mayBeNull: map[string]string{
		"users.email_verified_at":   "not verified",
		"users.deleted_at":          "not deleted",
		"users.password_changed_at": "the first password",
		"sessions.revoked_at":       "not revoked",
		"sessions.revoked_reason":   "not revoked",
		"refresh_tokens.used_at":    "not used",
		"refresh_tokens.successor":  "not used",
		"audit_events.actor_id":     "nobody was signed in",
		"audit_events.subject_id":   "it is about no account",
		"idempotency_keys.status":   "at work",
		"idempotency_keys.headers":  "at work",
		"idempotency_keys.body":     "at work",
	},
	refersToNothing: map[string]string{
		"audit_events.actor_id":   "the trail outlives what it speaks of",
		"audit_events.subject_id": "as above",
	},
	outOfRange: map[string][]string{
		"users": {"email = repeat('x', 255)", "username = repeat('x', 51)", "full_name = repeat('x', 101)", "role = 'guest'"},
		"sessions": {
			"revoked_at = now(), revoked_reason = 'nonsense'", "revoked_at = now()", "revoked_reason = 'logout'",
			"ip = repeat('x', 46)",
		},
		"refresh_tokens": {
			`hash = '\x00'`, "used_at = now()", "successor = hash",
		},
		"mail_tokens": {`hash = '\x00'`, "purpose = 'nonsense'"},
		"audit_events": {
			"outcome = 'nonsense'", "action = repeat('x', 61)", "detail = repeat('x', 501)", "ip = repeat('x', 46)",
			"user_agent = repeat('x', 301)", "request_id = repeat('x', 65)",
		},
		"idempotency_keys": {
			"key = ''", "key = repeat('x', 256)", `request_hash = '\x00'`, "status = 199", "status = 300",
		},
	},
	twice: []string{
		"UPDATE users SET email = CASE email WHEN 'p1@example.com' THEN email ELSE 'P1@EXAMPLE.COM' END",
		"UPDATE users SET username = CASE username WHEN 'p1' THEN username ELSE 'P1' END",
		"UPDATE mail_tokens SET user_id = (SELECT user_id FROM mail_tokens LIMIT 1)",
	},
	staysBehind: map[string]string{
		"audit_events.actor_id":    "who did it is what the trail is kept for, until AUDIT_RETENTION",
		"audit_events.subject_id":  "as above",
		"idempotency_keys.user_id": "a retry is recognised for 24 hours, then it is swept",
		"sessions.user_id":         "ended, without their places, and swept when they would have expired",
	},
	readWhole: map[string]string{
		"UserList":       "roles and parts of names are filters; for administrators, eight at once",
		"AuditEventList": "in its generic plan, which is never the cheaper one: TestRareAuditEventsAreFoundByIndex",
		"AdminLock":      "an index of active administrators and nobody else",
	},
	servedBy: map[string][]string{
		"AdminLock": {"users_admin_idx"},
		"AdminIDs":  {"users_admin_idx"},
	},
}
