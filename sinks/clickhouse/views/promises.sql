-- One row a promise. Kept in time it is done, later it is late; not kept it is open until due_at, then overdue.
-- delay_s tells how late it was kept, or is at as_of; 0 in time, NULL where it was never due or was cancelled.
CREATE OR REPLACE VIEW onethread.promises AS
WITH (SELECT as_of FROM onethread.settings) AS present
SELECT
    promise_id, person_id, conversation_id, kind, order_id, requested_at, promised_at, promised_channel, promised_by,
    due_at, done_at, done_channel, done_by, cancelled_at,
    CAST(multiIf(
        cancelled_at IS NOT NULL, 'cancelled',
        done_at IS NOT NULL, if(ifNull(done_at > due_at, false), 'late', 'done'),
        ifNull(due_at < present, false), 'overdue',
        'open'
    ), 'LowCardinality(String)') AS status,
    attempts,
    if(
        cancelled_at IS NOT NULL OR due_at IS NULL, NULL,
        greatest(0, dateDiff('second', assumeNotNull(due_at), ifNull(done_at, assumeNotNull(present))))
    ) AS delay_s
FROM onethread.facts_promises FINAL
