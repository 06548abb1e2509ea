-- Input we refused. topic, partition and offset tell where it was read (NULL: refused before Kafka), letter_* where it
-- lies in the topic dead-letters, replayed_at when it was sent on its way again.
CREATE OR REPLACE VIEW onethread.dead_letters AS
SELECT at, reason, detail, topic, partition, offset, raw, replayed_at, schema_id, source, event_id,
    letter_partition, letter_offset
FROM (SELECT * FROM onethread.facts_dead_letters FINAL) AS l
LEFT JOIN (
    SELECT letter_partition, letter_offset, toNullable(at) AS replayed_at FROM onethread.facts_replays FINAL
) AS r USING (letter_partition, letter_offset)
