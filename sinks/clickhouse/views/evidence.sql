-- What ties two identifiers together, or would: one row a pair that events named together. Several clusters may know a
-- part of the events each; a pair holds its ends together (conducts) when it does anywhere, and is that person's then.
CREATE OR REPLACE VIEW onethread.evidence AS
SELECT
    person_id, kind_a, value_a, kind_b, value_b, events, first_seen_at, last_seen_at, first_event_id, conducts,
    refused_because
FROM onethread.facts_evidence FINAL
WHERE cityHash64(node_a, node_b) NOT IN onethread.facts_evidence_in_doubt
UNION ALL
SELECT
    argMin(e.person_id, (NOT e.conducts, toString(e.person_id))),
    e.kind_a, e.value_a, e.kind_b, e.value_b,
    sum(e.events), min(e.first_seen_at), max(e.last_seen_at),
    argMin(e.first_event_id, (e.first_seen_at, e.first_event_id)),
    CAST(max(e.conducts), 'Bool'),
    if(max(e.conducts), NULL, min(e.refused_because))
FROM onethread.facts_evidence AS e FINAL
WHERE cityHash64(node_a, node_b) IN onethread.facts_evidence_in_doubt
GROUP BY e.node_a, e.node_b, e.kind_a, e.value_a, e.kind_b, e.value_b
