-- Reports are swept some time after their end.

-- +goose Up
CREATE INDEX reports_finished_idx ON reports (finished_at) WHERE finished_at IS NOT NULL;

-- +goose Down
DROP INDEX reports_finished_idx;
