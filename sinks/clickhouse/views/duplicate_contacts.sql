-- Cards and numbers of our own bases that stand for one customer more than once. `joined`: the person holds several of the
-- kind, `contacts` of them. `suspected`: two persons that evidence would unite were it not for a limit; `through` is the
-- kind of identifier that both have.
CREATE OR REPLACE VIEW onethread.duplicate_contacts AS
WITH
    ['customer_id', 'crm_id', 'loyalty_card'] AS bases,
    -- The ends of whatever a limit ever refused: a few, and all of those that the join below looks for.
    ends AS (
        SELECT kind, value, person_id FROM onethread.facts_identifiers FINAL
        WHERE (kind, value) IN (
            SELECT CAST(kind_a, 'String'), value_a FROM onethread.facts_evidence WHERE refused_because = 'limit'
            UNION ALL SELECT CAST(kind_b, 'String'), value_b FROM onethread.facts_evidence WHERE refused_because = 'limit'
        )
    )
SELECT
    'joined' AS basis, kind, person_id, CAST(NULL, 'Nullable(UUID)') AS other_person_id,
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
    e.first_seen_at AS since
FROM onethread.evidence AS e
INNER JOIN ends AS a ON a.kind = e.kind_a AND a.value = e.value_a
INNER JOIN ends AS b ON b.kind = e.kind_b AND b.value = e.value_b
WHERE e.refused_because = 'limit' AND (e.kind_a IN bases OR e.kind_b IN bases) AND a.person_id != b.person_id
