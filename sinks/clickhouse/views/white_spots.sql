-- Where we do not see who buys: the receipts of each store and week, and how many of them name nobody. `revenue` is that of
-- the anonymous ones, `revenue_all` of all. `silent_cards`: people with a loyalty card who were named on receipts of two days
-- or more, the last of them of this store and week, and longer than journey_gap ago at as_of.
-- The period is half-open; silence is told by all receipts, also those outside of it.
CREATE OR REPLACE VIEW onethread.white_spots AS
WITH
    (SELECT (reporting_zone, as_of - toIntervalMillisecond(toInt64(round(journey_gap * 1000))))
     FROM onethread.settings) AS clock,
    ifNull(nullIf(clock.1, ''), 'UTC') AS zone,
    spots AS (
        SELECT
            store_id, week, count() AS receipts, countIf(r.anonymous) AS anonymous,
            sumIf(ifNull(revenue_reporting, 0), r.anonymous) AS revenue, sum(ifNull(revenue_reporting, 0)) AS revenue_all,
            countIf(r.identified_later) AS identified_later, countIf(revenue_reporting IS NULL) AS unconverted
        FROM onethread.receipts AS r
        WHERE true /* period of placed_at */
        GROUP BY store_id, week
    ),
    silent AS (
        SELECT last_store AS store_id, toStartOfWeek(last_at, 1, zone) AS week, count() AS cards
        FROM (
            SELECT
                person_id, max(placed_at) AS last_at,
                argMax((store_id, order_id), (placed_at, order_id)).1 AS last_store
            FROM onethread.receipts WHERE has_card AND NOT anonymous
            GROUP BY person_id
            HAVING last_at < clock.2 AND uniqExact(toDate(placed_at, zone)) > 1
        )
        GROUP BY store_id, week
    )
SELECT
    s.store_id AS store_id, n.name AS store, s.week AS week, s.receipts AS receipts, s.anonymous AS anonymous,
    s.anonymous / s.receipts AS share,
    CAST(s.revenue, 'Decimal(18, 4)') AS revenue, CAST(s.revenue_all, 'Decimal(18, 4)') AS revenue_all,
    s.identified_later AS identified_later, ifNull(c.cards, 0) AS silent_cards, s.unconverted AS unconverted
FROM spots AS s
LEFT JOIN onethread.stores AS n ON n.store_id = s.store_id
LEFT JOIN silent AS c ON ifNull(c.store_id, '') = ifNull(s.store_id, '') AND c.week = s.week
