-- Orders that look like an earlier one of the same person, told again by another channel: the later one of each pair. Both
-- are counted in every other view; `revenue_reporting` is what the later one adds there.
CREATE OR REPLACE VIEW onethread.duplicate_orders AS
SELECT
    o.order_id AS order_id, o.person_id AS person_id, o.placed_at AS placed_at, o.placed_channel AS placed_channel,
    o.placed_staff AS placed_staff, o.status AS status, o.total AS total, o.currency AS currency,
    o.revenue_reporting AS revenue_reporting, e.order_id AS original, e.placed_at AS original_at,
    e.placed_channel AS original_channel, e.status AS original_status, e.total AS original_total,
    dateDiff('second', e.placed_at, o.placed_at) / 60 AS minutes_apart
FROM onethread.orders AS o
INNER JOIN onethread.orders AS e ON e.order_id = o.suspected_duplicate_of
WHERE o.suspected_duplicate_of IS NOT NULL /* period of o.placed_at */
