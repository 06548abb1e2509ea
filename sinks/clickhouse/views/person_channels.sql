-- What a person did, saw and bought on each channel; shared pseudo-persons are left out. Orders are counted orders, by
-- the channel they were placed on, their revenue in the reporting currency. `preferred` is the channel with the most
-- interactions (of equals the latest used, then by name); a channel without any is never preferred.
CREATE OR REPLACE VIEW onethread.person_channels AS
SELECT
    *,
    CAST(
        interactions > 0
        AND row_number() OVER (PARTITION BY person_id ORDER BY interactions DESC, last_at DESC, channel) = 1,
        'Bool'
    ) AS preferred
FROM (
    SELECT
        person_id, channel, max(first) AS first_at, max(last) AS last_at,
        sum(interaction_count) AS interactions, sum(exposure_count) AS exposures, sum(visit_count) AS visits,
        sum(session_count) AS sessions_started, sum(order_count) AS orders,
        CAST(sum(order_revenue), 'Decimal(18, 4)') AS revenue, sum(return_count) AS returns
    FROM (
        SELECT
            person_id, CAST(channel, 'String') AS channel, toNullable(first_at) AS first, toNullable(last_at) AS last,
            interactions AS interaction_count, exposures AS exposure_count, visits AS visit_count,
            sessions_started AS session_count, toUInt64(0) AS order_count, toDecimal64(0, 4) AS order_revenue,
            toUInt64(0) AS return_count
        FROM onethread.facts_person_channels FINAL
        UNION ALL
        SELECT
            person_id, CAST(assumeNotNull(placed_channel), 'String') AS channel, NULL AS first, NULL AS last,
            0, 0, 0, 0, 1, ifNull(revenue_reporting, 0), returns
        FROM onethread.counted_orders
        WHERE placed_channel IS NOT NULL
    )
    GROUP BY person_id, channel
)
