-- name: ProductLock :many
-- In one order, so that two orders of the same products queue and never deadlock.
SELECT id, sku, name, price, currency, stock, retired_at FROM products
WHERE id = ANY (@ids::uuid[])
ORDER BY id
FOR NO KEY UPDATE;

-- name: ProductTake :exec
-- Takes pieces from the stock of products that are locked.
UPDATE products
SET stock = stock - line.quantity, version = version + 1, updated_at = @now
FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@quantities::integer[]) AS quantity) line
WHERE products.id = line.id;

-- name: OrderCreate :exec
WITH placed AS (
    INSERT INTO orders (id, user_id, status, currency, total, items, created_at, updated_at)
    VALUES (@id, @user_id, @status, @currency, @total, @items, @now, @now)
)
INSERT INTO order_lines (order_id, position, product_id, quantity, sku, name, price)
SELECT @id, generate_subscripts(@product_ids::uuid[], 1), unnest(@product_ids::uuid[]), unnest(@quantities::integer[]),
    unnest(@skus::text[]), unnest(@names::text[]), unnest(@prices::bigint[]);

-- name: OrderGetVisible :many
-- The order with each of its lines: one's own, or any for who sees all.
SELECT sqlc.embed(orders), sqlc.embed(order_lines)
FROM orders JOIN order_lines ON order_lines.order_id = orders.id
WHERE orders.id = @id AND (orders.user_id = @viewer_id OR @sees_all::boolean)
ORDER BY order_lines.position;

-- name: OrderLock :one
SELECT * FROM orders
WHERE id = @id AND (user_id = @viewer_id OR @sees_all::boolean)
FOR NO KEY UPDATE;

-- name: OrderSetStatus :exec
-- exec: the order is locked, and so it is there.
UPDATE orders
SET status = @status, updated_at = @now
WHERE id = @id;

-- name: ProductGiveBack :many
-- Gives back what an order had taken. The products are locked in the order in
-- which those who order lock them.
WITH line AS (
    SELECT products.id, order_lines.quantity
    FROM products JOIN order_lines ON order_lines.product_id = products.id
    WHERE order_lines.order_id = @order_id
    ORDER BY products.id
    FOR NO KEY UPDATE OF products
)
UPDATE products
SET stock = least(stock + line.quantity, 1000000000), version = version + 1, updated_at = @now
FROM line
WHERE products.id = line.id
RETURNING products.id;

-- name: OrderList :many
-- Walks one user's orders; the filter is applied on the way.
SELECT * FROM orders
WHERE user_id = @user_id
  AND id < @before
  AND (sqlc.narg('status')::text IS NULL OR status = sqlc.narg('status'))
ORDER BY id DESC
LIMIT sqlc.arg('max');

-- name: OrderListAll :many
SELECT sqlc.embed(orders), users.username, users.email
FROM orders JOIN users ON users.id = orders.user_id
WHERE orders.id < @before
ORDER BY orders.id DESC
LIMIT sqlc.arg('max');

-- name: OrderListAllByStatus :many
-- A query of its own, since only so the index of the statuses serves it.
SELECT sqlc.embed(orders), users.username, users.email
FROM orders JOIN users ON users.id = orders.user_id
WHERE orders.status = @status AND orders.id < @before
ORDER BY orders.id DESC
LIMIT sqlc.arg('max');

-- name: OrderListLatest :many
-- The latest orders of each of several users.
SELECT latest.* FROM unnest(@user_ids::uuid[]) AS buyer (id)
CROSS JOIN LATERAL (
    SELECT * FROM orders
    WHERE orders.user_id = buyer.id
    ORDER BY orders.id DESC
    LIMIT sqlc.arg('each')
) latest
ORDER BY latest.id DESC;

-- name: OrderLineExport :many
-- Walks the orders by their time and takes the lines of each, so that the first
-- row comes at once and nothing is sorted. The lines are LATERAL for their order,
-- and the limit is none: it cannot be known when the plan is made, so that the
-- plan is one whose first rows come soon.
-- stream
SELECT orders.id AS order_id, orders.created_at, orders.status, orders.user_id, users.username, users.email,
    lines.position, lines.sku, lines.name, lines.quantity, lines.price,
    (lines.quantity * lines.price)::bigint AS amount, orders.currency
FROM orders
JOIN users ON users.id = orders.user_id
CROSS JOIN LATERAL (
    SELECT * FROM order_lines
    WHERE order_lines.order_id = orders.id
    ORDER BY order_lines.position
) lines
WHERE orders.created_at >= coalesce(sqlc.narg('first')::timestamptz, '-infinity')
  AND orders.created_at < coalesce(sqlc.narg('last')::timestamptz, 'infinity')
ORDER BY orders.created_at, orders.id
LIMIT (SELECT 9223372036854775807);
