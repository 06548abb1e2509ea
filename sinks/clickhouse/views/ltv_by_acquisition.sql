-- What people are worth by the channel and campaign that brought them: what they spent so far, what the last run of LTV
-- predicts for its twelve months, and what the campaign cost. A campaign's cost is divided among its rows by persons.
-- `ltv_a_head` is revenue so far and predicted per person, `payback` the margin so far and predicted for each unit of cost.
CREATE OR REPLACE VIEW onethread.ltv_by_acquisition AS
WITH
    spent AS (
        SELECT
            ifNull(CAST(c.source, 'Nullable(String)'), '') AS source,
            ifNull(CAST(c.medium, 'Nullable(String)'), '') AS medium,
            ifNull(CAST(c.name, 'Nullable(String)'), '') AS name, sum(c.cost_reporting) AS cost
        FROM onethread.campaign_spend AS c GROUP BY source, medium, name
    ),
    brought AS (
        SELECT
            acquisition_channel, CAST(p.acquisition_source, 'Nullable(String)') AS acquisition_source,
            CAST(p.acquisition_medium, 'Nullable(String)') AS acquisition_medium, acquisition_campaign,
            count() AS persons, countIf(p.orders > 0) AS buyers, sum(p.orders) AS orders, sum(p.revenue) AS revenue,
            sum(p.margin) AS margin, countIf(p.predicted_orders IS NOT NULL) AS predicted,
            sum(p.predicted_orders) AS predicted_orders, sum(p.predicted_revenue) AS predicted_revenue,
            sum(p.predicted_margin) AS predicted_margin, sum(p.unconverted) AS unconverted
        FROM onethread.persons AS p WHERE known AND NOT shared
        GROUP BY acquisition_channel, acquisition_source, acquisition_medium, acquisition_campaign
    )
SELECT
    b.acquisition_channel AS acquisition_channel, b.acquisition_source AS acquisition_source,
    b.acquisition_medium AS acquisition_medium, b.acquisition_campaign AS acquisition_campaign,
    b.persons AS persons, b.buyers AS buyers, b.orders AS orders, b.revenue AS revenue, b.margin AS margin,
    b.predicted AS predicted, b.predicted_orders AS predicted_orders, b.predicted_revenue AS predicted_revenue,
    b.predicted_margin AS predicted_margin,
    toFloat64(b.revenue + ifNull(b.predicted_revenue, 0)) / b.persons AS ltv_a_head,
    CAST(toDecimal128(s.cost, 4) * b.persons / (sum(b.persons) OVER (
        PARTITION BY b.acquisition_source, b.acquisition_medium, b.acquisition_campaign
    )), 'Nullable(Decimal(18, 4))') AS cost,
    toFloat64(cost) / nullIf(b.buyers, 0) AS cost_a_buyer,
    toFloat64(ifNull(b.margin, 0) + ifNull(b.predicted_margin, 0)) / nullIf(toFloat64(cost), 0) AS payback,
    b.unconverted AS unconverted
FROM brought AS b
LEFT JOIN (SELECT source, medium, name, toNullable(cost) AS cost FROM spent WHERE (source, medium, name) != ('', '', '')) AS s
    ON s.source = ifNull(b.acquisition_source, '') AND s.medium = ifNull(b.acquisition_medium, '')
    AND s.name = ifNull(b.acquisition_campaign, '')
