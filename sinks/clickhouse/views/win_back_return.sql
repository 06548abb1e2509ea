-- What win-back campaigns (those with win-back, win_back or winback in their name) cost and brought, by month of contact.
-- A contact is one message, call or advertisement shown to one person. Each is judged as of its own moment, by the gap rule
-- of `status`: *active* had not left at all; *unnoticed* seemed to have left but was seen in a store on two days or more
-- since the last order and the usual gap: both were spent in vain; *lapsed* had left. `won_back` are lapsed people with a
-- counted order within 30 days of the contact; an order counts for the last contact before it.
CREATE OR REPLACE VIEW onethread.win_back_return AS
WITH
    (SELECT (reporting_zone, active_ratio, new_days) FROM onethread.settings) AS rule,
    ifNull(nullIf(rule.1, ''), 'UTC') AS zone,
    counted AS (
        SELECT person_id, assumeNotNull(placed_at) AS at, order_id, ifNull(revenue_reporting, 0) AS revenue
        FROM onethread.counted_orders
    ),
    (
        SELECT quantileExactInclusiveArray(0.5)(arrayPopFront(arrayDifference(days)))
        FROM (
            SELECT arraySort(groupUniqArray(toInt32(toDate32(at, zone)))) AS days FROM counted
            WHERE person_id IN (SELECT person_id FROM onethread.facts_persons FINAL WHERE known AND NOT shared)
            GROUP BY person_id
        )
    ) AS everybodys_gap,
    contacts AS (
        SELECT
            person_id, CAST(campaign_source, 'Nullable(String)') AS source, campaign_name AS name,
            coalesce(message_id, event_id) AS contact, min(occurred_at) AS at,
            toInt32(toDate32(at, zone)) AS day, sum(cost_reporting) AS converted,
            countIf(t.cost IS NOT NULL AND cost_reporting IS NULL) AS without_rate
        FROM onethread.touchpoints AS t
        WHERE role = 'exposure' AND match(lower(ifNull(campaign_name, '')), 'win[-_ ]?back')
        GROUP BY person_id, source, name, contact
    )
SELECT
    month, campaign_source, campaign_name, count() AS contacts, uniqExact(person_id) AS persons,
    CAST(sum(ifNull(t.cost, 0)), 'Decimal(18, 4)') AS cost,
    uniqExactIf(person_id, standing = 'active') AS active, uniqExactIf(person_id, standing = 'unnoticed') AS unnoticed,
    uniqExactIf(person_id, standing = 'lapsed') AS lapsed,
    CAST(sumIf(ifNull(t.cost, 0), standing != 'lapsed'), 'Decimal(18, 4)') AS spent_in_vain,
    CAST(sumIf(ifNull(t.cost, 0), standing = 'unnoticed'), 'Decimal(18, 4)') AS spent_on_unnoticed,
    uniqExactIf(person_id, standing = 'lapsed' AND brought > 0) AS won_back,
    sumIf(brought, standing = 'lapsed') AS won_back_orders,
    CAST(sumIf(brought_revenue, standing = 'lapsed'), 'Decimal(18, 4)') AS won_back_revenue,
    toFloat64(won_back_revenue) / nullIf(toFloat64(sum(ifNull(t.cost, 0))), 0) AS return_ratio,
    sum(without_rate) AS unconverted
FROM (
    SELECT
        c.person_id AS person_id, toStartOfMonth(toDate(c.at, zone)) AS month, c.source AS campaign_source,
        c.name AS campaign_name, c.converted AS cost, c.without_rate AS without_rate,
        arraySort(arrayDistinct(arrayFilter(day -> day <= c.day, arrayMap(
            placed -> toInt32(toDate32(placed.1, zone)), arrayFilter(placed -> placed.1 <= c.at, o.placed))))) AS days,
        if(length(days) >= 4, arrayReduce('quantileExactInclusive', arrayPopFront(arrayDifference(days))), if(
            isNaN(everybodys_gap), toFloat64(rule.3), everybodys_gap)) AS usual_gap,
        multiIf(
            empty(days) OR c.day - days[-1] <= rule.2 * usual_gap, 'active',
            length(arrayDistinct(arrayFilter(day -> day >= days[-1] + usual_gap AND day <= c.day, s.seen))) >= 2,
            'unnoticed', 'lapsed'
        ) AS standing,
        arrayFilter(
            placed -> placed.1 > c.at AND placed.1 <= c.at + INTERVAL 30 DAY
                AND (c.next_at IS NULL OR placed.1 <= c.next_at), o.placed
        ) AS after,
        length(after) AS brought, arraySum(arrayMap(placed -> placed.2, after)) AS brought_revenue
    FROM (
        SELECT *, leadInFrame(toNullable(at)) OVER (
            PARTITION BY person_id ORDER BY at, contact ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) AS next_at
        FROM contacts
    ) AS c
    LEFT JOIN (
        SELECT person_id, groupArray((at, revenue)) AS placed FROM counted
        WHERE person_id IN (SELECT person_id FROM contacts) GROUP BY person_id
    ) AS o ON o.person_id = c.person_id
    LEFT JOIN (
        SELECT person_id, groupUniqArray(toInt32(toDate32(occurred_at, zone))) AS seen
        FROM onethread.batch_seen_in_store FINAL
        WHERE type IN ('store_visited', 'wifi_seen', 'face_seen', 'consulted')
            AND person_id IN (SELECT person_id FROM contacts)
        GROUP BY person_id
    ) AS s ON s.person_id = c.person_id
) AS t
GROUP BY month, campaign_source, campaign_name
