-- Uploaded files and finished reports. Their bytes are in the storage.

-- +goose Up
CREATE TABLE files (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES users (id),
    name         text NOT NULL CHECK (char_length(name) <= 255),
    content_type text NOT NULL CHECK (char_length(content_type) <= 100),
    size         bigint NOT NULL CHECK (size >= 0),
    sha256       bytea NOT NULL CHECK (octet_length(sha256) = 32),
    -- Where the bytes are.
    storage_key  text NOT NULL UNIQUE CHECK (char_length(storage_key) <= 200),
    created_at   timestamptz NOT NULL
);
-- With the size, so that what a user keeps is summed up from the index alone.
CREATE INDEX files_user_idx ON files (user_id, id DESC) INCLUDE (size);

-- +goose Down
DROP TABLE files;
