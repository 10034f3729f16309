-- Who bought what.

-- +goose Up
CREATE TABLE orders (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES users (id),
    status     text NOT NULL CHECK (status IN ('pending', 'paid', 'shipped', 'delivered', 'cancelled')),
    currency   text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    -- The sum of the lines, in minor units.
    total      bigint NOT NULL CHECK (total >= 0),
    -- How many pieces there are in all lines.
    items      integer NOT NULL CHECK (items > 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX orders_user_idx ON orders (user_id, id DESC);
CREATE INDEX orders_status_idx ON orders (status, id DESC);
CREATE INDEX orders_created_idx ON orders (created_at, id);

CREATE TABLE order_lines (
    order_id   uuid NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    -- Where the line stands in the order, from 1.
    position   integer NOT NULL CHECK (position > 0),
    product_id uuid NOT NULL REFERENCES products (id),
    quantity   integer NOT NULL CHECK (quantity > 0),
    -- As they were when the order was placed.
    sku        text NOT NULL,
    name       text NOT NULL,
    price      bigint NOT NULL CHECK (price >= 0),
    PRIMARY KEY (order_id, position),
    UNIQUE (order_id, product_id)
);
CREATE INDEX order_lines_product_idx ON order_lines (product_id);

-- +goose Down
DROP TABLE order_lines, orders;
