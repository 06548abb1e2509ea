-- What the identity graph did: other_person_id became part of person_id (merged) or left it (split), by which event.
CREATE OR REPLACE VIEW onethread.merges AS
SELECT at, action, person_id, other_person_id, event_id, reason FROM onethread.facts_merges FINAL
