-- One row a person, shared pseudo-persons included (shared = true). Money is of counted orders (placed, not cancelled,
-- person not shared) in the reporting currency at the rate of their day; those without a rate are counted in `unconverted`.
CREATE OR REPLACE VIEW onethread.persons AS
WITH (SELECT reporting_currency FROM onethread.settings) AS reporting
SELECT
    p.person_id AS person_id, p.known AS known, p.shared AS shared,
    p.first_seen_at AS first_seen_at, p.last_seen_at AS last_seen_at, p.last_interaction_at AS last_interaction_at,
    p.first_channel AS first_channel, p.channels AS channels, p.devices AS devices,
    p.identifier_kinds AS identifier_kinds, p.touchpoints AS touchpoints, p.sessions AS sessions,
    p.journeys AS journeys,
    ifNull(o.orders, 0) AS orders,
    CAST(ifNull(o.revenue, 0), 'Decimal(18, 4)') AS revenue,
    CAST(o.margin, 'Nullable(Decimal(18, 4))') AS margin,
    CAST(ifNull(o.returned, 0), 'Decimal(18, 4)') AS returned,
    assumeNotNull(reporting) AS currency,
    ifNull(o.unconverted, 0) AS unconverted,
    o.first_order_at AS first_order_at, o.last_order_at AS last_order_at,
    p.home_store_id AS home_store_id,
    CAST(NULL, 'LowCardinality(Nullable(String))') AS status,
    CAST([], 'Array(String)') AS unnoticed_by,
    CAST(NULL, 'LowCardinality(Nullable(String))') AS acquisition_channel,
    CAST(NULL, 'Nullable(String)') AS acquisition_source,
    CAST(NULL, 'Nullable(String)') AS acquisition_medium,
    CAST(NULL, 'Nullable(String)') AS acquisition_campaign,
    CAST(NULL, 'Nullable(DateTime64(3, \'UTC\'))') AS acquired_at,
    CAST(NULL, 'Nullable(Float64)') AS probability_alive,
    CAST(NULL, 'Nullable(Float64)') AS predicted_orders,
    CAST(NULL, 'Nullable(Decimal(18, 4))') AS predicted_revenue,
    CAST(NULL, 'Nullable(Decimal(18, 4))') AS predicted_margin,
    CAST(NULL, 'Nullable(DateTime64(3, \'UTC\'))') AS predicted_at,
    CAST(preferred.said, 'Map(String, String)') AS preferences,
    CAST(consented.said, 'Map(String, Bool)') AS consent
FROM onethread.facts_persons AS p FINAL
LEFT JOIN (
    SELECT
        person_id, count() AS orders,
        sum(revenue_reporting) AS revenue,
        sum(roundBankers(o.margin * rate, 4)) AS margin,
        sum(roundBankers(returned_amount * rate, 4)) AS returned,
        countIf(rate IS NULL) AS unconverted,
        min(placed_at) AS first_order_at, max(placed_at) AS last_order_at
    FROM onethread.orders AS o
    WHERE placed_at IS NOT NULL AND status != 'cancelled' AND NOT person_shared
    GROUP BY person_id
) AS o ON o.person_id = p.person_id
LEFT JOIN (
    SELECT person_id, mapFromArrays(groupArray(key), groupArray(value)) AS said
    FROM onethread.facts_preferences FINAL WHERE valid_to IS NULL GROUP BY person_id
) AS preferred ON preferred.person_id = p.person_id
LEFT JOIN (
    SELECT person_id, mapFromArrays(groupArray(key), groupArray(value)) AS said
    FROM onethread.facts_consents FINAL WHERE valid_to IS NULL GROUP BY person_id
) AS consented ON consented.person_id = p.person_id
