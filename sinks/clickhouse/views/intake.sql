-- The books: records read so far from each partition of the events topics, and how many were refused or identify nobody.
CREATE OR REPLACE VIEW onethread.intake AS
SELECT topic, partition, records, refused, unidentifiable FROM onethread.facts_intake FINAL
