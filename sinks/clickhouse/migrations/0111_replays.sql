-- Which dead letters were sent on their way again, and when. A letter's own row never changes, so it tells nothing of it.
CREATE TABLE IF NOT EXISTS onethread.facts_replays (
    letter_partition UInt64,
    letter_offset    UInt64,
    at               DateTime64(3, 'UTC'),
    version          UInt64,
    is_deleted       UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (letter_partition, letter_offset);

ALTER TABLE onethread.facts_dead_letters DROP COLUMN IF EXISTS replayed_at;
