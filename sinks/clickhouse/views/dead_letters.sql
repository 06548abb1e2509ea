-- Input we refused. topic, partition and offset tell where it was read (NULL: refused before Kafka), letter_* where it
-- lies in the topic dead-letters.
CREATE OR REPLACE VIEW onethread.dead_letters AS
SELECT at, reason, detail, topic, partition, offset, raw, replayed_at, schema_id, source, event_id,
    letter_partition, letter_offset
FROM onethread.facts_dead_letters FINAL
