-- What batch models write: a run, what it found, and what follows for orders and persons. Nothing here comes from the
-- streams, so no versions: the rows of a run are written first, the run itself last, and views show only runs that are
-- there. A partition a run: dropping an old one is a file operation.

CREATE TABLE IF NOT EXISTS onethread.batch_runs (
    run_id     UUID,
    model      LowCardinality(String),
    at         DateTime64(3, 'UTC'),
    as_of      DateTime64(3, 'UTC'),
    parameters Map(String, String),
    report     String
) ENGINE = MergeTree ORDER BY (model, at, run_id);

CREATE TABLE IF NOT EXISTS onethread.batch_weights (
    run_id      UUID,
    name        String,
    weight      Decimal(18, 12),
    share       Decimal(18, 12),
    conversions Float64
) ENGINE = MergeTree ORDER BY (run_id, name);

CREATE TABLE IF NOT EXISTS onethread.batch_credits (
    run_id          UUID,
    order_id        String,
    event_id        String,
    touch           LowCardinality(String),
    at              DateTime64(3, 'UTC'),
    channel         LowCardinality(String),
    campaign_source Nullable(String),
    campaign_medium Nullable(String),
    campaign_name   Nullable(String),
    name            String,
    credit          Decimal(18, 12),
    through         Decimal(18, 12)
) ENGINE = MergeTree PARTITION BY run_id ORDER BY (order_id, at, event_id);

CREATE TABLE IF NOT EXISTS onethread.batch_predictions (
    run_id            UUID,
    person_id         UUID,
    predicted_orders  Float64,
    predicted_revenue Float64,
    predicted_margin  Nullable(Float64)
) ENGINE = MergeTree PARTITION BY run_id ORDER BY person_id;

-- Touchpoints that show somebody in a store, apart, so that the status of persons costs no look at all touchpoints.
-- Of one key the largest version wins, as in facts_touchpoints; an event with copies of other content may change its type.

CREATE TABLE IF NOT EXISTS onethread.batch_seen_in_store (
    person_id   UUID,
    event_id    String,
    occurred_at DateTime64(3, 'UTC'),
    channel     LowCardinality(String),
    type        LowCardinality(String),
    version     UInt64,
    is_deleted  UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (person_id, event_id);

CREATE MATERIALIZED VIEW IF NOT EXISTS onethread.batch_seen_in_store_feed TO onethread.batch_seen_in_store AS
SELECT person_id, event_id, occurred_at, channel, type, version, is_deleted
FROM onethread.facts_touchpoints
WHERE is_deleted OR conflicts > 0 OR type IN ('store_visited', 'wifi_seen', 'face_seen', 'consulted');

INSERT INTO onethread.batch_seen_in_store
SELECT person_id, event_id, occurred_at, channel, type, version, is_deleted
FROM onethread.facts_touchpoints
WHERE is_deleted OR conflicts > 0 OR type IN ('store_visited', 'wifi_seen', 'face_seen', 'consulted');
