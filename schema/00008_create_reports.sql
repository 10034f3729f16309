-- Reports are made by jobs. A worker holds a lease on the report that it works
-- on; the lease of a worker that died runs out, and another one begins anew.

-- +goose Up
CREATE TABLE reports (
    id               uuid PRIMARY KEY,
    user_id          uuid NOT NULL REFERENCES users (id),
    kind             text NOT NULL CHECK (kind IN ('orders', 'sales', 'users')),
    format           text NOT NULL CHECK (format IN ('csv', 'html')),
    -- How many days it goes back, today included.
    days             integer NOT NULL CHECK (days BETWEEN 1 AND 366),
    status           text NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    progress         integer NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
    -- How often a worker has begun.
    attempt          integer NOT NULL DEFAULT 0,
    lease_token      uuid,
    lease_expires_at timestamptz,
    file_id          uuid REFERENCES files (id) ON DELETE SET NULL,
    -- Why it failed: a code of the problem catalogue; '' for none.
    problem          text NOT NULL DEFAULT '',
    created_at       timestamptz NOT NULL,
    finished_at      timestamptz,
    CHECK ((status = 'running') = (lease_token IS NOT NULL)),
    CHECK ((lease_token IS NULL) = (lease_expires_at IS NULL)),
    CHECK ((status IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL))
);
CREATE INDEX reports_user_idx ON reports (user_id, id DESC);
CREATE INDEX reports_lease_idx ON reports (lease_expires_at) WHERE status = 'running';
CREATE INDEX reports_queued_idx ON reports (created_at) WHERE status = 'queued';
CREATE INDEX reports_file_idx ON reports (file_id);

-- +goose Down
DROP TABLE reports;
