-- What there is of a product in a store, as loaded with `onethread load stock`; store_id is NULL for what no store holds.
CREATE OR REPLACE VIEW onethread.stock AS
SELECT
    sku, nullIf(store_id, '') AS store_id, available, reserved, incoming, expected_at, price, currency, at
FROM onethread.facts_stock FINAL
