-- Reference records: facts without a customer. The version is the record's place in its topic.
CREATE TABLE IF NOT EXISTS onethread.facts_stores (
    store_id      String,
    name          Nullable(String),
    city          Nullable(String),
    region        Nullable(String),
    country       Nullable(String),
    zone          Nullable(String),
    opening_hours Nullable(String),
    version       UInt64,
    is_deleted    UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (store_id);

CREATE TABLE IF NOT EXISTS onethread.facts_products (
    sku        String,
    name       Nullable(String),
    category   Nullable(String),
    brand      Nullable(String),
    cost       Nullable(Decimal(18, 4)),
    currency   LowCardinality(Nullable(String)),
    version    UInt64,
    is_deleted UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (sku);

CREATE TABLE IF NOT EXISTS onethread.facts_stock (
    sku         String,
    store_id    String,
    available   Decimal(18, 4),
    reserved    Decimal(18, 4),
    incoming    Decimal(18, 4),
    expected_at Nullable(DateTime64(3, 'UTC')),
    price       Nullable(Decimal(18, 4)),
    currency    LowCardinality(Nullable(String)),
    at          Nullable(DateTime64(3, 'UTC')),
    version     UInt64,
    is_deleted  UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (sku, store_id);

CREATE TABLE IF NOT EXISTS onethread.facts_campaign_costs (
    day         Date,
    source      LowCardinality(String),
    medium      String,
    name        String,
    impressions Nullable(UInt64),
    clicks      Nullable(UInt64),
    cost        Decimal(18, 4),
    currency    LowCardinality(String),
    version     UInt64,
    is_deleted  UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (day, source, medium, name);

CREATE TABLE IF NOT EXISTS onethread.facts_rates (
    day        Date,
    currency   LowCardinality(String),
    rate       Decimal(28, 12),
    version    UInt64,
    is_deleted UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (day, currency);

CREATE TABLE IF NOT EXISTS onethread.facts_staff (
    id         String,
    name       Nullable(String),
    role       LowCardinality(Nullable(String)),
    team       Nullable(String),
    skills     Array(String),
    version    UInt64,
    is_deleted UInt8
) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY (id);
