-- Answers of requests that were sent with an Idempotency-Key, for those that
-- are sent again.

-- +goose Up
CREATE TABLE idempotency_keys (
    user_id      uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    operation    text NOT NULL,
    key          text NOT NULL CHECK (char_length(key) BETWEEN 1 AND 255),
    -- Of the request's members: another request with the key is refused.
    request_hash bytea NOT NULL CHECK (octet_length(request_hash) = 32),
    -- NULL only in the transaction that does the work.
    status       integer CHECK (status BETWEEN 200 AND 299),
    headers      jsonb,
    body         bytea,
    expires_at   timestamptz NOT NULL,
    PRIMARY KEY (user_id, operation, key)
);
CREATE INDEX idempotency_keys_expiry_idx ON idempotency_keys (expires_at);

-- +goose Down
DROP TABLE idempotency_keys;
