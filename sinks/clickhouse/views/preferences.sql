-- How somebody wishes to be met, by key, while it held; valid_to is NULL for what holds now. Addresses are in person_traits.
CREATE OR REPLACE VIEW onethread.preferences AS
SELECT person_id, key, value, valid_from, valid_to, event_id, source
FROM onethread.facts_preferences FINAL
