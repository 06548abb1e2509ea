-- What somebody allowed (value true) or withdrew (false), by purpose, while it held; valid_to is NULL for what holds now.
-- A purpose never spoken of has no row: it is unknown, not refused.
CREATE OR REPLACE VIEW onethread.consents AS
SELECT person_id, key, value, valid_from, valid_to, event_id, source
FROM onethread.facts_consents FINAL
