-- name: StatsCount :one
-- Counts whole tables: the answer is kept for a while.
SELECT
    (SELECT count(*) FROM users WHERE deleted_at IS NULL) AS users,
    (SELECT count(*) FROM users WHERE deleted_at IS NULL AND is_active) AS active_users,
    (SELECT count(*) FROM sessions WHERE revoked_at IS NULL AND expires_at > @now) AS sessions;

-- name: StatsDays :many
-- One row for each day (UTC) from the first to the last, days without anything too.
SELECT day.at::timestamptz AS day,
    coalesce(registered.n, 0)::bigint AS users
FROM generate_series(@first::timestamptz, @last::timestamptz, interval '1 day') AS day (at)
LEFT JOIN (
    SELECT date_trunc('day', created_at, 'UTC') AS at, count(*) AS n
    FROM users WHERE created_at >= @first::timestamptz GROUP BY 1
) registered ON registered.at = day.at
ORDER BY 1;
