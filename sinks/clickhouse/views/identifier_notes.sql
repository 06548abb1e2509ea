-- Identifiers that were dropped from an event that was otherwise accepted; never the value, only its kind and why.
-- Of an event that came several times, the notes on the copy that was stored first.
CREATE OR REPLACE VIEW onethread.identifier_notes AS
SELECT event_id, kind, note, at FROM onethread.facts_identifier_notes FINAL
ORDER BY topic, partition, offset, ordinal
LIMIT 1 BY event_id, ordinal
