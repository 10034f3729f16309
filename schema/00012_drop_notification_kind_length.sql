-- The kinds are listed since notifications_kind_known, which lets none be longer.

-- +goose Up
ALTER TABLE notifications
    DROP CONSTRAINT notifications_kind_check;

-- +goose Down
ALTER TABLE notifications
    ADD CONSTRAINT notifications_kind_check CHECK (char_length(kind) <= 50);
