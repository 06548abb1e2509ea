-- Identifiers that were dropped from an event that was otherwise accepted; never the value, only its kind and why.
CREATE OR REPLACE VIEW onethread.identifier_notes AS
SELECT event_id, kind, note, at FROM onethread.facts_identifier_notes FINAL
