-- Attributes of persons, with their history (streams/core/attribute.py).

CREATE TABLE IF NOT EXISTS onethread.facts_consents (
    person_id  UUID,
    key        LowCardinality(String),
    valid_from DateTime64(3, 'UTC'),
    value      Bool,
    valid_to   Nullable(DateTime64(3, 'UTC')),
    event_id   String,
    source     LowCardinality(String),
    version    UInt64,
    is_deleted UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (person_id, key, valid_from);

CREATE TABLE IF NOT EXISTS onethread.facts_preferences (
    person_id  UUID,
    key        LowCardinality(String),
    valid_from DateTime64(3, 'UTC'),
    value      String,
    valid_to   Nullable(DateTime64(3, 'UTC')),
    event_id   String,
    source     LowCardinality(String),
    version    UInt64,
    is_deleted UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (person_id, key, valid_from);

CREATE TABLE IF NOT EXISTS onethread.facts_person_traits (
    person_id  UUID,
    key        LowCardinality(String),
    valid_from DateTime64(3, 'UTC'),
    value      String,
    valid_to   Nullable(DateTime64(3, 'UTC')),
    event_id   String,
    source     LowCardinality(String),
    version    UInt64,
    is_deleted UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (person_id, key, valid_from);
