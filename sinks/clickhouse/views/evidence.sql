-- What ties two identifiers together, or would: one row a pair that events named together. Several clusters may know a
-- part of the events each; a pair holds its ends together (conducts) when it does anywhere, and is that person's then.
CREATE OR REPLACE VIEW onethread.evidence AS
SELECT
    argMin(e.person_id, (NOT e.conducts, toString(e.person_id))) AS person_id,
    e.kind_a AS kind_a, e.value_a AS value_a, e.kind_b AS kind_b, e.value_b AS value_b,
    sum(e.events) AS events,
    min(e.first_seen_at) AS first_seen_at, max(e.last_seen_at) AS last_seen_at,
    argMin(e.first_event_id, (e.first_seen_at, e.first_event_id)) AS first_event_id,
    CAST(max(e.conducts), 'Bool') AS conducts,
    if(max(e.conducts), NULL, min(e.refused_because)) AS refused_because
FROM onethread.facts_evidence AS e FINAL
GROUP BY e.node_a, e.node_b, e.kind_a, e.value_a, e.kind_b, e.value_b
