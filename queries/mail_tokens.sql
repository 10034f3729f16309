-- name: MailTokenCreate :execrows
-- Takes the place of the last one of its purpose. None is made to set a password
-- that was changed after the mail was asked for, nor for an account that is gone.
-- The lock lets whatever changes the account come before, or see the token.
INSERT INTO mail_tokens (hash, user_id, purpose, created_at, expires_at)
SELECT @hash, users.id, @purpose, @now, @expires_at FROM users
WHERE users.id = @user_id AND users.is_active AND users.deleted_at IS NULL
  AND (sqlc.arg('purpose')::text <> 'reset' OR users.password_changed_at IS NULL
    OR users.password_changed_at <= sqlc.arg('asked_at')::timestamptz)
FOR SHARE
ON CONFLICT (user_id, purpose) DO UPDATE
SET hash = excluded.hash, created_at = excluded.created_at, expires_at = excluded.expires_at;

-- name: MailTokenUse :one
-- Single use: whoever deletes it has used it.
DELETE FROM mail_tokens
WHERE hash = @hash AND purpose = @purpose AND expires_at > @now
RETURNING user_id;

-- name: MailTokenRevoke :exec
DELETE FROM mail_tokens
WHERE user_id = @user_id AND purpose = @purpose;

-- name: MailTokenDeleteExpired :execrows
DELETE FROM mail_tokens
WHERE expires_at < @now;

-- name: MailTokenForget :exec
-- Links that are still on their way lead nowhere.
-- personal
DELETE FROM mail_tokens
WHERE user_id = @user_id;
