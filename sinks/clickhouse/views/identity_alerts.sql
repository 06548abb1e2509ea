-- What somebody should look at; nothing here was deleted or changed. `at` is the last event behind the alert.
--   person_identifiers_max  two persons whom evidence would unite, were they not too large together
--   super_identifier        a shared identifier that met more others than the policy's limit: a kiosk, a till e-mail
--   person_touchpoints      a person with more touchpoints than the policy's limit
--   many_names, many_birthdays, many_cities
--                           a person of whom more is told than the policy's limit; detail: which trait, which UTC day
CREATE OR REPLACE VIEW onethread.identity_alerts AS
WITH
    (SELECT max(person_identifiers_max) FROM onethread.policy) AS most,
    (SELECT super_identifier FROM onethread.facts_alert_limits) AS most_partners,
    (SELECT person_touchpoints FROM onethread.facts_alert_limits) AS most_touchpoints,
    limited AS (
        SELECT node_a, node_b, kind_a, kind_b, last_seen_at
        FROM onethread.facts_evidence FINAL WHERE refused_because = 'limit'
    ),
    owners AS (
        SELECT node, person_id FROM onethread.facts_identifiers FINAL
        WHERE node IN (SELECT node_a FROM limited) OR node IN (SELECT node_b FROM limited)
    ),
    sizes AS (
        SELECT person_id, count() AS identifiers FROM onethread.facts_identifiers FINAL
        WHERE person_id IN (SELECT person_id FROM owners) GROUP BY person_id
    ),
    pairs AS (
        SELECT
            if(toString(a.person_id) < toString(b.person_id), a.person_id, b.person_id) AS one,
            if(toString(a.person_id) < toString(b.person_id), b.person_id, a.person_id) AS other,
            max(l.last_seen_at) AS at, count() AS edges,
            argMax(l.kind_a, l.last_seen_at) AS kind_a, argMax(l.kind_b, l.last_seen_at) AS kind_b
        FROM limited AS l INNER JOIN owners AS a ON a.node = l.node_a INNER JOIN owners AS b ON b.node = l.node_b
        GROUP BY one, other
    ),
    met AS (
        SELECT node_a AS node, node_b AS partner, kind_b AS partner_kind, last_seen_at
        FROM onethread.facts_evidence FINAL
        UNION ALL
        SELECT node_b, node_a, kind_a, last_seen_at FROM onethread.facts_evidence FINAL
    )
SELECT
    p.at AS at, 'person_identifiers_max' AS kind, p.one AS person_id, CAST(NULL, 'Nullable(String)') AS identifier_kind,
    s.identifiers + o.identifiers AS figure, most AS limit,
    concat('not united with ', toString(p.other), ' by ', toString(p.edges), ' pairs, the last of ', p.kind_a,
        ' with ', p.kind_b) AS detail
FROM pairs AS p
INNER JOIN sizes AS s ON s.person_id = p.one
INNER JOIN sizes AS o ON o.person_id = p.other
WHERE p.one != p.other AND s.identifiers + o.identifiers > most
UNION ALL
SELECT
    max(m.last_seen_at), 'super_identifier', i.person_id, CAST(i.kind, 'Nullable(String)'), uniqExact(m.partner) AS partners,
    assumeNotNull(most_partners),
    concat('met ', arrayStringConcat(arraySort(groupUniqArray(m.partner_kind)), ', '))
FROM met AS m INNER JOIN (
    SELECT node, person_id, kind FROM onethread.facts_identifiers FINAL WHERE shared
) AS i ON i.node = m.node
GROUP BY i.node, i.person_id, i.kind
HAVING partners > most_partners
UNION ALL
SELECT ifNull(last_seen_at, first_seen_at), 'person_touchpoints', person_id, NULL, touchpoints, assumeNotNull(most_touchpoints), ''
FROM onethread.facts_persons FINAL WHERE touchpoints > most_touchpoints AND NOT shared
UNION ALL
SELECT at, kind, person_id, NULL, figure, limit, detail FROM onethread.facts_alerts FINAL
