-- One row a person, shared pseudo-persons included (shared = true). Money is of counted orders (placed, not cancelled,
-- person not shared) in the reporting currency at the rate of their day; those without a rate are counted in `unconverted`.
-- `returned` holds accepted returns that name no order too.
CREATE OR REPLACE VIEW onethread.persons AS
WITH
    (SELECT reporting_currency FROM onethread.settings) AS reporting,
    (SELECT (reporting_zone, as_of, active_probability, at_risk_probability, active_ratio, at_risk_ratio, new_days)
     FROM onethread.settings) AS rule,
    (SELECT (argMax(run_id, at), argMax(as_of, at), argMax(parameters, at))
     FROM onethread.batch_runs WHERE model = 'ltv') AS fit,
    ifNull(nullIf(rule.1, ''), 'UTC') AS zone,
    toInt32(toDate32(rule.2, zone)) AS today,
    p.known AND NOT p.shared AS is_one,
    today - o.order_days[-1] AS silent_days,
    if(length(o.order_days) >= 4, arrayReduce('quantileExactInclusive', o.gaps), if(
        isNaN(o.everybodys_gap), toFloat64(rule.7), o.everybodys_gap)) AS usual_gap,
    o.purchase_days - 1 AS again,
    if(ifNull(is_one AND o.purchase_days > 0 AND notEmpty(fit.3), false), if(again = 0, 1., 1 / (1
        + toFloat64OrZero(fit.3['a']) / (toFloat64OrZero(fit.3['b']) + again - 1)
        * exp((toFloat64OrZero(fit.3['r']) + again) * (
            log(toFloat64OrZero(fit.3['alpha']) + greatest(today - o.first_day, o.last_day - o.first_day) / 7)
            - log(toFloat64OrZero(fit.3['alpha']) + (o.last_day - o.first_day) / 7)))
    )), NULL) AS alive,
    multiIf(
        alive >= rule.3, 'active', alive >= rule.4, 'at_risk', alive IS NOT NULL, 'churned',
        silent_days <= rule.5 * usual_gap, 'active', silent_days <= rule.6 * usual_gap, 'at_risk', 'churned'
    ) AS standing,
    arrayFilter(seen -> seen.1 >= o.order_days[-1] + usual_gap AND seen.1 <= today, s.seen) AS seen_since,
    multiIf(
        NOT is_one, NULL, ifNull(o.orders, 0) = 0, 'prospect',
        length(o.order_days) = 1 AND silent_days <= rule.7, 'new',
        standing != 'active' AND length(arrayDistinct(arrayMap(seen -> seen.1, seen_since))) >= 2, 'unnoticed',
        standing
    ) AS found_status
SELECT
    p.person_id AS person_id, p.known AS known, p.shared AS shared,
    p.first_seen_at AS first_seen_at, p.last_seen_at AS last_seen_at, p.last_interaction_at AS last_interaction_at,
    p.first_channel AS first_channel, p.channels AS channels, p.devices AS devices,
    p.identifier_kinds AS identifier_kinds, p.touchpoints AS touchpoints, p.sessions AS sessions,
    p.journeys AS journeys,
    ifNull(o.orders, 0) AS orders,
    CAST(ifNull(o.revenue, 0), 'Decimal(18, 4)') AS revenue,
    CAST(o.margin, 'Nullable(Decimal(18, 4))') AS margin,
    CAST(ifNull(o.returned, 0) + ifNull(r.returned, 0), 'Decimal(18, 4)') AS returned,
    assumeNotNull(reporting) AS currency,
    ifNull(o.unconverted, 0) + ifNull(r.unconverted, 0) AS unconverted,
    o.first_order_at AS first_order_at, o.last_order_at AS last_order_at,
    p.home_store_id AS home_store_id,
    CAST(found_status, 'LowCardinality(Nullable(String))') AS status,
    if(ifNull(found_status = 'unnoticed', false), arraySort(arrayDistinct(arrayMap(seen -> seen.2, seen_since))),
        CAST([], 'Array(String)')) AS unnoticed_by,
    CAST(if(w.bought, w.first.2, p.acquisition_channel), 'LowCardinality(Nullable(String))') AS acquisition_channel,
    CAST(if(w.bought, w.first.3, p.acquisition_source), 'Nullable(String)') AS acquisition_source,
    CAST(if(w.bought, w.first.4, p.acquisition_medium), 'Nullable(String)') AS acquisition_medium,
    CAST(if(w.bought, w.first.5, p.acquisition_campaign), 'Nullable(String)') AS acquisition_campaign,
    CAST(if(w.bought, w.first.1, p.acquired_at), 'Nullable(DateTime64(3, \'UTC\'))') AS acquired_at,
    CAST(alive, 'Nullable(Float64)') AS probability_alive,
    l.predicted_orders AS predicted_orders,
    toDecimal64(toInt64(round(l.predicted_revenue * 10000)), 0) * toDecimal64('0.0001', 4) AS predicted_revenue,
    toDecimal64(toInt64(round(l.predicted_margin * 10000)), 0) * toDecimal64('0.0001', 4) AS predicted_margin,
    CAST(if(l.predicted_orders IS NULL, NULL, fit.2), 'Nullable(DateTime64(3, \'UTC\'))') AS predicted_at,
    p.preferences AS preferences, p.consent AS consent
FROM onethread.facts_persons AS p FINAL
LEFT JOIN (
    SELECT *, quantileExactInclusiveArray(0.5)(if(person_id IN (
        SELECT person_id FROM onethread.facts_persons FINAL WHERE known AND NOT shared
    ), gaps, [])) OVER () AS everybodys_gap
    FROM (
        WITH ifNull(revenue_reporting > 0, false) AND suspected_duplicate_of IS NULL AS is_purchase
        SELECT
            person_id, count() AS orders,
            sum(revenue_reporting) AS revenue,
            sum(roundBankers(c.margin * rate, 4)) AS margin,
            sum(roundBankers(returned_amount * rate, 4)) AS returned,
            countIf(rate IS NULL) AS unconverted,
            min(placed_at) AS first_order_at, max(placed_at) AS last_order_at,
            arraySort(groupUniqArray(toInt32(toDate32(assumeNotNull(placed_at), zone)))) AS order_days,
            arrayPopFront(arrayDifference(order_days)) AS gaps,
            uniqExactIf(toDate32(placed_at, zone), is_purchase) AS purchase_days,
            minIf(toInt32(toDate32(assumeNotNull(placed_at), zone)), is_purchase) AS first_day,
            maxIf(toInt32(toDate32(assumeNotNull(placed_at), zone)), is_purchase) AS last_day
        FROM onethread.counted_orders AS c
        GROUP BY person_id
    )
) AS o ON o.person_id = p.person_id
LEFT JOIN (
    SELECT person_id, groupUniqArray((toInt32(toDate32(occurred_at, zone)), CAST(channel, 'String'))) AS seen
    FROM onethread.batch_seen_in_store FINAL
    WHERE type IN ('store_visited', 'wifi_seen', 'face_seen', 'consulted')
    GROUP BY person_id
) AS s ON s.person_id = p.person_id
LEFT JOIN (
    SELECT
        person_id, toNullable(predicted_orders) AS predicted_orders, toNullable(predicted_revenue) AS predicted_revenue,
        predicted_margin
    FROM onethread.batch_predictions WHERE run_id = fit.1
) AS l ON l.person_id = p.person_id
LEFT JOIN (
    SELECT
        person_id, sum(roundBankers(amount * rate, 4)) AS returned,
        countIf(amount IS NOT NULL AND rate IS NULL) AS unconverted
    FROM onethread.returns
    WHERE order_id IS NULL AND outcome = 'accepted' AND NOT person_shared
    GROUP BY person_id
) AS r ON r.person_id = p.person_id
LEFT JOIN (
    SELECT
        person_id, true AS bought,
        argMin((
            acquired_at, CAST(acquisition_channel, 'String'), CAST(acquisition_source, 'Nullable(String)'),
            CAST(acquisition_medium, 'Nullable(String)'), acquisition_campaign
        ), (placed_at, order_id)) AS first
    FROM onethread.facts_credits FINAL
    WHERE cityHash64(order_id) NOT IN onethread.facts_orders_in_doubt OR (order_id, person_id) IN (
        SELECT order_id, person_id FROM onethread.orders
        WHERE cityHash64(order_id) IN onethread.facts_orders_in_doubt
    )
    GROUP BY person_id
) AS w ON w.person_id = p.person_id
