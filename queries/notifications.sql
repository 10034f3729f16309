-- name: NotificationCreate :exec
-- All of it in one statement, for whoever has something to tell: the user's next
-- number, the notification, and the word to the listening instances, which goes
-- out with the commit. Taking the number locks the counter until then. So a
-- number is given only once the one before is committed or given back, and
-- whoever sees a number sees all that are smaller.
WITH counter AS (
    INSERT INTO notification_counters (user_id, last)
    VALUES (@user_id, 1)
    ON CONFLICT (user_id) DO UPDATE SET last = notification_counters.last + 1
    RETURNING user_id, last
), created AS (
    INSERT INTO notifications (id, user_id, number, kind, title, link, created_at)
    SELECT @id, counter.user_id, counter.last, @kind, @title, @link, @now FROM counter
    RETURNING user_id
)
SELECT pg_notify('accord_notifications', created.user_id::text) FROM created;

-- name: NotificationList :many
SELECT * FROM notifications
WHERE user_id = @user_id
  AND id < @before
ORDER BY id DESC
LIMIT sqlc.arg('max');

-- name: NotificationListUnread :many
-- A query of its own, since only so the index of the unread serves it.
SELECT * FROM notifications
WHERE user_id = @user_id
  AND read_at IS NULL
  AND id < @before
ORDER BY id DESC
LIMIT sqlc.arg('max');

-- name: NotificationCountUnread :one
SELECT count(*) FROM notifications
WHERE user_id = @user_id AND read_at IS NULL;

-- name: NotificationRead :one
-- The first reading counts.
UPDATE notifications
SET read_at = coalesce(read_at, sqlc.arg('now')::timestamptz)
WHERE id = @id AND user_id = @user_id
RETURNING *;

-- name: NotificationReadAll :execrows
UPDATE notifications
SET read_at = sqlc.arg('now')::timestamptz
WHERE user_id = @user_id AND read_at IS NULL;

-- name: NotificationLast :one
-- The number of the user's newest notification; 0 where there never was one.
SELECT coalesce((SELECT last FROM notification_counters WHERE user_id = @user_id), 0)::bigint AS last;

-- name: NotificationsAfter :many
-- What a stream has not sent yet, in the order of the numbers.
SELECT * FROM notifications
WHERE user_id = @user_id AND number > sqlc.arg('after')::bigint
ORDER BY number
LIMIT sqlc.arg('max');

-- name: NotificationDeleteOld :execrows
-- They are kept for 90 days.
DELETE FROM notifications
WHERE created_at < sqlc.arg('now')::timestamptz - interval '90 days';

-- name: NotificationForget :exec
-- What the person was told says where the person was.
-- personal
DELETE FROM notifications
WHERE user_id = @user_id;
