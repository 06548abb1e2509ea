-- What is told of erasures: numbers, positions and keyed hashes, never a name.

CREATE TABLE IF NOT EXISTS onethread.facts_erasures (
    receipt_id  String,
    month       LowCardinality(String),
    currency    LowCardinality(String),
    at          DateTime64(3, 'UTC'),
    touchpoints UInt64,
    orders      UInt64,
    revenue     Decimal(18, 4),
    version     UInt64,
    is_deleted  UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (receipt_id, month, currency);

CREATE TABLE IF NOT EXISTS onethread.facts_erased_records (
    topic      LowCardinality(String),
    partition  UInt64,
    offset     UInt64,
    version    UInt64,
    is_deleted UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (topic, partition, offset);

CREATE TABLE IF NOT EXISTS onethread.facts_erased_identifiers (
    receipt_id String,
    node       UUID,
    at         DateTime64(3, 'UTC'),
    version    UInt64,
    is_deleted UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (receipt_id, node);

ALTER TABLE onethread.facts_intake ADD COLUMN IF NOT EXISTS suppressed UInt64 DEFAULT 0 AFTER unidentifiable;
