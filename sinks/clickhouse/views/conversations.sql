-- One row a conversation of a person: by its conversation_id, else cut where a pause is longer than conversation_gap.
-- It is open while that pause is not yet over at as_of. Waits are those that ended, in seconds.
CREATE OR REPLACE VIEW onethread.conversations AS
WITH (SELECT as_of - toIntervalMillisecond(toInt64(conversation_gap * 1000)) FROM onethread.settings) AS closed_before
SELECT
    conversation_id, person_id, started_at, ended_at, channels, staff, staff_changes, bot, messages_in, messages_out,
    calls, first_response_s, longest_wait_s, waiting_since, topics, repeats, order_id,
    ended_at >= closed_before AS open
FROM onethread.facts_conversations FINAL
