-- What people are told inside the product.

-- +goose Up
-- Numbers a user's notifications. The row is locked until its transaction ends,
-- so that a number is never seen before a smaller one.
CREATE TABLE notification_counters (
    user_id uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    last    bigint NOT NULL
);

CREATE TABLE notifications (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    number     bigint NOT NULL,
    kind       text NOT NULL CHECK (char_length(kind) <= 50),
    title      text NOT NULL CHECK (char_length(title) <= 200),
    -- A path of this API that the notification is about; '' for none.
    link       text NOT NULL CHECK (char_length(link) <= 200),
    created_at timestamptz NOT NULL,
    read_at    timestamptz,
    UNIQUE (user_id, number)
);
CREATE INDEX notifications_user_idx ON notifications (user_id, id DESC);
CREATE INDEX notifications_unread_idx ON notifications (user_id, id DESC) WHERE read_at IS NULL;
CREATE INDEX notifications_created_idx ON notifications (created_at);

-- +goose Down
DROP TABLE notifications, notification_counters;
