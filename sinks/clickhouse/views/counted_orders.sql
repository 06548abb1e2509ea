-- The orders that people and ready questions count: placed, not cancelled, and not of a shared pseudo-person. Said once, here.
CREATE OR REPLACE VIEW onethread.counted_orders AS
SELECT * FROM onethread.orders
WHERE placed_at IS NOT NULL AND status != 'cancelled' AND NOT person_shared
