-- name: IdempotencyKeyTake :execrows
-- Takes a key that nobody has, or whose answer has expired. It waits for the
-- transaction of another request with the same key.
INSERT INTO idempotency_keys (user_id, operation, key, request_hash, expires_at)
VALUES (@user_id, @operation, @key, @request_hash, @expires_at)
ON CONFLICT (user_id, operation, key) DO UPDATE
SET request_hash = excluded.request_hash, status = NULL, headers = NULL, body = NULL, expires_at = excluded.expires_at
WHERE idempotency_keys.expires_at <= sqlc.arg('now')::timestamptz;

-- name: IdempotencyKeyGet :one
SELECT request_hash, status, headers, body FROM idempotency_keys
WHERE user_id = @user_id AND operation = @operation AND key = @key;

-- name: IdempotencyKeyStore :exec
UPDATE idempotency_keys
SET status = @status, headers = @headers, body = @body
WHERE user_id = @user_id AND operation = @operation AND key = @key;

-- name: IdempotencyKeyDeleteExpired :execrows
DELETE FROM idempotency_keys WHERE expires_at <= @now;
