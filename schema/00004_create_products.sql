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
    retired_at  timestamptz
);
CREATE UNIQUE INDEX products_sku_key ON products (lower(sku));
CREATE INDEX products_newest_idx ON products (id DESC) WHERE retired_at IS NULL;
CREATE INDEX products_price_idx ON products (price, id) WHERE retired_at IS NULL;

-- What a search finds a product by: the stems of English words, and each word as
-- it is, so that words that the English search leaves out are found as well.
-- +goose StatementBegin
CREATE FUNCTION product_words(name text, sku text, description text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN to_tsvector('english', name || ' ' || description) || to_tsvector('simple', name || ' ' || sku || ' ' || description);
-- +goose StatementEnd
-- What a search looks for. A dash that leaves out no word says nothing, and too
-- many of them in a row are an error of PostgreSQL.
-- +goose StatementBegin
CREATE FUNCTION product_query(q text) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN websearch_to_tsquery('english', regexp_replace(q, '-+(?!"?[[:alnum:]])', ' ', 'g'))
    || websearch_to_tsquery('simple', regexp_replace(q, '-+(?!"?[[:alnum:]])', ' ', 'g'));
-- +goose StatementEnd
CREATE INDEX products_search_idx ON products USING gin (product_words(name, sku, description)) WHERE retired_at IS NULL;

-- +goose Down
DROP TABLE products;
DROP FUNCTION product_words, product_query;
