-- Orders in full: payments in parts, suspected duplicates, returns and shipments.
ALTER TABLE onethread.facts_orders
    ADD COLUMN IF NOT EXISTS paid_amount Nullable(Decimal(18, 4)) AFTER returns,
    ADD COLUMN IF NOT EXISTS paid_in_full_at Nullable(DateTime64(3, 'UTC')) AFTER paid_amount,
    ADD COLUMN IF NOT EXISTS delivery_store_id Nullable(String) AFTER paid_in_full_at,
    ADD COLUMN IF NOT EXISTS suspected_duplicate_of Nullable(String) AFTER delivery_store_id;

CREATE TABLE IF NOT EXISTS onethread.facts_returns (
    person_id     UUID,
    order_id      String,
    return_id     String,
    person_shared Bool,
    returned_at   DateTime64(3, 'UTC'),
    channel       LowCardinality(String),
    store_id      Nullable(String),
    staff         Nullable(String),
    amount        Nullable(Decimal(18, 4)),
    currency      LowCardinality(Nullable(String)),
    outcome       LowCardinality(String),
    reason        LowCardinality(Nullable(String)),
    asked_at      Nullable(DateTime64(3, 'UTC')),
    other_channel Nullable(Bool),
    partial       Nullable(Bool),
    version       UInt64,
    is_deleted    UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (person_id, order_id, return_id);

CREATE TABLE IF NOT EXISTS onethread.facts_shipments (
    person_id     UUID,
    order_id      String,
    shipment_id   String,
    person_shared Bool,
    method        LowCardinality(Nullable(String)),
    carrier       LowCardinality(Nullable(String)),
    status        LowCardinality(Nullable(String)),
    promised_at   Nullable(DateTime64(3, 'UTC')),
    delivered_at  Nullable(DateTime64(3, 'UTC')),
    delayed       Bool,
    store_id      Nullable(String),
    cost          Nullable(Decimal(18, 4)),
    currency      LowCardinality(Nullable(String)),
    version       UInt64,
    is_deleted    UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (person_id, order_id, shipment_id);
