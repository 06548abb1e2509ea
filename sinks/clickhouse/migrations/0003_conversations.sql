-- Conversations with their messages, and promises (streams/core/conversation.py, promise.py).

CREATE TABLE IF NOT EXISTS onethread.facts_conversations (
    person_id        UUID,
    conversation_id  String,
    started_at       DateTime64(3, 'UTC'),
    ended_at         DateTime64(3, 'UTC'),
    channels         Array(String),
    staff            Array(String),
    staff_changes    UInt64,
    bot              Bool,
    messages_in      UInt64,
    messages_out     UInt64,
    calls            UInt64,
    first_response_s Nullable(UInt64),
    longest_wait_s   Nullable(UInt64),
    waiting_since    Nullable(DateTime64(3, 'UTC')),
    topics           Array(String),
    repeats          UInt64,
    order_id         Nullable(String),
    version          UInt64,
    is_deleted       UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (person_id, conversation_id);

CREATE TABLE IF NOT EXISTS onethread.facts_conversation_messages (
    person_id       UUID,
    conversation_id String,
    message_id      String,
    at              DateTime64(3, 'UTC'),
    channel         LowCardinality(String),
    type            LowCardinality(String),
    from_customer   Bool,
    staff           Nullable(String),
    topic           LowCardinality(Nullable(String)),
    text            Nullable(String),
    recording_url   Nullable(String),
    duration_ms     Nullable(UInt64),
    version         UInt64,
    is_deleted      UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (person_id, conversation_id, message_id);

CREATE TABLE IF NOT EXISTS onethread.facts_promises (
    person_id        UUID,
    promise_id       String,
    conversation_id  Nullable(String),
    kind             LowCardinality(String),
    order_id         Nullable(String),
    requested_at     Nullable(DateTime64(3, 'UTC')),
    promised_at      Nullable(DateTime64(3, 'UTC')),
    promised_channel LowCardinality(Nullable(String)),
    promised_by      Nullable(String),
    due_at           Nullable(DateTime64(3, 'UTC')),
    done_at          Nullable(DateTime64(3, 'UTC')),
    done_channel     LowCardinality(Nullable(String)),
    done_by          Nullable(String),
    cancelled_at     Nullable(DateTime64(3, 'UTC')),
    attempts         UInt64,
    version          UInt64,
    is_deleted       UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (person_id, promise_id);
