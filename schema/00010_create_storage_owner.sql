-- Which storage of files belongs to this database, and how far it has come. The
-- storage holds the same, so that another database, or this one as it was before,
-- is told from it.

-- +goose Up
CREATE TABLE storage_owner (
    -- One row.
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    id     uuid NOT NULL,
    -- How often the storage has been swept.
    sweeps bigint NOT NULL
);

-- +goose Down
DROP TABLE storage_owner;
