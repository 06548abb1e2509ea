-- Whose we believed an identifier to be, from when to when (processing time; valid_to is NULL for what holds now). Steps
-- come in the order in which they were worked; a step caused by an earlier event than the one before it held from then
-- on, and what held for no time at all is left out.
CREATE OR REPLACE VIEW onethread.identifier_history AS
WITH
    steps AS (
        SELECT
            node, kind, value, person_id, sequence,
            max(at) OVER (PARTITION BY node ORDER BY sequence) AS since
        FROM onethread.facts_identifier_owners FINAL
    ),
    moments AS (
        SELECT node, any(kind) AS kind, any(value) AS value, since, argMax(person_id, sequence) AS owner
        FROM steps
        GROUP BY node, since
    ),
    changes AS (
        SELECT node, kind, value, owner, since,
            lagInFrame(toNullable(owner)) OVER (PARTITION BY node ORDER BY since) AS before
        FROM moments
    )
SELECT
    kind, value, owner AS person_id, since AS valid_from,
    leadInFrame(toNullable(since)) OVER (
        PARTITION BY node ORDER BY since ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS valid_to
FROM changes
WHERE before IS NULL OR before != owner
