-- name: ReportCreate :one
INSERT INTO reports (id, user_id, kind, format, days, status, created_at)
VALUES (@id, @user_id, @kind, @format, @days, 'queued', @now)
RETURNING *;

-- name: ReportGet :one
SELECT * FROM reports
WHERE id = @id AND user_id = @user_id;

-- name: ReportList :many
SELECT * FROM reports
WHERE user_id = @user_id
  AND id < @before
ORDER BY id DESC
LIMIT sqlc.arg('max');

-- name: ReportCancel :one
-- A worker that is at it finds its lease gone.
UPDATE reports
SET status = 'cancelled', lease_token = NULL, lease_expires_at = NULL, finished_at = sqlc.arg('now')::timestamptz
WHERE id = @id AND user_id = @user_id AND status IN ('queued', 'running')
RETURNING *;

-- name: ReportDeleteOf :exec
-- All of a user's. A worker that is at one finds its lease gone.
DELETE FROM reports
WHERE user_id = @user_id;

-- name: ReportClaim :one
-- Begins a report that nobody works on: one that waits, or one whose worker has
-- not renewed its lease.
UPDATE reports
SET status = 'running', progress = 0, attempt = attempt + 1,
    lease_token = sqlc.arg('token')::uuid, lease_expires_at = sqlc.arg('lease_expires_at')::timestamptz
WHERE id = @id AND (status = 'queued' OR (status = 'running' AND lease_expires_at <= sqlc.arg('now')::timestamptz))
RETURNING *;

-- name: ReportRenew :execrows
UPDATE reports
SET progress = @progress, lease_expires_at = sqlc.arg('lease_expires_at')::timestamptz
WHERE id = @id AND lease_token = sqlc.arg('token')::uuid;

-- name: ReportRelease :execrows
-- Lets a report be tried again, after so many tries.
UPDATE reports
SET status = 'queued', attempt = @attempt, lease_token = NULL, lease_expires_at = NULL
WHERE id = @id AND lease_token = sqlc.arg('token')::uuid;

-- name: ReportSucceed :execrows
UPDATE reports
SET status = 'succeeded', progress = 100, file_id = sqlc.arg('file_id')::uuid, finished_at = sqlc.arg('now')::timestamptz,
    lease_token = NULL, lease_expires_at = NULL
WHERE id = @id AND lease_token = sqlc.arg('token')::uuid;

-- name: ReportFail :execrows
UPDATE reports
SET status = 'failed', problem = @problem, finished_at = sqlc.arg('now')::timestamptz,
    lease_token = NULL, lease_expires_at = NULL
WHERE id = @id AND lease_token = sqlc.arg('token')::uuid;

-- name: ReportListAbandoned :many
-- Reports whose worker is gone.
SELECT * FROM reports
WHERE status = 'running' AND lease_expires_at <= sqlc.arg('now')::timestamptz
ORDER BY lease_expires_at
LIMIT 100;

-- name: ReportListWaiting :many
-- Reports that were asked for a while ago and that nobody has begun, or that wait
-- for another try.
SELECT id, attempt FROM reports
WHERE status = 'queued' AND created_at <= @before
ORDER BY created_at
LIMIT 100;

-- name: ReportHoldOwner :one
-- Who has asked for a report, held as by UserHoldLive.
SELECT role, is_active FROM users
WHERE id = @id AND deleted_at IS NULL
FOR NO KEY UPDATE;

-- name: ReportDeleteOld :execrows
-- They are kept for 90 days; their files are the user's to delete.
DELETE FROM reports
WHERE finished_at < sqlc.arg('now')::timestamptz - interval '90 days';

-- name: OrderLineListOf :many
-- stream
SELECT orders.id AS order_id, orders.created_at, orders.status,
    order_lines.position, order_lines.sku, order_lines.name, order_lines.quantity, order_lines.price,
    (order_lines.quantity * order_lines.price)::bigint AS amount, orders.currency
FROM orders JOIN order_lines ON order_lines.order_id = orders.id
WHERE orders.user_id = @user_id AND orders.created_at >= @first
ORDER BY orders.id, order_lines.position;

-- name: OrderLineCountOf :one
SELECT count(*) FROM orders JOIN order_lines ON order_lines.order_id = orders.id
WHERE orders.user_id = @user_id AND orders.created_at >= @first;

-- name: UserCount :one
SELECT count(*) FROM users WHERE deleted_at IS NULL;

-- name: SalesBetween :many
-- What was sold of each product in a time. The lines are LATERAL, so that those of
-- other times are not read.
-- stream
SELECT lines.product_id, lines.sku, min(lines.name)::text AS name, orders.currency,
    count(*) AS orders, sum(lines.quantity)::bigint AS quantity,
    sum(lines.quantity * lines.price)::bigint AS amount
FROM orders
CROSS JOIN LATERAL (
    SELECT * FROM order_lines
    WHERE order_lines.order_id = orders.id
    ORDER BY order_lines.position
) lines
WHERE orders.created_at >= @first AND orders.created_at < @last AND orders.status <> 'cancelled'
GROUP BY 1, 2, 4
ORDER BY 2, 4;
