-- Accounts, their sessions and tokens, and the audit trail.

-- +goose Up
CREATE TABLE users (
    id                uuid PRIMARY KEY,
    email             text NOT NULL CHECK (char_length(email) <= 254),
    username          text NOT NULL CHECK (char_length(username) <= 50),
    full_name         text NOT NULL CHECK (char_length(full_name) <= 100),
    -- '' after deletion: no password matches it.
    password_hash     text NOT NULL,
    role              text NOT NULL CHECK (role IN ('user', 'admin')),
    is_active         boolean NOT NULL DEFAULT true,
    email_verified_at timestamptz,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    -- Set when the person was anonymised. The row stays for what refers to it.
    deleted_at        timestamptz,
    -- NULL while the password is the first one.
    password_changed_at timestamptz
);
-- Unique in any letter case; these also serve the sign-in.
CREATE UNIQUE INDEX users_email_key ON users (lower(email));
CREATE UNIQUE INDEX users_username_key ON users (lower(username));
-- For the check that one administrator is left.
CREATE INDEX users_admin_idx ON users (id) WHERE role = 'admin' AND is_active;

-- For the statistics.
CREATE INDEX users_created_idx ON users (created_at);

CREATE TABLE sessions (
    id             uuid PRIMARY KEY,
    user_id        uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at     timestamptz NOT NULL,
    last_used_at   timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    revoked_at     timestamptz,
    revoked_reason text CHECK (revoked_reason IN ('logout', 'revoked', 'password', 'deactivated', 'deleted', 'reuse')),
    ip             text NOT NULL,
    user_agent     text NOT NULL,
    CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL))
);
CREATE INDEX sessions_user_idx ON sessions (user_id, id DESC);
CREATE INDEX sessions_expiry_idx ON sessions (expires_at);

-- Only hashes of tokens are stored. A used token is kept until it expires, so
-- that its reuse can be told from a token that never was.
CREATE TABLE refresh_tokens (
    hash       bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    -- The hash of the token that took its place.
    successor  bytea,
    CHECK ((used_at IS NULL) = (successor IS NULL))
);
CREATE INDEX refresh_tokens_session_idx ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_expiry_idx ON refresh_tokens (expires_at);

-- The single-use tokens of mails. Using one deletes it.
CREATE TABLE mail_tokens (
    hash       bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    user_id    uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    purpose    text NOT NULL CHECK (purpose IN ('verify', 'reset')),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    -- One of each purpose: a new mail makes the link of the last one stale.
    UNIQUE (user_id, purpose)
);
CREATE INDEX mail_tokens_expiry_idx ON mail_tokens (expires_at);

-- No foreign keys: the trail outlives what it speaks of.
CREATE TABLE audit_events (
    id         uuid PRIMARY KEY,
    created_at timestamptz NOT NULL,
    action     text NOT NULL,
    outcome    text NOT NULL CHECK (outcome IN ('succeeded', 'failed', 'limited')),
    actor_id   uuid,
    subject_id uuid,
    detail     text NOT NULL,
    ip         text NOT NULL,
    user_agent text NOT NULL,
    request_id text NOT NULL
);
CREATE INDEX audit_events_action_idx ON audit_events (action, id DESC);
CREATE INDEX audit_events_outcome_idx ON audit_events (outcome, id DESC);
CREATE INDEX audit_events_actor_idx ON audit_events (actor_id, id DESC) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_events_subject_idx ON audit_events (subject_id, id DESC) WHERE subject_id IS NOT NULL;

-- +goose Down
DROP TABLE audit_events, mail_tokens, refresh_tokens, sessions, users;
