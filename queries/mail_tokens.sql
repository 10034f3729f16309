-- name: MailTokenCreate :exec
-- Takes the place of the last one of its purpose.
INSERT INTO mail_tokens (hash, user_id, purpose, created_at, expires_at)
VALUES (@hash, @user_id, @purpose, @now, @expires_at)
ON CONFLICT (user_id, purpose) DO UPDATE
SET hash = excluded.hash, created_at = excluded.created_at, expires_at = excluded.expires_at;

-- name: MailTokenUse :one
-- Single use: whoever deletes it has used it.
DELETE FROM mail_tokens
WHERE hash = @hash AND purpose = @purpose AND expires_at > @now
RETURNING user_id;

-- name: MailTokenDeleteExpired :execrows
DELETE FROM mail_tokens
WHERE expires_at < @now;
