-- Persons who may be several, by what is told of them: names, birthdays, cities.
CREATE TABLE IF NOT EXISTS onethread.facts_alerts (
    person_id  UUID,
    kind       LowCardinality(String),
    at         DateTime64(3, 'UTC'),
    figure     UInt64,
    limit      UInt64,
    detail     String,
    version    UInt64,
    is_deleted UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (person_id, kind);
