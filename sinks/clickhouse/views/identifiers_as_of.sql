-- Whose every identifier was, as we believed at a time: SELECT * FROM identifiers_as_of(at = '2026-02-01 00:00:00').
CREATE OR REPLACE VIEW onethread.identifiers_as_of AS
SELECT kind, value, person_id, valid_from, valid_to
FROM onethread.identifier_history
WHERE valid_from <= {at:DateTime64(3, 'UTC')} AND (valid_to IS NULL OR valid_to > {at:DateTime64(3, 'UTC')})
