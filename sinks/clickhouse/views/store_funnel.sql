-- Who is in a store and who buys, hour by hour in the period: `seen` are persons with an interaction or observation, or who took
-- an order, on a channel of the family store; `known` those of them whose name we know by now. `receipts` are all orders placed
-- on pos and not cancelled, anonymous ones too. Hours begin as the reporting zone's do; `day` and `hour_of_day` are that zone's.
CREATE OR REPLACE VIEW onethread.store_funnel AS
WITH
    (SELECT reporting_zone FROM onethread.settings) AS told_zone,
    ifNull(nullIf(told_zone, ''), 'UTC') AS zone,
    told AS (
        SELECT
            assumeNotNull(store_id) AS store, toDateTime(toStartOfHour(toTimeZone(occurred_at, zone)), 'UTC') AS hour,
            uniqExact(person_id) AS seen,
            uniqExactIf(person_id, person_id IN (
                SELECT person_id FROM onethread.facts_persons FINAL WHERE known AND NOT shared
            )) AS known,
            0 AS receipts
        FROM onethread.facts_touchpoints FINAL
        PREWHERE (store_id IS NOT NULL AND (role IN ('interaction', 'observation') OR type = 'order_fulfilled'))
            OR is_deleted OR conflicts > 0
        WHERE store_id IS NOT NULL AND (role IN ('interaction', 'observation') OR type = 'order_fulfilled')
            AND channel IN (SELECT channel FROM onethread.channels WHERE family = 'store') /* period of occurred_at */
            AND person_id NOT IN (SELECT person_id FROM onethread.facts_persons FINAL WHERE shared)
        GROUP BY store, hour
        UNION ALL
        SELECT
            assumeNotNull(store_id) AS store, toDateTime(toStartOfHour(toTimeZone(placed_at, zone)), 'UTC') AS hour, 0, 0,
            count()
        FROM onethread.receipts
        WHERE store_id IS NOT NULL /* period of placed_at */
        GROUP BY store, hour
    )
SELECT
    t.store_id AS store_id, n.name AS store, t.hour AS hour,
    toDate(t.hour, zone) AS day, toHour(t.hour, zone) AS hour_of_day, t.seen AS seen, t.known AS known,
    t.receipts AS receipts
FROM (
    SELECT store AS store_id, hour, sum(o.seen) AS seen, sum(o.known) AS known, sum(o.receipts) AS receipts
    FROM told AS o GROUP BY store, hour
) AS t
LEFT JOIN onethread.stores AS n ON n.store_id = t.store_id
