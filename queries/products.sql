-- name: ProductCreate :one
INSERT INTO products (id, sku, name, description, price, currency, stock, created_at, updated_at)
VALUES (@id, @sku, @name, @description, @price, @currency, @stock, @now, @now)
RETURNING *;

-- name: ProductGet :one
SELECT * FROM products
WHERE id = @id AND retired_at IS NULL;

-- name: ProductUpdate :one
-- Without versions any one is changed.
UPDATE products
SET sku = coalesce(sqlc.narg('sku'), sku),
    name = coalesce(sqlc.narg('name'), name),
    description = coalesce(sqlc.narg('description'), description),
    price = coalesce(sqlc.narg('price'), price),
    currency = coalesce(sqlc.narg('currency'), currency),
    stock = coalesce(sqlc.narg('stock'), stock),
    version = version + 1,
    updated_at = @now
WHERE id = @id AND retired_at IS NULL
  AND (sqlc.narg('versions')::bigint[] IS NULL OR version = ANY (sqlc.narg('versions')::bigint[]))
RETURNING *;

-- name: ProductRetire :one
UPDATE products
SET retired_at = sqlc.arg('now')::timestamptz, updated_at = @now, version = version + 1
WHERE id = @id AND retired_at IS NULL
  AND (sqlc.narg('versions')::bigint[] IS NULL OR version = ANY (sqlc.narg('versions')::bigint[]))
RETURNING id;

-- name: ProductListNewest :many
-- Walks its index; the filters are applied on the way. So do the next two. "+ 0"
-- keeps the range of prices from the index of prices, which would sort all that
-- lie in it. A filter that few products pass makes the walk long: it is bounded by
-- the number of products, the operation's concurrency and its timeout.
SELECT * FROM products
WHERE retired_at IS NULL
  AND id < @at_id
  AND price + 0 BETWEEN @min_price AND @max_price
  AND (sqlc.narg('currency')::text IS NULL OR currency = sqlc.narg('currency'))
  AND (sqlc.narg('in_stock')::boolean IS NULL OR (stock > 0) = sqlc.narg('in_stock'))
ORDER BY id DESC
LIMIT sqlc.arg('max');

-- name: ProductListCheapest :many
SELECT * FROM products
WHERE retired_at IS NULL
  AND (price, id) > (@at_price::bigint, @at_id::uuid)
  AND price BETWEEN @min_price AND @max_price
  AND (sqlc.narg('currency')::text IS NULL OR currency = sqlc.narg('currency'))
  AND (sqlc.narg('in_stock')::boolean IS NULL OR (stock > 0) = sqlc.narg('in_stock'))
ORDER BY price, id
LIMIT sqlc.arg('max');

-- name: ProductListDearest :many
SELECT * FROM products
WHERE retired_at IS NULL
  AND (price, id) < (@at_price::bigint, @at_id::uuid)
  AND price BETWEEN @min_price AND @max_price
  AND (sqlc.narg('currency')::text IS NULL OR currency = sqlc.narg('currency'))
  AND (sqlc.narg('in_stock')::boolean IS NULL OR (stock > 0) = sqlc.narg('in_stock'))
ORDER BY price DESC, id DESC
LIMIT sqlc.arg('max');

-- name: ProductSearch :many
-- Finds by the words first, the newest 10,000 that have them, and sorts out and
-- sorts what was found. The subquery hides from the planner what is looked for, so
-- that the plan is the same whatever it is: by the index of the words
-- and then by the ids.
WITH found AS MATERIALIZED (
    SELECT product_id FROM product_searches
    WHERE words @@ (SELECT product_query(@q))
      AND (@sort::text <> 'newest' OR product_id < @at_id::uuid)
    ORDER BY product_id DESC
    LIMIT 10000
)
SELECT products.* FROM found JOIN products ON products.id = found.product_id
WHERE retired_at IS NULL
  AND price + 0 BETWEEN @min_price AND @max_price
  AND (sqlc.narg('currency')::text IS NULL OR currency = sqlc.narg('currency'))
  AND (sqlc.narg('in_stock')::boolean IS NULL OR (stock > 0) = sqlc.narg('in_stock'))
  AND CASE @sort::text
      WHEN 'price_asc' THEN (price, id) > (@at_price::bigint, @at_id::uuid)
      WHEN 'price_desc' THEN (price, id) < (@at_price::bigint, @at_id::uuid)
      ELSE id < @at_id::uuid
    END
ORDER BY
    CASE WHEN @sort::text = 'price_asc' THEN price END,
    CASE WHEN @sort::text = 'price_desc' THEN price END DESC,
    CASE WHEN @sort::text = 'price_asc' THEN id END,
    id DESC
LIMIT sqlc.arg('max');
