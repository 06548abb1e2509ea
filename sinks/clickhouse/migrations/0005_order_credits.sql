-- Credits of a run of attribution are kept an order a row, in parallel arrays, as those of the rule models are.

DROP TABLE IF EXISTS onethread.batch_credits;

CREATE TABLE IF NOT EXISTS onethread.batch_order_credits (
    run_id           UUID,
    order_id         String,
    event_ids        Array(String),
    touches          Array(LowCardinality(String)),
    ats              Array(DateTime64(3, 'UTC')),
    channels         Array(LowCardinality(String)),
    campaign_sources Array(String),
    campaign_mediums Array(String),
    campaign_names   Array(String),
    names            Array(String),
    credits          Array(Decimal(18, 12))
) ENGINE = MergeTree PARTITION BY run_id ORDER BY order_id;
