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

-- name: ReportRelease :exec
-- Lets a report that failed be tried again.
-- exec: whoever has lost the lease has nothing to release.
UPDATE reports
SET status = 'queued', lease_token = NULL, lease_expires_at = NULL
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
SELECT id, attempt FROM reports
WHERE status = 'running' AND lease_expires_at <= sqlc.arg('now')::timestamptz
ORDER BY lease_expires_at
LIMIT 100;

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

-- name: SalesByDay :many
-- What was sold of each product on each day (UTC).
-- stream
SELECT date_trunc('day', orders.created_at, 'UTC')::timestamptz AS day, order_lines.product_id, order_lines.sku,
    min(order_lines.name)::text AS name, orders.currency,
    count(*) AS orders, sum(order_lines.quantity)::bigint AS quantity,
    sum(order_lines.quantity * order_lines.price)::bigint AS amount
FROM orders JOIN order_lines ON order_lines.order_id = orders.id
WHERE orders.created_at >= @first AND orders.status <> 'cancelled'
GROUP BY 1, 2, 3, 5
ORDER BY 1, 3, 5;
