-- Every identifier and the person it belongs to now; when it was last seen is asked of the touchpoints of all persons.
CREATE OR REPLACE VIEW onethread.identifiers AS
SELECT
    i.kind AS kind, i.value AS value, i.person_id AS person_id, i.first_seen_at AS first_seen_at,
    greatest(i.first_seen_at, ifNull(s.last_seen_at, i.first_seen_at)) AS last_seen_at,
    i.shared AS shared, i.contested AS contested, i.node AS node
FROM onethread.facts_identifiers AS i FINAL
LEFT JOIN (
    SELECT node, max(last_seen_at) AS last_seen_at FROM onethread.facts_identifier_sightings FINAL GROUP BY node
) AS s ON s.node = i.node
