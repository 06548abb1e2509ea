-- Not for analysts: hashes of the pairs of identifiers of which more than one person may hold a row. They are rare, and
-- finding them is a cheap scan; only they need to be added up.
CREATE OR REPLACE VIEW onethread.facts_evidence_in_doubt AS
SELECT cityHash64(node_a, node_b) AS hash
FROM onethread.facts_evidence
WHERE NOT is_deleted
GROUP BY hash
HAVING min(person_id) != max(person_id)
