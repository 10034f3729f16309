-- What is sold.

-- +goose Up
CREATE TABLE products (
    id          uuid PRIMARY KEY,
    sku         text NOT NULL CHECK (char_length(sku) <= 64),
    name        text NOT NULL CHECK (char_length(name) <= 200),
    description text NOT NULL CHECK (char_length(description) <= 5000),
    -- In minor units of the currency: cents.
    price       bigint NOT NULL CHECK (price BETWEEN 0 AND 1000000000),
    currency    text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    stock       integer NOT NULL CHECK (stock BETWEEN 0 AND 1000000000),
    -- Counts changes, for ETag and If-Match.
    version     bigint NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    -- A retired product is not sold any more; order lines still refer to it.
    retired_at  timestamptz,
    -- Stems of English words, and each word as it is, so that words that English
    -- search leaves out are found too.
    search      tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('english', name), 'A') || setweight(to_tsvector('simple', name || ' ' || sku), 'A')
        || setweight(to_tsvector('english', description), 'B')
    ) STORED
);
CREATE UNIQUE INDEX products_sku_key ON products (lower(sku));
CREATE INDEX products_newest_idx ON products (id DESC) WHERE retired_at IS NULL;
CREATE INDEX products_price_idx ON products (price, id) WHERE retired_at IS NULL;
CREATE INDEX products_search_idx ON products USING gin (search) WHERE retired_at IS NULL;

-- +goose Down
DROP TABLE products;
