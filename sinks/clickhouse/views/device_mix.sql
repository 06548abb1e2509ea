-- Which devices people use and buy with: visits and their interactions, and counted orders, in the period. `device` is NULL
-- where none was told. `with_others` are persons who used another known device too; `orders_a_visit` is NULL without visits.
CREATE OR REPLACE VIEW onethread.device_mix AS
SELECT
    CAST(t.device, 'Nullable(String)') AS device, sum(t.persons) AS persons, sum(t.with_others) AS with_others,
    sum(t.visits) AS visits, sum(t.visits) / nullIf(sum(sum(t.visits)) OVER (), 0) AS visits_share,
    sum(t.interactions) AS interactions, sum(t.buyers) AS buyers, sum(t.orders) AS orders,
    sum(t.orders) / nullIf(sum(t.visits), 0) AS orders_a_visit,
    CAST(sum(t.revenue), 'Decimal(18, 4)') AS revenue,
    toFloat64(sum(t.revenue)) / nullIf(sum(t.orders), 0) AS revenue_an_order, sum(t.unconverted) AS unconverted
FROM (
    SELECT
        used.1 AS device, count() AS persons, countIf(known_devices > (device IS NOT NULL)) AS with_others,
        sum(used.2) AS visits, sum(used.3) AS interactions, 0 AS buyers, 0 AS orders, toDecimal64(0, 4) AS revenue,
        0 AS unconverted
    FROM (
        SELECT groupArray((device, visits, interactions)) AS devices, count(device) AS known_devices
        FROM (
            SELECT person_id, device, count() AS visits, sum(touchpoints) AS interactions
            FROM onethread.facts_visits FINAL
            WHERE true /* period of started_at */
            GROUP BY person_id, device
        )
        GROUP BY person_id
    ) ARRAY JOIN devices AS used
    GROUP BY device
    UNION ALL
    SELECT
        placed_device, 0, 0, 0, 0, uniqExact(person_id), count(),
        CAST(sum(ifNull(revenue_reporting, 0)), 'Decimal(18, 4)'), countIf(revenue_reporting IS NULL)
    FROM onethread.counted_orders AS o
    WHERE true /* period of placed_at */
    GROUP BY placed_device
) AS t
GROUP BY device
