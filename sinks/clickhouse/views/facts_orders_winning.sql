-- Not for analysts: of the orders in doubt the row that stays: the one placed first (never placed is last), then the one of
-- the least person_id as text, because the engine orders UUIDs otherwise.
CREATE OR REPLACE VIEW onethread.facts_orders_winning AS
SELECT
    order_id,
    argMin(person_id, (placed_at IS NULL, ifNull(placed_at, toDateTime64(0, 3, 'UTC')), toString(person_id))) AS person_id
FROM onethread.facts_orders FINAL
WHERE cityHash64(order_id) IN onethread.facts_orders_in_doubt
GROUP BY order_id
