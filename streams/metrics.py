"""Every metric, once: name, kind, meaning, labels. The docs table is generated from here.

Labels hold topics, stages, tables, reasons and kinds, never a value of a customer, so their number is bounded.
"""

from prometheus_client import Counter, Gauge, Histogram

_BATCH_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)

WORKER_READY = Gauge("onethread_worker_ready", "1 when the worker has its partitions and their state, else 0.")
EVENTS_IN = Counter("onethread_events_in", "Records read from events topics.", ["topic"])
RECORDS_MAPPED = Counter(
    "onethread_records_mapped", "What records of foreign topics became: events sent, refused; or passed over.",
    ["topic", "outcome"],
)
EVENTS_REFUSED = Counter("onethread_events_refused", "Events refused at ingest, by reason.", ["reason"])
EVENTS_UNIDENTIFIABLE = Counter("onethread_events_unidentifiable", "Observations that identify nobody.")
COMMANDS = Counter("onethread_commands", "Commands of operators read: accepted or refused.", ["outcome"])
POLICY_VERSION = Gauge(
    "onethread_policy_version", "The policy that all nodes of a partition have come to.", ["partition"],
)
POLICY_SWEPT = Gauge(
    "onethread_policy_swept_nodes", "Nodes brought so far to the policy that is being applied.", ["partition"],
)
DUPLICATES = Counter("onethread_duplicates", "Repeats of an event already kept, from another position.")
MERGES = Counter("onethread_merges", "Persons merged, split or renamed, by action.", ["action"])
EDGES_REFUSED = Counter(
    "onethread_edges_refused", "Pairs of identifiers seen together that unite nobody, at each change, by reason.",
    ["because"],
)
IDENTITY_ALERTS = Counter(
    "onethread_identity_alerts", "Alerts on persons who may be several, at each change, by kind.", ["kind"],
)
IDENTIFIERS_SHARED = Counter(
    "onethread_identifiers_shared", "Identifiers found to belong to many people, or no more, by kind.", ["kind"],
)
CLUSTER_IDENTIFIERS = Histogram(
    "onethread_cluster_identifiers", "Identifiers of a cluster at each change of it.",
    buckets=(1, 2, 3, 5, 10, 20, 50, 100, 1000, 10_000),
)
BATCH_SECONDS = Histogram(
    "onethread_batch_seconds", "Time of one group of batches, by stage and step.", ["stage", "step"], buckets=_BATCH_S,
)
BATCH_RECORDS = Histogram(
    "onethread_batch_records", "Records of one group of batches, by stage.", ["stage"],
    buckets=(1, 5, 20, 100, 500, 1000, 2000, 5000),
)
LAG = Gauge("onethread_lag_records", "Records not yet consumed, of this worker's partitions.", ["topic", "partition"])
CLICKHOUSE_ROWS = Counter("onethread_clickhouse_rows", "Rows inserted, by table.", ["table"])
CLICKHOUSE_ERRORS = Counter("onethread_clickhouse_errors", "Failed inserts, by ClickHouse's error code.", ["code"])
COLLECTOR_EVENTS = Counter(
    "onethread_collector_events", "Events that came by HTTP, by source and outcome: accepted, or why it was refused.",
    ["source", "outcome"],
)
WEBHOOKS = Counter("onethread_webhooks", "Webhooks by system: taken, handshake, unsigned.", ["system", "outcome"])
COLLECTOR_REQUESTS = Counter("onethread_collector_requests", "Requests to the collector.", ["route", "status"])
COLLECTOR_SECONDS = Histogram(
    "onethread_collector_seconds", "Time of a request to the collector, its flush of the disk included.", ["route"],
    buckets=_BATCH_S,
)
SPOOL_RECORDS = Gauge("onethread_spool_records", "Records that wait for Kafka.", ["spool"])
SPOOL_BYTES = Gauge("onethread_spool_bytes", "Bytes that wait for Kafka.", ["spool"])
SPOOL_AGE = Gauge("onethread_spool_age_seconds", "For how long the oldest of them has waited.", ["spool"])
SPOOL_SENT = Gauge("onethread_spool_sent", "Records that Kafka acknowledged since the start.", ["spool"])
