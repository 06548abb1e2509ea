-- One row a message, call or visit to an adviser, with what was said. Personal data: see docs/sql.
CREATE OR REPLACE VIEW onethread.conversation_messages AS
SELECT
    message_id, conversation_id, person_id, at, channel, type, from_customer, staff, topic, text, recording_url,
    duration_ms
FROM onethread.facts_conversation_messages FINAL
