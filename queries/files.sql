-- name: FileCreate :one
INSERT INTO files (id, user_id, name, content_type, size, sha256, storage_key, created_at)
VALUES (@id, @user_id, @name, @content_type, @size, @sha256, @storage_key, @now)
RETURNING *;
