-- Which persons there were, as we believed at a time, and what they held: SELECT * FROM persons_as_of(at = '2026-02-01').
CREATE OR REPLACE VIEW onethread.persons_as_of AS
SELECT person_id, sumMap(map(CAST(kind, 'String'), toUInt16(1))) AS identifier_kinds, count() AS identifiers
FROM onethread.identifier_history
WHERE valid_from <= {at:DateTime64(3, 'UTC')} AND (valid_to IS NULL OR valid_to > {at:DateTime64(3, 'UTC')})
GROUP BY person_id
