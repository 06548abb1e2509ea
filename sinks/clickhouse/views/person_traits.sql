-- What is told of somebody, by key, while it held; valid_to is NULL for what holds now. Personal data: see docs/sql.
CREATE OR REPLACE VIEW onethread.person_traits AS
SELECT person_id, key, value, valid_from, valid_to, event_id, source
FROM onethread.facts_person_traits FINAL
