-- Whose we believed an identifier to be, from when to when (processing time; valid_to is NULL for what holds now). Steps
-- come in the order in which they were worked; a step caused by an earlier event than the one before it held from then
-- on, and what held for no time at all is left out. What is no identifier any more has no history.
CREATE OR REPLACE VIEW onethread.identifier_history AS
WITH
    steps AS (
        SELECT node, person_id, sequence, max(at) OVER (PARTITION BY node ORDER BY sequence) AS since
        FROM onethread.facts_identifier_owners FINAL
    ),
    moments AS (
        SELECT node, since, argMax(person_id, sequence) AS owner
        FROM steps
        GROUP BY node, since
    ),
    changes AS (
        SELECT node, owner, since,
            lagInFrame(toNullable(owner)) OVER (PARTITION BY node ORDER BY since) AS before
        FROM moments
    ),
    held AS (
        SELECT node, owner, since AS valid_from,
            leadInFrame(toNullable(since)) OVER (
                PARTITION BY node ORDER BY since ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
            ) AS valid_to
        FROM changes
        WHERE before IS NULL OR before != owner
    )
SELECT i.kind AS kind, i.value AS value, h.owner AS person_id, h.valid_from AS valid_from, h.valid_to AS valid_to
FROM held AS h
INNER JOIN onethread.facts_identifiers AS i FINAL ON i.node = h.node
