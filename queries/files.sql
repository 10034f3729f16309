-- name: FileCreate :one
INSERT INTO files (id, user_id, name, content_type, size, sha256, storage_key, created_at)
VALUES (@id, @user_id, @name, @content_type, @size, @sha256, @storage_key, @now)
RETURNING *;

-- name: FileCreateWithin :one
-- Only while the user keeps no more than so many bytes with it. Two at once
-- would not see each other, so the account has to be held (UserHoldLive).
INSERT INTO files (id, user_id, name, content_type, size, sha256, storage_key, created_at)
SELECT sqlc.arg('id')::uuid, sqlc.arg('user_id')::uuid, sqlc.arg('name')::text, sqlc.arg('content_type')::text,
    sqlc.arg('size')::bigint, sqlc.arg('sha256')::bytea, sqlc.arg('storage_key')::text, sqlc.arg('now')::timestamptz
WHERE (SELECT coalesce(sum(size), 0) FROM files WHERE user_id = sqlc.arg('user_id')::uuid) + sqlc.arg('size')::bigint <= sqlc.arg('max')::bigint
RETURNING *;

-- name: FileUsage :one
-- How many bytes a user keeps.
SELECT coalesce(sum(size), 0)::bigint FROM files
WHERE user_id = @user_id;

-- name: FileList :many
SELECT * FROM files
WHERE user_id = @user_id
  AND id < @before
ORDER BY id DESC
LIMIT sqlc.arg('max');

-- name: FileGetVisible :one
-- One's own, or any for who sees all.
SELECT * FROM files
WHERE id = @id AND (user_id = @viewer_id OR @sees_all::boolean);

-- name: FileDelete :one
-- One's own, or any for who sees all. The bytes are somebody else's to delete.
DELETE FROM files
WHERE id = @id AND (user_id = @viewer_id OR @sees_all::boolean)
RETURNING *;

-- name: FileDeleteOf :many
-- All of a user's.
DELETE FROM files
WHERE user_id = @user_id
RETURNING storage_key;

-- name: FileKeys :many
-- Which of these keys of the storage belong to a file.
SELECT storage_key FROM files
WHERE storage_key = ANY(@keys::text[]);

-- name: StorageOwner :one
-- What this database calls itself to the storage: the id that is given, the first
-- time, and ever after the same.
INSERT INTO storage_owner (id, sweeps)
VALUES (@id, 0)
ON CONFLICT (one) DO UPDATE SET id = storage_owner.id
RETURNING *;

-- name: StorageSwept :one
UPDATE storage_owner
SET sweeps = sweeps + 1
RETURNING *;
