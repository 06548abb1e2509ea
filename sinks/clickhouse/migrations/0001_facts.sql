-- One physical table for each table of facts (streams/core/facts.py), and one for dead letters.
-- ORDER BY is the key; of the rows of one key the largest version wins, and is_deleted marks a tombstone.
-- Tombstones stay for ever: a cleaned-up one would let an older row that comes later (a replay) rise again.

CREATE TABLE IF NOT EXISTS onethread.facts_touchpoints (
    person_id        UUID,
    event_id         String,
    session_id       Nullable(UUID),
    visit_id         Nullable(UUID),
    order_id         Nullable(String),
    occurred_at      DateTime64(3, 'UTC'),
    received_at      DateTime64(3, 'UTC'),
    channel          LowCardinality(String),
    type             LowCardinality(String),
    role             LowCardinality(String),
    device           LowCardinality(Nullable(String)),
    store_id         Nullable(String),
    staff            Nullable(String),
    click_id         Nullable(String),
    message_id       Nullable(String),
    conversation_id  Nullable(String),
    identified_by    LowCardinality(Nullable(String)),
    copies           UInt64,
    conflicts        UInt64,
    nodes            Array(UUID),
    local_at         DateTime64(3, 'UTC'),
    source           LowCardinality(String),
    language         LowCardinality(Nullable(String)),
    skus             Array(String),
    query            Nullable(String),
    campaign_source  LowCardinality(Nullable(String)),
    campaign_medium  LowCardinality(Nullable(String)),
    campaign_name    Nullable(String),
    campaign_term    Nullable(String),
    campaign_content Nullable(String),
    cost             Nullable(Decimal(18, 4)),
    cost_currency    LowCardinality(Nullable(String)),
    amount           Nullable(Decimal(18, 4)),
    currency         LowCardinality(Nullable(String)),
    properties       Map(String, String),
    version          UInt64,
    is_deleted       UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (person_id, event_id);

CREATE TABLE IF NOT EXISTS onethread.facts_persons (
    person_id           UUID,
    known               Bool,
    shared              Bool,
    first_seen_at       DateTime64(3, 'UTC'),
    last_seen_at        Nullable(DateTime64(3, 'UTC')),
    last_interaction_at Nullable(DateTime64(3, 'UTC')),
    first_channel       LowCardinality(Nullable(String)),
    channels            Array(String),
    devices             Array(String),
    identifier_kinds    Map(String, UInt16),
    touchpoints         UInt64,
    sessions            UInt64,
    home_store_id       Nullable(String),
    version             UInt64,
    is_deleted          UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY person_id;

CREATE TABLE IF NOT EXISTS onethread.facts_identifiers (
    node          UUID,
    kind          LowCardinality(String),
    value         String,
    person_id     UUID,
    shared        Bool,
    contested     Bool,
    first_seen_at DateTime64(3, 'UTC'),
    version       UInt64,
    is_deleted    UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY node;

CREATE TABLE IF NOT EXISTS onethread.facts_identifier_sightings (
    person_id     UUID,
    node          UUID,
    kind          LowCardinality(String),
    value         String,
    first_seen_at DateTime64(3, 'UTC'),
    last_seen_at  DateTime64(3, 'UTC'),
    version       UInt64,
    is_deleted    UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (person_id, node);

CREATE TABLE IF NOT EXISTS onethread.facts_sessions (
    person_id       UUID,
    session_id      UUID,
    started_at      DateTime64(3, 'UTC'),
    ended_at        DateTime64(3, 'UTC'),
    touchpoints     UInt64,
    channels        Array(String),
    devices         Array(String),
    switches        UInt64,
    device_switches UInt64,
    parallel        Bool,
    entry_channel   LowCardinality(String),
    exit_channel    LowCardinality(String),
    entry_campaign  Nullable(String),
    stores          Array(String),
    order_ids       Array(String),
    version         UInt64,
    is_deleted      UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (person_id, session_id);

CREATE TABLE IF NOT EXISTS onethread.facts_visits (
    person_id      UUID,
    visit_id       UUID,
    session_id     UUID,
    started_at     DateTime64(3, 'UTC'),
    ended_at       DateTime64(3, 'UTC'),
    touchpoints    UInt64,
    channel        LowCardinality(String),
    device         LowCardinality(Nullable(String)),
    referrer       Nullable(String),
    entry_campaign Nullable(String),
    stores         Array(String),
    order_ids      Array(String),
    version        UInt64,
    is_deleted     UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (person_id, visit_id);

CREATE TABLE IF NOT EXISTS onethread.facts_person_channels (
    person_id        UUID,
    channel          LowCardinality(String),
    first_at         DateTime64(3, 'UTC'),
    last_at          DateTime64(3, 'UTC'),
    interactions     UInt64,
    exposures        UInt64,
    visits           UInt64,
    sessions_started UInt64,
    version          UInt64,
    is_deleted       UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (person_id, channel);

CREATE TABLE IF NOT EXISTS onethread.facts_orders (
    person_id          UUID,
    order_id           String,
    person_shared      Bool,
    requested_at       Nullable(DateTime64(3, 'UTC')),
    requested_channel  LowCardinality(Nullable(String)),
    placed_at          Nullable(DateTime64(3, 'UTC')),
    placed_channel     LowCardinality(Nullable(String)),
    placed_device      LowCardinality(Nullable(String)),
    placed_store_id    Nullable(String),
    placed_staff       Nullable(String),
    paid_at            Nullable(DateTime64(3, 'UTC')),
    paid_channel       LowCardinality(Nullable(String)),
    paid_store_id      Nullable(String),
    payment_methods    Array(String),
    ready_at           Nullable(DateTime64(3, 'UTC')),
    ready_store_id     Nullable(String),
    fulfilled_at       Nullable(DateTime64(3, 'UTC')),
    fulfilled_channel  LowCardinality(Nullable(String)),
    fulfilled_store_id Nullable(String),
    fulfilment_method  LowCardinality(Nullable(String)),
    promised_at        Nullable(DateTime64(3, 'UTC')),
    cancelled_at       Nullable(DateTime64(3, 'UTC')),
    cancelled_channel  LowCardinality(Nullable(String)),
    status             LowCardinality(String),
    total              Nullable(Decimal(18, 4)),
    currency           LowCardinality(Nullable(String)),
    revenue            Nullable(Decimal(18, 4)),
    margin             Nullable(Decimal(18, 4)),
    returned_amount    Nullable(Decimal(18, 4)),
    discount           Nullable(Decimal(18, 4)),
    shipping           Nullable(Decimal(18, 4)),
    tax                Nullable(Decimal(18, 4)),
    points_spent       Nullable(Decimal(18, 4)),
    promo_code         Nullable(String),
    anonymous          Bool,
    identified_by      LowCardinality(Nullable(String)),
    receipt_ids        Array(String),
    returns            UInt64,
    version            UInt64,
    is_deleted         UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (person_id, order_id);

CREATE TABLE IF NOT EXISTS onethread.facts_order_items (
    person_id         UUID,
    order_id          String,
    line_id           String,
    sku               String,
    name              Nullable(String),
    category          Nullable(String),
    brand             Nullable(String),
    quantity          Decimal(18, 4),
    unit              LowCardinality(Nullable(String)),
    returned_quantity Decimal(18, 4),
    price             Nullable(Decimal(18, 4)),
    discount          Nullable(Decimal(18, 4)),
    margin            Nullable(Decimal(18, 4)),
    currency          LowCardinality(Nullable(String)),
    placed_at         Nullable(DateTime64(3, 'UTC')),
    channel           LowCardinality(Nullable(String)),
    store_id          Nullable(String),
    version           UInt64,
    is_deleted        UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (person_id, order_id, line_id);

CREATE TABLE IF NOT EXISTS onethread.facts_evidence (
    person_id       UUID,
    node_a          UUID,
    node_b          UUID,
    kind_a          LowCardinality(String),
    value_a         String,
    kind_b          LowCardinality(String),
    value_b         String,
    events          UInt64,
    first_seen_at   DateTime64(3, 'UTC'),
    last_seen_at    DateTime64(3, 'UTC'),
    first_event_id  String,
    conducts        Bool,
    refused_because LowCardinality(Nullable(String)),
    version         UInt64,
    is_deleted      UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (person_id, node_a, node_b);

CREATE TABLE IF NOT EXISTS onethread.facts_identifier_owners (
    node       UUID,
    at         DateTime64(3, 'UTC'),
    sequence   UInt64,
    kind       LowCardinality(String),
    value      String,
    person_id  UUID,
    version    UInt64,
    is_deleted UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (node, at, sequence);

CREATE TABLE IF NOT EXISTS onethread.facts_rules (
    node_a     UUID,
    node_b     UUID,
    kind_a     LowCardinality(String),
    value_a    String,
    kind_b     LowCardinality(String),
    value_b    String,
    verb       LowCardinality(String),
    rule_id    String,
    at         DateTime64(3, 'UTC'),
    reason     LowCardinality(String),
    version    UInt64,
    is_deleted UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (node_a, node_b);

CREATE TABLE IF NOT EXISTS onethread.facts_merges (
    person_id       UUID,
    other_person_id UUID,
    action          LowCardinality(String),
    event_id        String,
    at              DateTime64(3, 'UTC'),
    reason          LowCardinality(String),
    version         UInt64,
    is_deleted      UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (person_id, other_person_id, action, event_id);

CREATE TABLE IF NOT EXISTS onethread.facts_intake (
    topic          LowCardinality(String),
    partition      UInt64,
    records        UInt64,
    refused        UInt64,
    unidentifiable UInt64,
    version        UInt64,
    is_deleted     UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (topic, partition);

CREATE TABLE IF NOT EXISTS onethread.facts_identifier_notes (
    topic      LowCardinality(String),
    partition  UInt64,
    offset     UInt64,
    ordinal    UInt64,
    event_id   String,
    kind       LowCardinality(String),
    note       LowCardinality(String),
    at         DateTime64(3, 'UTC'),
    version    UInt64,
    is_deleted UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (topic, partition, offset, ordinal);

CREATE TABLE IF NOT EXISTS onethread.facts_unidentifiable (
    topic       LowCardinality(String),
    partition   UInt64,
    offset      UInt64,
    event_id    String,
    channel     LowCardinality(String),
    type        LowCardinality(String),
    occurred_at DateTime64(3, 'UTC'),
    reason      LowCardinality(String),
    version     UInt64,
    is_deleted  UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (topic, partition, offset);

CREATE TABLE IF NOT EXISTS onethread.facts_dead_letters (
    letter_partition UInt64,
    letter_offset    UInt64,
    at               DateTime64(3, 'UTC'),
    reason           LowCardinality(String),
    detail           String,
    topic            LowCardinality(Nullable(String)),
    partition        Nullable(UInt64),
    offset           Nullable(UInt64),
    schema_id        Nullable(UInt64),
    source           LowCardinality(Nullable(String)),
    event_id         Nullable(String),
    raw              Nullable(String),
    replayed_at      Nullable(DateTime64(3, 'UTC')),
    version          UInt64,
    is_deleted       UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (letter_partition, letter_offset);
