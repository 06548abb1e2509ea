-- How many people buy (basis `orders`) or meet us (basis `use`: their visits, and orders they placed) online only, in stores
-- only, by phone only, on several of the three, and what each group leaves. Channels of the family `other` decide nothing;
-- `other only` are people of none of the three, and has a row only where there are any. `anonymous` are all that nobody's name
-- is known of: `persons` counts threads there, not people, and `share`, a share of people, is NULL; of shared pseudo-persons
-- only orders and revenue count. `multiplier` is revenue a head by that of all people of one family.
CREATE OR REPLACE VIEW onethread.channel_mix AS
WITH
    placed AS (
        SELECT
            person_id, person_shared, placed_channel AS channel, count() AS orders,
            sum(ifNull(revenue_reporting, 0)) AS revenue, countIf(revenue_reporting IS NULL) AS unconverted
        FROM onethread.orders AS o
        WHERE placed_at IS NOT NULL AND status != 'cancelled' /* period of placed_at */
        GROUP BY person_id, person_shared, channel
    ),
    used AS (
        SELECT 'orders' AS basis, person_id, CAST(channel, 'String') AS channel, orders, revenue, unconverted FROM placed
        UNION ALL
        SELECT 'use', person_id, CAST(channel, 'String'), orders, revenue, unconverted FROM placed
        UNION ALL
        SELECT 'use', person_id, CAST(channel, 'String'), 0, 0, 0
        FROM onethread.facts_visits FINAL
        WHERE true /* period of started_at */
        GROUP BY person_id, channel
    ),
    people AS (
        SELECT
            basis, person_id, sum(u.orders) AS orders, sum(u.revenue) AS revenue, sum(u.unconverted) AS unconverted,
            groupBitOr(toUInt8(multiIf(
                channel IN (SELECT channel FROM onethread.channels WHERE family = 'online'), 1,
                channel IN (SELECT channel FROM onethread.channels WHERE family = 'store'), 2,
                channel IN (SELECT channel FROM onethread.channels WHERE family = 'phone'), 4, 0
            ))) AS families
        FROM used AS u
        GROUP BY basis, person_id
    ),
    groups AS (
        SELECT
            basis,
            multiIf(
                NOT p.known OR p.shared, 'anonymous', families = 1, 'online only', families = 2, 'store only',
                families = 4, 'phone only', families = 0, 'other only', 'several'
            ) AS segment,
            countIf(NOT p.shared) AS persons, sum(m.orders) AS orders, sum(m.revenue) AS revenue,
            sum(m.unconverted) AS unconverted
        FROM people AS m
        LEFT JOIN (SELECT person_id, known, shared FROM onethread.facts_persons FINAL) AS p ON p.person_id = m.person_id
        GROUP BY basis, segment
    )
SELECT
    basis, segment, g.persons AS persons,
    if(segment = 'anonymous', NULL, g.persons / (sumIf(g.persons, segment != 'anonymous') OVER whole)) AS share,
    g.orders AS orders, g.orders / nullIf(sum(g.orders) OVER whole, 0) AS orders_share,
    CAST(g.revenue, 'Decimal(18, 4)') AS revenue,
    toFloat64(g.revenue) / nullIf(toFloat64(sum(g.revenue) OVER whole), 0) AS revenue_share,
    if(segment = 'anonymous', NULL, toFloat64(g.revenue) / g.persons) AS revenue_a_head,
    revenue_a_head / nullIf(
        toFloat64(sumIf(g.revenue, segment IN ('online only', 'store only', 'phone only')) OVER whole)
        / nullIf(sumIf(g.persons, segment IN ('online only', 'store only', 'phone only')) OVER whole, 0), 0
    ) AS multiplier,
    g.unconverted AS unconverted
FROM groups AS g
WINDOW whole AS (PARTITION BY basis)
