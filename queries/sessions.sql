-- name: SessionCreate :exec
-- The session and its first refresh token, in one statement.
WITH session AS (
    INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at, ip, user_agent)
    VALUES (@id, @user_id, @now, @now, @expires_at, @ip, @user_agent)
    RETURNING id
)
INSERT INTO refresh_tokens (hash, session_id, created_at, expires_at)
SELECT @token_hash, session.id, @now, @expires_at FROM session;

-- name: SessionGet :one
-- What a request needs to know of its session and its user.
SELECT sessions.user_id, sessions.expires_at, users.role
FROM sessions
JOIN users ON users.id = sessions.user_id
WHERE sessions.id = @id AND sessions.revoked_at IS NULL AND users.is_active;

-- name: SessionList :many
SELECT * FROM sessions
WHERE user_id = @user_id
  AND revoked_at IS NULL
  AND expires_at > @now
  AND id < @before
ORDER BY id DESC
LIMIT sqlc.arg('max');

-- name: SessionRotate :one
-- One use of a refresh token, whole in one statement. The row lock makes
-- concurrent uses of one token queue; each later one finds used_at set. Within
-- the grace it gets the same successor; after the grace, no row. Only the first
-- use makes a token, so there is never more than one that is live.
WITH parent AS (
    UPDATE refresh_tokens
    SET used_at = coalesce(refresh_tokens.used_at, sqlc.arg('now')::timestamptz),
        successor = coalesce(refresh_tokens.successor, sqlc.arg('successor')::bytea)
    FROM sessions
    JOIN users ON users.id = sessions.user_id
    WHERE refresh_tokens.hash = @hash
      AND refresh_tokens.expires_at > @now
      AND (refresh_tokens.used_at IS NULL OR refresh_tokens.used_at > sqlc.arg('grace_start')::timestamptz)
      AND sessions.id = refresh_tokens.session_id
      AND sessions.revoked_at IS NULL
      AND users.is_active
    RETURNING sessions.id AS session_id, sessions.user_id, users.role, refresh_tokens.successor
), child AS (
    INSERT INTO refresh_tokens (hash, session_id, created_at, expires_at)
    SELECT parent.successor, parent.session_id, @now, @expires_at FROM parent
    WHERE parent.successor = sqlc.arg('successor')
    ON CONFLICT (hash) DO NOTHING
), touched AS (
    UPDATE sessions
    SET last_used_at = @now, expires_at = greatest(sessions.expires_at, sqlc.arg('expires_at')), ip = @ip, user_agent = @user_agent
    FROM parent
    WHERE sessions.id = parent.session_id AND sessions.revoked_at IS NULL
)
SELECT parent.session_id, parent.user_id, parent.role, parent.successor::bytea AS successor FROM parent;

-- name: SessionRevokeReused :one
-- A token that was used before the grace began has been copied.
UPDATE sessions
SET revoked_at = sqlc.arg('now')::timestamptz, revoked_reason = 'reuse'
WHERE revoked_at IS NULL
  AND id = (
    SELECT session_id FROM refresh_tokens
    WHERE hash = @hash AND used_at <= sqlc.arg('grace_start')::timestamptz
  )
RETURNING id, user_id;

-- name: SessionRevoke :one
UPDATE sessions
SET revoked_at = sqlc.arg('now')::timestamptz, revoked_reason = sqlc.arg('reason')::text
WHERE id = @id AND user_id = @user_id AND revoked_at IS NULL AND expires_at > @now
RETURNING id;

-- name: SessionRevokeAll :exec
-- All sessions of a user, but for one to keep where given.
UPDATE sessions
SET revoked_at = sqlc.arg('now')::timestamptz, revoked_reason = sqlc.arg('reason')::text
WHERE user_id = @user_id
  AND revoked_at IS NULL
  AND (sqlc.narg('keep')::uuid IS NULL OR id <> sqlc.narg('keep'));

-- name: SessionDeleteExpired :execrows
-- Refresh tokens go with their session.
DELETE FROM sessions
WHERE expires_at < @now;

-- name: RefreshTokenDeleteExpired :execrows
DELETE FROM refresh_tokens
WHERE expires_at < @now;

-- name: SessionsChanged :exec
-- Tells the other instances, at commit, to forget what they remember of a user.
SELECT pg_notify('accord_sessions', sqlc.arg('user_id')::uuid::text);

-- name: SessionForget :exec
-- The sessions stay until they are swept, but not their places.
-- personal
UPDATE sessions
SET ip = '', user_agent = ''
WHERE user_id = @user_id;
