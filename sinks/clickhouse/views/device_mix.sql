-- Which devices people use and buy with: visits and their interactions, and counted orders, in the period. `device` is NULL
-- where none was told. `with_others` are persons who used another known device too; `orders_a_visit` is NULL without visits.
CREATE OR REPLACE VIEW onethread.device_mix AS
WITH
    met AS (
        SELECT
            person_id, CAST(device, 'Nullable(String)') AS device, count() AS visits, sum(touchpoints) AS interactions,
            0 AS orders, toDecimal64(0, 4) AS revenue, 0 AS unconverted
        FROM onethread.facts_visits FINAL
        WHERE true /* period of started_at */
        GROUP BY person_id, device
        UNION ALL
        SELECT
            person_id, CAST(placed_device, 'Nullable(String)'), 0, 0, count(),
            CAST(sum(ifNull(revenue_reporting, 0)), 'Decimal(18, 4)'), countIf(revenue_reporting IS NULL)
        FROM onethread.counted_orders AS o
        WHERE true /* period of placed_at */
        GROUP BY person_id, placed_device
    ),
    people AS (
        SELECT
            person_id, device, sum(m.visits) AS visits, sum(m.interactions) AS interactions, sum(m.orders) AS orders,
            sum(m.revenue) AS revenue, sum(m.unconverted) AS unconverted
        FROM met AS m GROUP BY person_id, device
    )
SELECT
    device, countIf(p.visits > 0) AS persons,
    countIf(p.visits > 0 AND used - (device IS NOT NULL) > 0) AS with_others,
    sum(p.visits) AS visits, sum(p.visits) / nullIf(sum(sum(p.visits)) OVER (), 0) AS visits_share,
    sum(p.interactions) AS interactions, countIf(p.orders > 0) AS buyers, sum(p.orders) AS orders,
    sum(p.orders) / nullIf(sum(p.visits), 0) AS orders_a_visit,
    CAST(sum(p.revenue), 'Decimal(18, 4)') AS revenue,
    toFloat64(sum(p.revenue)) / nullIf(sum(p.orders), 0) AS revenue_an_order,
    sum(p.unconverted) AS unconverted
FROM (
    SELECT *, countIf(device IS NOT NULL AND visits > 0) OVER (PARTITION BY person_id) AS used FROM people
) AS p
GROUP BY device
