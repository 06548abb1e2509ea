-- Cards and numbers of our own bases that stand for one customer more than once. `joined`: the person holds several of the
-- kind, `contacts` of them. `suspected`: two persons that evidence would unite were it not for a limit; `through` is the
-- kind of identifier that both have.
CREATE OR REPLACE VIEW onethread.duplicate_contacts AS
WITH
    ['customer_id', 'crm_id', 'loyalty_card'] AS bases,
    -- As the view evidence says it, of those pairs alone that a limit ever held apart: a few.
    refused AS (
        SELECT
            node_a, node_b, any(CAST(e.kind_a, 'String')) AS kind_a, any(CAST(e.kind_b, 'String')) AS kind_b,
            min(e.first_seen_at) AS since
        FROM onethread.facts_evidence AS e FINAL
        WHERE (node_a, node_b) IN (SELECT node_a, node_b FROM onethread.facts_evidence WHERE refused_because = 'limit')
        GROUP BY node_a, node_b
        HAVING NOT max(e.conducts) AND min(e.refused_because) = 'limit' AND (kind_a IN bases OR kind_b IN bases)
    ),
    ends AS (
        SELECT node, person_id FROM onethread.facts_identifiers FINAL
        WHERE node IN (SELECT arrayJoin([node_a, node_b]) FROM onethread.facts_evidence WHERE refused_because = 'limit')
    )
SELECT
    'joined' AS basis, CAST(kind, 'String') AS kind, person_id, CAST(NULL, 'Nullable(UUID)') AS other_person_id,
    CAST(NULL, 'Nullable(String)') AS through, count() AS contacts, min(first_seen_at) AS since
FROM onethread.facts_identifiers FINAL
WHERE kind IN bases AND NOT shared
GROUP BY person_id, kind
HAVING contacts > 1
UNION ALL
SELECT
    'suspected' AS basis, if(e.kind_a IN bases, e.kind_a, e.kind_b) AS kind, a.person_id AS person_id,
    CAST(b.person_id, 'Nullable(UUID)') AS other_person_id,
    CAST(if(e.kind_a IN bases, e.kind_b, e.kind_a), 'Nullable(String)') AS through, toUInt64(2) AS contacts,
    e.since AS since
FROM refused AS e
INNER JOIN ends AS a ON a.node = e.node_a
INNER JOIN ends AS b ON b.node = e.node_b
WHERE a.person_id != b.person_id
