-- How many people buy (basis `orders`) or meet us (basis `use`: their visits, and orders they placed) online only, in stores
-- only, by phone only, on several of the three, and what each group leaves. Channels of the family `other` decide nothing;
-- `other only` are people of none of the three, and has a row only where there are any. `anonymous` are all that nobody's name
-- is known of: `persons` counts threads there, not people, and `share`, a share of people, is NULL; of shared pseudo-persons
-- only orders and revenue count. `multiplier` is revenue a head by that of all people of one family.
CREATE OR REPLACE VIEW onethread.channel_mix AS
WITH
    (SELECT (
        groupArrayIf(channel, family = 'online'), groupArrayIf(channel, family = 'store'),
        groupArrayIf(channel, family = 'phone')
    ) FROM onethread.channels) AS by_family,
    met AS (
        SELECT
            person_id, count() AS orders, sum(ifNull(revenue_reporting, 0)) AS revenue,
            countIf(revenue_reporting IS NULL) AS unconverted,
            groupBitOr(toUInt8(multiIf(
                has(by_family.1, placed_channel), 1, has(by_family.2, placed_channel), 2,
                has(by_family.3, placed_channel), 4, 0
            ))) AS bought_on,
            toUInt8(0) AS met_on
        FROM onethread.orders AS o
        WHERE placed_at IS NOT NULL AND status != 'cancelled' /* period of placed_at */
        GROUP BY person_id
        UNION ALL
        SELECT
            person_id, 0, 0, 0, 0,
            groupBitOr(toUInt8(multiIf(
                has(by_family.1, channel), 1, has(by_family.2, channel), 2, has(by_family.3, channel), 4, 0
            )))
        FROM onethread.facts_visits FINAL
        WHERE true /* period of started_at */
        GROUP BY person_id
    ),
    people AS (
        SELECT
            person_id, sum(m.orders) AS orders, sum(m.revenue) AS revenue, sum(m.unconverted) AS unconverted,
            groupBitOr(m.bought_on) AS bought_on, bitOr(bought_on, groupBitOr(m.met_on)) AS met_on
        FROM met AS m
        GROUP BY person_id
    ),
    groups AS (
        SELECT
            side.1 AS basis,
            multiIf(
                NOT p.known OR p.shared, 'anonymous', side.2 = 1, 'online only', side.2 = 2, 'store only',
                side.2 = 4, 'phone only', side.2 = 0, 'other only', 'several'
            ) AS segment,
            countIf(NOT p.shared) AS persons, sum(m.orders) AS orders, sum(m.revenue) AS revenue,
            sum(m.unconverted) AS unconverted
        FROM people AS m
        LEFT JOIN (SELECT person_id, known, shared FROM onethread.facts_persons FINAL) AS p ON p.person_id = m.person_id
        ARRAY JOIN if(m.orders > 0, [('orders', m.bought_on), ('use', m.met_on)], [('use', m.met_on)]) AS side
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
