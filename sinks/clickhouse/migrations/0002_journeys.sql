-- Journeys (streams/core/journey.py), and the journey of touchpoints and orders.

ALTER TABLE onethread.facts_touchpoints
    ADD COLUMN IF NOT EXISTS journey_id Nullable(UUID) AFTER nodes,
    ADD COLUMN IF NOT EXISTS after_sale Bool AFTER journey_id;

ALTER TABLE onethread.facts_persons ADD COLUMN IF NOT EXISTS journeys UInt64 AFTER home_store_id;

ALTER TABLE onethread.facts_orders ADD COLUMN IF NOT EXISTS journey_id Nullable(UUID) AFTER returns;

CREATE TABLE IF NOT EXISTS onethread.facts_journeys (
    person_id             UUID,
    journey_id            UUID,
    started_at            DateTime64(3, 'UTC'),
    last_step_at          DateTime64(3, 'UTC'),
    last_touchpoint_at    DateTime64(3, 'UTC'),
    order_id              Nullable(String),
    path                  Array(String),
    path_at               Array(DateTime64(3, 'UTC')),
    path_touchpoints      Array(UInt64),
    path_devices          Array(String),
    channels              Array(String),
    device_switches       UInt64,
    touchpoints           UInt64,
    start_event_id        String,
    start_channel         LowCardinality(String),
    start_campaign_source LowCardinality(Nullable(String)),
    start_campaign_name   Nullable(String),
    end_channel           LowCardinality(String),
    end_type              LowCardinality(String),
    last_device           LowCardinality(Nullable(String)),
    stage                 LowCardinality(String),
    obstacles             Array(String),
    unanswered_at         Nullable(DateTime64(3, 'UTC')),
    after_sale            UInt64,
    version               UInt64,
    is_deleted            UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (person_id, journey_id);
