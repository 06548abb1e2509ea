-- Credits (streams/core/credit.py): of each counted order its touches, and what each model gives them, in parallel
-- arrays; and how a person was first touched.

ALTER TABLE onethread.facts_persons
    ADD COLUMN IF NOT EXISTS acquired_at Nullable(DateTime64(3, 'UTC')) AFTER journeys,
    ADD COLUMN IF NOT EXISTS acquisition_channel LowCardinality(Nullable(String)) AFTER acquired_at,
    ADD COLUMN IF NOT EXISTS acquisition_source LowCardinality(Nullable(String)) AFTER acquisition_channel,
    ADD COLUMN IF NOT EXISTS acquisition_medium LowCardinality(Nullable(String)) AFTER acquisition_source,
    ADD COLUMN IF NOT EXISTS acquisition_campaign Nullable(String) AFTER acquisition_medium;

CREATE TABLE IF NOT EXISTS onethread.facts_credits (
    person_id            UUID,
    order_id             String,
    placed_at            DateTime64(3, 'UTC'),
    event_ids            Array(String),
    touches              Array(String),
    ats                  Array(DateTime64(3, 'UTC')),
    channels             Array(String),
    campaign_sources     Array(String),
    campaign_mediums     Array(String),
    campaign_names       Array(String),
    first                Array(Decimal(18, 12)),
    last                 Array(Decimal(18, 12)),
    last_non_direct      Array(Decimal(18, 12)),
    linear               Array(Decimal(18, 12)),
    time_decay           Array(Decimal(18, 12)),
    position             Array(Decimal(18, 12)),
    acquired_at          DateTime64(3, 'UTC'),
    acquisition_channel  LowCardinality(String),
    acquisition_source   LowCardinality(Nullable(String)),
    acquisition_medium   LowCardinality(Nullable(String)),
    acquisition_campaign Nullable(String),
    version              UInt64,
    is_deleted           UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (person_id, order_id);
