"""Every metric, once: which process tells it, its name, kind, meaning and labels. `docs/metrics.md` is made from here.

Rules: a label holds what `LABELS` lists and nothing else, never a value of a customer, so the number of series is
bounded by the deployment's settings. Each process shows its own metrics only: a gauge that it never sets would be 0.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from streams.distribution import Distribution

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which nobody reads

WORKER, COLLECTOR, SUPERVISOR = CollectorRegistry(), CollectorRegistry(), CollectorRegistry()
PROCESSES = {"worker": WORKER, "collector": COLLECTOR, "supervisor": SUPERVISOR}


@dataclass(frozen=True)
class Metric:
    """What the docs say of one metric; `name` is as Prometheus stores it."""

    process: str
    name: str
    kind: str
    meaning: str
    labels: tuple[str, ...]


DEFINITIONS: list[Metric] = []

LABELS = {
    "topic": "topics of the deployment",
    "partition": "numbers below the setting `partitions`",
    "reason": "reasons of refusal, as in the contract",
    "outcome": "accepted, refused and the like; at the collector also a reason of refusal",
    "kind": "kinds of identifiers in the policy; of alerts, kinds of alerts",
    "because": "reasons that keep identifiers apart; of a removed state: torn, old",
    "action": "merged, split",
    "clock": "wall, cpu: of the whole process",
    "stage": "map, ingest, stitch, load",
    "step": "steps of a batch or of a commit",
    "table": "tables of facts",
    "code": "ClickHouse's error codes that occurred; network where there is none",
    "error": "fenced, generation, timeout, other",
    "since": "occurred, produced, merge",
    "source": "sources of write keys",
    "system": "systems that send webhooks",
    "route": "routes of the collector",
    "status": "HTTP status codes",
    "spool": "collector",
    "part": "parts of the stack",
    "entry": "entries of the books",
    "version": "the release that runs: one value",
}
"""Every label there may be, and which values bound it."""

_BATCH_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_VISIBLE_S = (0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 7.5, 10, 15, 30, 60, 120, 300, 900, 3600, 86_400)


def page(process: CollectorRegistry) -> bytes:
    """What a process answers at `/metrics`: Python's and the process's own figures, then ours."""
    return generate_latest(REGISTRY) + generate_latest(process)


def watch_disk(process: str, path: Path) -> None:
    """Tell of the disk that holds `path`, asked anew at every scrape."""
    DISK_FREE[process].set_function(lambda: shutil.disk_usage(path).free)
    DISK_BYTES[process].set_function(lambda: shutil.disk_usage(path).total)


def _note(process: CollectorRegistry, name: str, kind: str, meaning: str, labels: Sequence[str]) -> None:
    assert LABELS.keys() >= set(labels), f"{name}: a label that is not listed"
    told_by = next(word for word, registry in PROCESSES.items() if registry is process)
    DEFINITIONS.append(Metric(told_by, name, kind, meaning, tuple(labels)))


def _counter(process: CollectorRegistry, name: str, meaning: str, *labels: str) -> Counter:
    _note(process, f"{name}_total", "counter", meaning, labels)
    return Counter(name, meaning, labels, registry=process)


def _gauge(process: CollectorRegistry, name: str, meaning: str, *labels: str) -> Gauge:
    _note(process, name, "gauge", meaning, labels)
    return Gauge(name, meaning, labels, registry=process)


def _histogram(
    process: CollectorRegistry, name: str, meaning: str, *labels: str, buckets: Sequence[float] = _BATCH_S,
) -> Histogram:
    _note(process, name, "histogram", meaning, labels)
    return Histogram(name, meaning, labels, buckets=buckets, registry=process)


def _distribution(
    process: CollectorRegistry, name: str, meaning: str, *labels: str, buckets: Sequence[float],
) -> Distribution:
    _note(process, name, "histogram", meaning, labels)
    return Distribution(name, meaning, labels, buckets, process)


def tell_version(process: str) -> None:
    """Say which release this process runs; `unknown` where it runs from files that nobody installed."""
    try:
        release = version("onethread")
    except PackageNotFoundError:
        release = "unknown"
    BUILD_INFO[process].labels(release).set(1)


# -- the worker and its partitions

WORKER_READY = _gauge(WORKER, "onethread_worker_ready", "1 when the worker has its partitions and their state, else 0.")
BUILD_INFO = {
    name: _gauge(registry, "onethread_build_info", "1, with the release that this process runs.", "version")
    for name, registry in PROCESSES.items()
}
_WITH_DISKS = {"worker": WORKER, "collector": COLLECTOR}
DISK_FREE = {
    name: _gauge(registry, "onethread_disk_free_bytes", "Free bytes of the disk with the state or the spool.")
    for name, registry in _WITH_DISKS.items()
}
DISK_BYTES = {
    name: _gauge(registry, "onethread_disk_bytes", "Bytes that this disk holds.")
    for name, registry in _WITH_DISKS.items()
}
PARTITIONS_ASSIGNED = _gauge(
    WORKER, "onethread_partitions_assigned", "Partitions of all topics that this worker reads.",
)
PARTITIONS_EXPECTED = _gauge(
    WORKER, "onethread_partitions_expected",
    "Partitions of all topics that the workers read together; where the sum of those assigned is less, one has no "
    "owner.",
)
REBALANCES = _counter(WORKER, "onethread_rebalances", "Times that this worker was given partitions.")
LAG = _gauge(
    WORKER, "onethread_lag_records", "Records not yet consumed, of this worker's partitions.", "topic", "partition",
)
STALLED = _gauge(
    WORKER, "onethread_stalled_seconds", "For how long a partition has lagged without any progress; 0 while it moves.",
    "topic", "partition",
)

# -- batches and commits

BATCH_SECONDS = _histogram(
    WORKER, "onethread_batch_seconds", "Time of one group of batches: to handle it, to commit it.", "stage", "step",
)
BATCH_RECORDS = _histogram(
    WORKER, "onethread_batch_records", "Kafka records of one group of batches.", "stage",
    buckets=(1, 5, 20, 100, 500, 1000, 2000, 5000),
)
COMMIT_SECONDS = _histogram(
    WORKER, "onethread_commit_seconds",
    "Time of a commit's steps: wait (for the other stages' commits), records, changelog, offsets, kafka, store.",
    "step",
)
COMMITS = _counter(WORKER, "onethread_commits", "Commits that succeeded.")
COMMIT_FAILURES = _counter(
    WORKER, "onethread_commit_failures",
    "Commits that failed, over restarts of the worker: each ends the process, unless it was fenced and made again.",
    "error",
)
LAST_COMMIT = _gauge(
    WORKER, "onethread_last_commit_seconds", "Unix time of the last commit that succeeded; 0 before the first.",
)

# -- state

STATE_BYTES = _gauge(
    WORKER, "onethread_state_bytes", "Bytes of a partition's state, on disk and in memory.", "partition",
)
STATE_KEYS = _gauge(
    WORKER, "onethread_state_keys", "Records of a partition's state, estimated by RocksDB.", "partition",
)
STATE_REMOVED = _counter(
    WORKER, "onethread_state_removed",
    "Stores removed because their files were torn or too old; the changelog brings them back.", "because",
)
CHANGELOG_RECORDS = _counter(WORKER, "onethread_changelog_records", "Records written to the changelog.")
RECOVERY_LEFT = _gauge(
    WORKER, "onethread_recovery_records_left", "Offsets of the changelog still to be read until a partition is whole.",
    "partition",
)
RECOVERY_PERCENT = _gauge(
    WORKER, "onethread_recovery_percent", "How much of the restore at hand is done; 100 when there is none.",
)
RECOVERY_SECONDS_LEFT = _gauge(
    WORKER, "onethread_recovery_seconds_left",
    "How long the restore at hand takes still, by its speed so far; -1 while that is not known.",
)
RECOVERY_LAST = _gauge(
    WORKER, "onethread_recovery_last_seconds", "How long the last restore took, and how much CPU of the process.",
    "clock",
)
RECOVERY_RECORDS = _counter(WORKER, "onethread_recovery_records", "Records of the changelog applied to the state.")
STANDBY_LAG = _gauge(
    WORKER, "onethread_standby_lag_records", "Offsets by which a standby's copy is behind the changelog.", "partition",
)

# -- ingest

EVENTS_IN = _counter(WORKER, "onethread_events_in", "Records read from events topics.", "topic")
RECORDS_MAPPED = _counter(
    WORKER, "onethread_records_mapped", "What records of foreign topics became: events sent, refused; or passed over.",
    "topic", "outcome",
)
EVENTS_REFUSED = _counter(WORKER, "onethread_events_refused", "Events refused at ingest.", "reason")
EVENTS_UNIDENTIFIABLE = _counter(WORKER, "onethread_events_unidentifiable", "Observations that identify nobody.")
COMMANDS = _counter(WORKER, "onethread_commands", "Commands of operators read: accepted or refused.", "outcome")
POLICY_VERSION = _gauge(
    WORKER, "onethread_policy_version", "The policy that all nodes of a partition have come to.", "partition",
)
POLICY_SWEPT = _gauge(
    WORKER, "onethread_policy_swept_nodes", "Nodes brought so far to the policy that is being applied.", "partition",
)

# -- stitch

STITCH_MESSAGES = _counter(WORKER, "onethread_stitch_messages", "Messages of the identity graph worked.", "partition")
STITCH_SECONDS = _counter(
    WORKER, "onethread_stitch_seconds", "Time spent on a partition's messages: a hot one stands out.", "partition",
)
DUPLICATES = _counter(WORKER, "onethread_duplicates", "Repeats of an event already kept, from another position.")
MERGES = _counter(WORKER, "onethread_merges", "Persons merged, split or renamed.", "action")
EDGES_REFUSED = _counter(
    WORKER, "onethread_edges_refused", "Pairs of identifiers seen together that unite nobody, at each change.",
    "because",
)
IDENTITY_ALERTS = _counter(
    WORKER, "onethread_identity_alerts", "Alerts on persons who may be several, at each change.", "kind",
)
IDENTIFIERS_SHARED = _counter(
    WORKER, "onethread_identifiers_shared", "Identifiers found to belong to many people, or no more.", "kind",
)
CLUSTER_IDENTIFIERS = _distribution(
    WORKER, "onethread_cluster_identifiers", "Identifiers of a cluster at each change of it.",
    buckets=(1, 2, 3, 5, 10, 20, 50, 100, 1000, 10_000),
)
LARGEST_CLUSTER = _gauge(
    WORKER, "onethread_largest_cluster_identifiers", "Identifiers of the largest cluster changed since the start.",
)
LARGEST_PERSON = _gauge(
    WORKER, "onethread_largest_person_touchpoints",
    "Touchpoints of the person with the most of those changed since the start.",
)
MOST_PARTNERS = _gauge(
    WORKER, "onethread_shared_identifier_partners",
    "Others that a shared identifier was seen with: of the one with the most of those seen since the start.",
)

# -- load

VISIBLE_SECONDS = _distribution(
    WORKER, "onethread_visible_seconds",
    "Time until ClickHouse had the row: of an event since it occurred and since Kafka took it in, of a merge since "
    "Kafka took in the event that caused it.", "since", buckets=_VISIBLE_S,
)
CLICKHOUSE_ROWS = _counter(WORKER, "onethread_clickhouse_rows", "Rows inserted.", "table")
CLICKHOUSE_INSERT_SECONDS = _histogram(
    WORKER, "onethread_clickhouse_insert_seconds", "Time of one insert that ClickHouse acknowledged.", "table",
)
CLICKHOUSE_ERRORS = _counter(WORKER, "onethread_clickhouse_errors", "Failed inserts and questions.", "code")
CLICKHOUSE_RETRIES = _counter(
    WORKER, "onethread_clickhouse_retries", "Failures that are waited out: the group is inserted again.", "code",
)
CLICKHOUSE_DELAY = _gauge(
    WORKER, "onethread_clickhouse_delay_seconds",
    "Age of the oldest fact of this worker that is not yet in ClickHouse; 0 where all are.",
)

# -- the collector

COLLECTOR_EVENTS = _counter(
    COLLECTOR, "onethread_collector_events",
    "Events that came by HTTP: accepted, or why it was refused; lost is a look at a letter that could not be kept.",
    "source", "outcome",
)
WEBHOOKS = _counter(COLLECTOR, "onethread_webhooks", "Webhooks: taken, handshake, unsigned.", "system", "outcome")
COLLECTOR_REQUESTS = _counter(
    COLLECTOR, "onethread_collector_requests", "Requests to the collector.", "route", "status",
)
COLLECTOR_SECONDS = _histogram(
    COLLECTOR, "onethread_collector_seconds", "Time of a request to the collector, its flush of the disk included.",
    "route",
)
SPOOL_RECORDS = _gauge(COLLECTOR, "onethread_spool_records", "Records that wait for Kafka.", "spool")
SPOOL_BYTES = _gauge(COLLECTOR, "onethread_spool_bytes", "Bytes that wait for Kafka.", "spool")
SPOOL_LIMIT = _gauge(
    COLLECTOR, "onethread_spool_limit_bytes", "Bytes that may wait: the spool's limit, or what the disk has room for.",
    "spool",
)
SPOOL_AGE = _gauge(COLLECTOR, "onethread_spool_age_seconds", "For how long the oldest of them has waited.", "spool")
SPOOL_SENT = _gauge(COLLECTOR, "onethread_spool_sent", "Records that Kafka acknowledged since the start.", "spool")

# -- the stack as a whole, told by one process

PART_UP = _gauge(SUPERVISOR, "onethread_part_up", "1 while a part runs, else 0.", "part")
PART_RESTARTS = _gauge(SUPERVISOR, "onethread_part_restarts", "How often a part was started again.", "part")
BOOKS = _gauge(
    SUPERVISOR, "onethread_books",
    "Where every event went, by ClickHouse: in = touchpoints + duplicates + dead_letters + unidentifiable + erased + "
    "suppressed; the difference must be 0 once all is read.", "entry",
)
BOOKS_READ = _gauge(
    SUPERVISOR, "onethread_books_read_seconds", "Unix time when ClickHouse last told the books; 0 before.",
)
CONFLICTING_DUPLICATES = _gauge(
    SUPERVISOR, "onethread_conflicting_duplicates", "Repeats under one event_id whose content differs.",
)
AS_OF = _gauge(SUPERVISOR, "onethread_as_of_seconds", "Unix time for which the views tell what is open or late.")
SHARED_IDENTIFIERS = _gauge(SUPERVISOR, "onethread_shared_identifiers", "Identifiers that belong to many people now.")
IDENTIFIERS_CONTESTED = _gauge(
    SUPERVISOR, "onethread_identifiers_contested", "Identifiers that several persons claim now.",
)
PENDING_LINKS = _gauge(
    SUPERVISOR, "onethread_pending_links", "Pairs of identifiers whose evidence does not suffice yet to unite them.",
)
