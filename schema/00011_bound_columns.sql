-- What the contract promises of these columns, the tables now see to. Each table is
-- read once, under a lock that keeps writers waiting for as long as that takes.

-- +goose Up
ALTER TABLE sessions
    ADD CONSTRAINT sessions_ip_length CHECK (char_length(ip) <= 45);

ALTER TABLE audit_events
    ADD CONSTRAINT audit_events_action_length CHECK (char_length(action) <= 60),
    ADD CONSTRAINT audit_events_detail_length CHECK (char_length(detail) <= 500),
    ADD CONSTRAINT audit_events_ip_length CHECK (char_length(ip) <= 45),
    ADD CONSTRAINT audit_events_user_agent_length CHECK (char_length(user_agent) <= 300),
    ADD CONSTRAINT audit_events_request_id_length CHECK (char_length(request_id) <= 64);

-- bare-drops {
ALTER TABLE orders
    ADD CONSTRAINT orders_total_range CHECK (total <= 1000000000000000),
    ADD CONSTRAINT orders_items_range CHECK (items <= 500000);

ALTER TABLE order_lines
    ADD CONSTRAINT order_lines_quantity_range CHECK (quantity <= 10000),
    ADD CONSTRAINT order_lines_sku_length CHECK (char_length(sku) <= 64),
    ADD CONSTRAINT order_lines_name_length CHECK (char_length(name) <= 200),
    ADD CONSTRAINT order_lines_price_range CHECK (price <= 1000000000);

ALTER TABLE notifications
    ADD CONSTRAINT notifications_number_range CHECK (number BETWEEN 1 AND 9007199254740991),
    ADD CONSTRAINT notifications_kind_known CHECK (kind IN
        ('security.new-sign-in', 'security.password-changed', 'order.placed', 'order.status', 'report.succeeded', 'report.failed'));

ALTER TABLE files
    ADD CONSTRAINT files_size_range CHECK (size <= 9007199254740991);
-- bare-drops }

-- +goose Down
-- bare-drops {
ALTER TABLE files
    DROP CONSTRAINT files_size_range;
ALTER TABLE notifications
    DROP CONSTRAINT notifications_kind_known,
    DROP CONSTRAINT notifications_number_range;
ALTER TABLE order_lines
    DROP CONSTRAINT order_lines_price_range,
    DROP CONSTRAINT order_lines_name_length,
    DROP CONSTRAINT order_lines_sku_length,
    DROP CONSTRAINT order_lines_quantity_range;
ALTER TABLE orders
    DROP CONSTRAINT orders_items_range,
    DROP CONSTRAINT orders_total_range;
-- bare-drops }
ALTER TABLE audit_events
    DROP CONSTRAINT audit_events_request_id_length,
    DROP CONSTRAINT audit_events_user_agent_length,
    DROP CONSTRAINT audit_events_ip_length,
    DROP CONSTRAINT audit_events_detail_length,
    DROP CONSTRAINT audit_events_action_length;
ALTER TABLE sessions
    DROP CONSTRAINT sessions_ip_length;
