-- The lines of the orders, of the row that the view orders shows.
CREATE OR REPLACE VIEW onethread.order_items AS
SELECT
    order_id, person_id, line_id, sku, name, category, brand, quantity, unit, returned_quantity, price, discount,
    margin, currency, placed_at, channel, store_id
FROM onethread.facts_order_items FINAL
WHERE cityHash64(order_id) NOT IN onethread.facts_orders_in_doubt
    OR (order_id, person_id) IN (
        SELECT order_id, person_id FROM onethread.orders
        WHERE cityHash64(order_id) IN onethread.facts_orders_in_doubt
    )
