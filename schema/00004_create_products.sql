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

-- English stems, of every word: the usual configuration leaves out "the", "be" and
-- "or", and with them what somebody looks for, quotes, or wants to leave out.
CREATE TEXT SEARCH DICTIONARY product_stems (TEMPLATE = snowball, language = 'english');
CREATE TEXT SEARCH CONFIGURATION product_words (COPY = english);
ALTER TEXT SEARCH CONFIGURATION product_words
    ALTER MAPPING FOR asciiword, asciihword, hword_asciipart, word, hword, hword_part WITH product_stems;

-- The words of what is sold, in a table of their own: an order changes the stock
-- of a product and would otherwise write its words and their index anew. The words
-- stand beside the rows (toast_tuple_target), since a search reads thousands of
-- rows and the words of none, unless it asks which of them stand together.
CREATE TABLE product_searches (
    product_id uuid PRIMARY KEY REFERENCES products (id) ON DELETE CASCADE,
    words      tsvector NOT NULL
) WITH (toast_tuple_target = 128);
ALTER TABLE product_searches ALTER COLUMN words SET STORAGE EXTERNAL;
CREATE INDEX product_searches_words_idx ON product_searches USING gin (words);

-- A trigger, so that no way of writing a product can forget its words.
-- +goose StatementBegin
CREATE FUNCTION product_search_write() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.retired_at IS NOT NULL THEN
        DELETE FROM product_searches WHERE product_id = NEW.id;
    ELSE
        INSERT INTO product_searches (product_id, words)
        VALUES (NEW.id, to_tsvector('product_words', NEW.name || ' ' || NEW.sku || ' ' || NEW.description))
        ON CONFLICT (product_id) DO UPDATE SET words = EXCLUDED.words;
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER product_search_insert AFTER INSERT ON products
    FOR EACH ROW EXECUTE FUNCTION product_search_write();
CREATE TRIGGER product_search_update AFTER UPDATE ON products
    FOR EACH ROW WHEN ((OLD.name, OLD.sku, OLD.description, OLD.retired_at) IS DISTINCT FROM (NEW.name, NEW.sku, NEW.description, NEW.retired_at))
    EXECUTE FUNCTION product_search_write();

-- What a search looks for. A dash that leaves out no word says nothing, and too
-- many of them in a row are an error of PostgreSQL. Where some products are found
-- by what they lack alone (querytree: T), every one would have to be read: such a
-- search looks for nothing.
-- +goose StatementBegin
CREATE FUNCTION product_query(q text) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT CASE WHEN querytree(asked) = 'T' THEN ''::tsquery ELSE asked END
    FROM (SELECT websearch_to_tsquery('product_words', regexp_replace(q, '-+(?!"?[[:alnum:]])', ' ', 'g')) AS asked) parsed
);
-- +goose StatementEnd

-- +goose Down
DROP TABLE product_searches, products;
DROP FUNCTION product_query, product_search_write;
DROP TEXT SEARCH CONFIGURATION product_words;
DROP TEXT SEARCH DICTIONARY product_stems;
