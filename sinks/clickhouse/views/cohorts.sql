-- People by the month of their first counted order, and what they did month by month since: one row a cohort and age, up to
-- the month of as_of, months without a buyer included. Amounts are in the reporting currency; `revenue_a_head` and
-- `margin_a_head` are added up from the first month on, per person of the cohort. `cost_a_head` is all campaign cost of
-- the cohort's month per new buyer; `paid_back` says whether margin has reached it.
CREATE OR REPLACE VIEW onethread.cohorts AS
WITH
    (SELECT (reporting_zone, as_of) FROM onethread.settings) AS clock,
    ifNull(nullIf(clock.1, ''), 'UTC') AS zone,
    toStartOfMonth(toDate(clock.2, zone)) AS this_month,
    bought AS (
        SELECT
            person_id, toStartOfMonth(toDate(assumeNotNull(placed_at), zone)) AS month,
            min(month) OVER (PARTITION BY person_id) AS cohort, count() AS orders,
            sum(ifNull(revenue_reporting, 0)) AS revenue, sum(roundBankers(o.margin * rate, 4)) AS margin,
            countIf(rate IS NULL) AS unconverted
        FROM onethread.counted_orders AS o
        WHERE person_id IN (
            SELECT person_id FROM onethread.facts_persons FINAL WHERE known AND NOT shared
        )
        GROUP BY person_id, month
    ),
    months AS (
        SELECT
            cohort, toUInt64(dateDiff('month', cohort, month)) AS age, count() AS buyers, sum(b.orders) AS orders,
            sum(b.revenue) AS revenue, sum(b.margin) AS margin, sum(b.unconverted) AS unconverted
        FROM bought AS b GROUP BY cohort, age
    ),
    grid AS (
        SELECT
            cohort, buyers AS persons,
            arrayJoin(range(toUInt64(greatest(dateDiff('month', cohort, this_month), 0)) + 1)) AS age
        FROM months AS m WHERE m.age = 0
    ),
    spent AS (
        SELECT toStartOfMonth(day) AS month, sum(cost_reporting) AS cost FROM onethread.campaign_spend GROUP BY month
    )
SELECT
    g.cohort AS cohort, g.age AS age, g.persons AS persons, ifNull(m.buyers, 0) AS buyers, buyers / persons AS retention,
    ifNull(m.orders, 0) AS orders, CAST(ifNull(m.revenue, 0), 'Decimal(18, 4)') AS revenue,
    CAST(m.margin, 'Nullable(Decimal(18, 4))') AS margin,
    toFloat64(sum(ifNull(m.revenue, 0)) OVER so_far) / persons AS revenue_a_head,
    toFloat64(sum(m.margin) OVER so_far) / persons AS margin_a_head,
    toFloat64(s.cost) / persons AS cost_a_head, margin_a_head >= cost_a_head AS paid_back,
    ifNull(m.unconverted, 0) AS unconverted
FROM grid AS g
LEFT JOIN (SELECT cohort, age, buyers, orders, revenue, toNullable(margin) AS margin, unconverted FROM months) AS m
    ON m.cohort = g.cohort AND m.age = g.age
LEFT JOIN (SELECT month, toNullable(cost) AS cost FROM spent) AS s ON s.month = g.cohort
WINDOW so_far AS (PARTITION BY g.cohort ORDER BY g.age ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
