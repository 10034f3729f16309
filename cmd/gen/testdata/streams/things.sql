-- name: ThingGet :one
SELECT * FROM things WHERE id = @id;

-- name: ThingExport :many
-- All of them.
-- stream
SELECT * FROM things ORDER BY id;

-- stream
-- name: ThingAbove :many
SELECT * FROM things WHERE name > @name ORDER BY id;

-- name: ThingNames :many
-- stream
SELECT name FROM things
WHERE seen_at > @since
  -- in the middle
  AND owner_id = @owner_id
ORDER BY id;

-- name: ThingFind :many
--stream
SELECT id, extra, seen_at, tags FROM things
WHERE tags = @tags AND (sqlc.narg('owner_id')::uuid IS NULL OR owner_id = sqlc.narg('owner_id'))
ORDER BY id LIMIT @max;

-- name: ThingList :many
-- No stream of it.
SELECT * FROM things ORDER BY id;
