-- The books: records read so far from each partition of the events topics, how many were refused, identify nobody or
-- name somebody who is suppressed.
CREATE OR REPLACE VIEW onethread.intake AS
SELECT topic, partition, records, refused, unidentifiable, suppressed FROM onethread.facts_intake FINAL
