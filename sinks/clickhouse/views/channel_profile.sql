-- What each channel is to people, in the period: how many meet us there, whether sessions begin, pass or end there, and what
-- they buy. `alone` are sessions on this channel only. Orders are counted orders placed there; money is in the reporting
-- currency.
CREATE OR REPLACE VIEW onethread.channel_profile AS
WITH
    told AS (
        SELECT
            CAST(channel, 'String') AS channel, uniqExact(person_id) AS persons,
            uniqExactIf(person_id, person_id IN (
                SELECT person_id FROM onethread.facts_persons FINAL WHERE known AND NOT shared
            )) AS known,
            count() AS visits, sum(touchpoints) AS interactions,
            0 AS sessions, 0 AS sessions_started, 0 AS sessions_ended, 0 AS alone, 0 AS buyers, 0 AS orders,
            toDecimal64(0, 4) AS revenue, 0 AS returned_orders, 0 AS unconverted
        FROM onethread.facts_visits FINAL
        WHERE true /* period of started_at */
        GROUP BY channel
        UNION ALL
        SELECT
            channel, 0, 0, 0, 0, count(), countIf(channel = entry_channel), countIf(channel = exit_channel),
            countIf(length(channels) = 1), 0, 0, 0, 0, 0
        FROM (
            SELECT channels, entry_channel, exit_channel, arrayJoin(channels) AS channel
            FROM onethread.facts_sessions FINAL
            WHERE true /* period of started_at */
        )
        GROUP BY channel
        UNION ALL
        SELECT
            CAST(placed_channel, 'String') AS channel, 0, 0, 0, 0, 0, 0, 0, 0, uniqExact(person_id), count(),
            CAST(sum(ifNull(revenue_reporting, 0)), 'Decimal(18, 4)'),
            countIf(status IN ('returned', 'partly_returned')), countIf(revenue_reporting IS NULL)
        FROM onethread.counted_orders AS o
        WHERE true /* period of placed_at */
        GROUP BY channel
    )
SELECT
    t.channel AS channel, any(c.family) AS family, sum(t.persons) AS persons, sum(t.known) AS known,
    sum(t.visits) AS visits, sum(t.interactions) AS interactions, sum(t.sessions) AS sessions,
    sum(t.sessions_started) AS sessions_started, sum(t.sessions_ended) AS sessions_ended, sum(t.alone) AS alone,
    sum(t.buyers) AS buyers, sum(t.orders) AS orders, CAST(sum(t.revenue), 'Decimal(18, 4)') AS revenue,
    toFloat64(sum(t.revenue)) / nullIf(sum(t.orders), 0) AS revenue_an_order,
    sum(t.returned_orders) AS returned_orders, sum(t.unconverted) AS unconverted
FROM told AS t
LEFT JOIN onethread.channels AS c ON c.channel = t.channel
GROUP BY channel
