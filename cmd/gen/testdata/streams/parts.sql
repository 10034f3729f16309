-- name: PartExport :many
-- stream
SELECT sqlc.embed(parts), things.name FROM parts
JOIN things ON things.id = parts.thing_id
WHERE made_on = @made_on
ORDER BY parts.id;
