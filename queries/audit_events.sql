-- name: AuditEventCreate :exec
INSERT INTO audit_events (id, created_at, action, outcome, actor_id, subject_id, detail, ip, user_agent, request_id)
VALUES (@id, @now, @action, @outcome, sqlc.narg('actor_id'), sqlc.narg('subject_id'), @detail, @ip, @user_agent, @request_id);

-- name: AuditEventList :many
-- Each filter has an index. PostgreSQL takes it by a plan made for the filters that
-- are given: the one for all is always dearer, since it can only walk.
SELECT * FROM audit_events
WHERE id < @before
  AND (sqlc.narg('action')::text IS NULL OR action = sqlc.narg('action'))
  AND (sqlc.narg('outcome')::text IS NULL OR outcome = sqlc.narg('outcome'))
  AND (sqlc.narg('user_id')::uuid IS NULL OR actor_id = sqlc.narg('user_id') OR subject_id = sqlc.narg('user_id'))
ORDER BY id DESC
LIMIT sqlc.arg('max');

-- name: AuditEventDeleteOld :execrows
-- The oldest of those whose id was made before the one given. An array, for the
-- planner to expect few of them.
DELETE FROM audit_events
WHERE id = ANY (ARRAY(
    SELECT old.id FROM audit_events old
    WHERE old.id < @before
    ORDER BY old.id
    LIMIT sqlc.arg('max')
));
