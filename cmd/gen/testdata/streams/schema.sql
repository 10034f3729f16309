-- The tables of the tests of streams. The .go.txt files are what sqlc makes of them and the queries.

CREATE TABLE things (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    owner_id uuid,
    tags text[] NOT NULL,
    extra jsonb NOT NULL,
    seen_at timestamptz
);
CREATE TABLE parts (
    id bigint PRIMARY KEY,
    thing_id uuid NOT NULL REFERENCES things (id),
    made_on date
);
