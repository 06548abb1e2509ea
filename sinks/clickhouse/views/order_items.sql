-- The lines of the orders, of the row that the view orders shows.
CREATE OR REPLACE VIEW onethread.order_items AS
SELECT
    order_id, person_id, line_id, sku, name, category, brand, quantity, unit, returned_quantity, price, discount,
    margin, currency, placed_at, channel, store_id
FROM onethread.facts_order_items FINAL
WHERE (order_id, person_id) IN (SELECT order_id, person_id FROM onethread.orders)
