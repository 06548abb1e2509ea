-- What each campaign cost in a month and what its touches of that month earned, by model: the six rule models, and the
-- last run of each batch model (by campaign, where there is one). Cost is that of campaign_spend, the same in the row of
-- every model: choose one model. Orders and revenue are of counted orders, whenever they were placed, divided among the touches before them. Money without
-- a rate is left out and counted in `unconverted` (costs and credited orders).
CREATE OR REPLACE VIEW onethread.campaign_return AS
WITH
    ifNull(nullIf((SELECT reporting_zone FROM onethread.settings), ''), 'UTC') AS zone,
    ['first', 'last', 'last_non_direct', 'linear', 'time_decay', 'position'] AS rules,
    -- What touches earn in money is cut as the view credits cuts it.
    (shares, whole) -> arrayMap(share -> toDecimal64(trunc(toDecimal128(whole, 4) * share, 4), 4), arrayPopBack(shares))
        AS cut,
    (shares, whole) -> arrayPushBack(cut(shares, whole), toDecimal64(whole - arraySum(cut(shares, whole)), 4)) AS parts,
    last_runs AS (
        SELECT argMax(run_id, (parameters['by'] = 'campaign', at)) FROM onethread.model_runs
        WHERE model IN ('markov', 'shapley') GROUP BY model
    ),
    earned AS (
        SELECT
            toStartOfMonth(toDate(at, zone)) AS month, CAST(campaign_source, 'Nullable(String)') AS campaign_source,
            CAST(campaign_medium, 'Nullable(String)') AS campaign_medium, campaign_name, CAST(model, 'String') AS model,
            sum(credit) AS orders, sum(revenue_reporting) AS revenue, countIf(revenue_reporting IS NULL) AS without_rate
        FROM onethread.model_credits
        WHERE run_id IN last_runs
            AND NOT (campaign_source IS NULL AND campaign_medium IS NULL AND campaign_name IS NULL) /* period of at */
        GROUP BY month, campaign_source, campaign_medium, campaign_name, model
        UNION ALL
        SELECT month, nullIf(source, ''), nullIf(medium, ''), nullIf(name, ''), model, orders, revenue, without_rate
        FROM (
            SELECT
                toStartOfMonth(toDate(at, zone)) AS month, source, medium, name,
                [sum(a), sum(b), sum(c), sum(d), sum(e), sum(f)] AS by_orders,
                [sum(of_a), sum(of_b), sum(of_c), sum(of_d), sum(of_e), sum(of_f)] AS by_revenue,
                countIf(reporting IS NULL) AS without_rate
            FROM (
                SELECT c.*, o.revenue_reporting AS reporting, ifNull(o.revenue_reporting, 0) AS whole
                FROM onethread.facts_credits AS c FINAL
                INNER JOIN (SELECT order_id, person_id, revenue_reporting FROM onethread.orders) AS o
                    ON o.order_id = c.order_id AND o.person_id = c.person_id
            )
            ARRAY JOIN
                ats AS at, campaign_sources AS source, campaign_mediums AS medium, campaign_names AS name,
                first AS a, last AS b, last_non_direct AS c, linear AS d, time_decay AS e, position AS f,
                parts(first, whole) AS of_a, parts(last, whole) AS of_b, parts(last_non_direct, whole) AS of_c,
                parts(linear, whole) AS of_d, parts(time_decay, whole) AS of_e, parts(position, whole) AS of_f
            WHERE NOT (source = '' AND medium = '' AND name = '') /* period of at */
            GROUP BY month, source, medium, name
        )
        ARRAY JOIN rules AS model, by_orders AS orders, by_revenue AS revenue
    ),
    spent AS (
        SELECT
            toStartOfMonth(day) AS month, source, medium, name, sum(cost_reporting) AS cost,
            sum(s.unconverted) AS without_rate
        FROM onethread.campaign_spend AS s
        WHERE true /* period of day */
        GROUP BY month, source, medium, name
    ),
    models AS (
        SELECT arrayJoin(rules) AS model
        UNION DISTINCT SELECT CAST(model, 'String') FROM onethread.model_runs WHERE model IN ('markov', 'shapley')
    )
SELECT
    month, source AS campaign_source, medium AS campaign_medium, name AS campaign_name, model,
    CAST(sum(a.cost), 'Decimal(18, 4)') AS cost, sum(a.orders) AS orders,
    CAST(sum(a.revenue), 'Decimal(18, 4)') AS revenue,
    toFloat64(sum(a.revenue)) / nullIf(toFloat64(sum(a.cost)), 0) AS return_ratio,
    toFloat64(sum(a.cost)) / nullIf(toFloat64(sum(a.orders)), 0) AS cost_per_order,
    sum(a.without_rate) AS unconverted
FROM (
    SELECT
        month, source, medium, name, model, cost, toDecimal128(0, 12) AS orders, toDecimal128(0, 4) AS revenue,
        without_rate
    FROM spent CROSS JOIN models
    UNION ALL
    SELECT month, campaign_source, campaign_medium, campaign_name, model, 0, orders, ifNull(revenue, 0), without_rate
    FROM earned
) AS a
GROUP BY month, source, medium, name, model
