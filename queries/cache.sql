-- name: CacheStale :exec
-- Tells every instance, once the transaction is committed, what is not true any more.
SELECT pg_notify('accord_cache', tag) FROM unnest(@tags::text[]) AS stale (tag);
