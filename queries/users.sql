-- name: UserCreate :one
INSERT INTO users (id, email, username, full_name, password_hash, role, email_verified_at, created_at, updated_at)
VALUES (@id, @email, @username, @full_name, @password_hash, @role, sqlc.narg('email_verified_at'), @now, @now)
RETURNING *;

-- name: UserGet :one
SELECT * FROM users
WHERE id = @id AND deleted_at IS NULL;

-- name: UserKnown :one
-- An account that there is or was.
SELECT id FROM users
WHERE id = @id;

-- name: UserGetByLogin :one
-- A user name cannot hold an @, so one name is never two people's.
SELECT * FROM users
WHERE (lower(username) = lower(@login) OR lower(email) = lower(@login)) AND deleted_at IS NULL;

-- name: UserGetByEmail :one
SELECT * FROM users
WHERE lower(email) = lower(@email) AND deleted_at IS NULL;

-- name: UserList :many
-- Walks the primary key from the newest; the filters are applied on the way. The
-- number of accounts and the operation's concurrency bound that.
SELECT * FROM users
WHERE deleted_at IS NULL
  AND id < @before
  AND (sqlc.narg('role')::text IS NULL OR role = sqlc.narg('role'))
  AND (sqlc.narg('is_active')::boolean IS NULL OR is_active = sqlc.narg('is_active'))
  AND (sqlc.narg('q')::text IS NULL
    OR position(lower(sqlc.narg('q')) IN lower(email)) > 0
    OR position(lower(sqlc.narg('q')) IN lower(username)) > 0
    OR position(lower(sqlc.narg('q')) IN lower(full_name)) > 0)
ORDER BY id DESC
LIMIT sqlc.arg('max');

-- name: UserUpdate :one
UPDATE users
SET username = coalesce(sqlc.narg('username'), username),
    full_name = coalesce(sqlc.narg('full_name'), full_name),
    role = coalesce(sqlc.narg('role'), role),
    is_active = coalesce(sqlc.narg('is_active'), is_active),
    updated_at = @now
WHERE id = @id AND deleted_at IS NULL
RETURNING *;

-- name: UserSetPassword :one
UPDATE users
SET password_hash = @password_hash, password_changed_at = sqlc.arg('now')::timestamptz, updated_at = @now
WHERE id = @id AND deleted_at IS NULL
RETURNING id;

-- name: UserRehash :exec
-- Only while the password is still the one that was checked.
-- exec: one that was changed in the meantime has a new hash already.
UPDATE users
SET password_hash = @password_hash
WHERE id = @id AND password_hash = @old_hash;

-- name: UserHold :one
-- The account that a password was checked for, if it is still the same one. It
-- stays so until the transaction ends.
SELECT id FROM users
WHERE id = @id AND password_hash = @password_hash AND is_active
FOR NO KEY UPDATE;

-- name: UserHoldLive :one
-- An account that is not deleted. It stays so until the transaction ends, and
-- others that hold it wait.
SELECT id FROM users
WHERE id = @id AND deleted_at IS NULL
FOR NO KEY UPDATE;

-- name: UserVerifyEmail :one
UPDATE users
SET email_verified_at = coalesce(email_verified_at, sqlc.arg('now')::timestamptz), updated_at = @now
WHERE id = @id AND deleted_at IS NULL
RETURNING id;

-- name: UserAnonymise :exec
-- The names are random: one made from the id could be taken by somebody first.
-- What else the person has goes by the queries marked `-- personal`.
-- exec: the account is held, and so it is there.
UPDATE users
SET email = sqlc.arg('pseudonym')::text || '@deleted.invalid',
    username = 'deleted-' || sqlc.arg('pseudonym')::text,
    full_name = 'Deleted account',
    password_hash = '',
    role = 'user',
    is_active = false,
    email_verified_at = NULL,
    updated_at = @now,
    deleted_at = sqlc.arg('now')::timestamptz
WHERE users.id = @id AND deleted_at IS NULL;

-- name: AdminLock :many
-- The active administrators, locked in one order, so that two of them cannot
-- remove each other at the same time.
SELECT id FROM users
WHERE role = 'admin' AND is_active
ORDER BY id
FOR UPDATE;

-- name: AdminIDs :many
SELECT id FROM users
WHERE role = 'admin' AND is_active
ORDER BY id
LIMIT 100;

-- name: UserGetVisible :one
-- One's own, or any for who sees all.
SELECT * FROM users
WHERE id = @id AND deleted_at IS NULL AND (id = @viewer_id OR @sees_all::boolean);

-- name: UserExport :many
-- Walks the primary key, so that the first row comes at once. The limit is none:
-- see OrderLineExport.
-- stream
SELECT id, email, username, full_name, role, is_active, email_verified_at, created_at FROM users
WHERE deleted_at IS NULL
ORDER BY id
LIMIT (SELECT 9223372036854775807);
