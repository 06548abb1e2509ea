"""How a stack is: its parts, the lag of its topics, and the books that say where every record went."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from confluent_kafka import KafkaException

from deploy.local import kafka, records, registry, settle, stack, workers
from deploy.local.parts import COLLECTOR, REFITTER, http_text, worker_is_ready
from deploy.local.ports import Addresses
from deploy.local.readings import readings
from deploy.local.records import Record
from deploy.local.supervisor import SUPERVISOR
from streams import connections
from streams.core.event_types import TYPES
from streams.settings import Settings

BOOKS_SQL = """
WITH
    (SELECT sum(records) FROM onethread.intake) AS read,
    (SELECT count() FROM onethread.dead_letters WHERE topic IS NULL) AS refused_before,
    (SELECT count() FROM onethread.dead_letters WHERE topic IS NULL OR topic IN (SELECT topic FROM onethread.intake))
        AS dead_letters,
    (SELECT count() FROM onethread.unidentifiable) AS unidentifiable,
    (SELECT count() FROM onethread.facts_erased_records FINAL) AS erased,
    (SELECT sum(suppressed) FROM onethread.intake) AS suppressed,
    (SELECT as_of FROM onethread.settings) AS as_of,
    (SELECT count() FROM system.databases WHERE startsWith(name, 'onethread_rebuild_')) AS rebuilds
SELECT
    read + refused_before AS in,
    count() AS touchpoints,
    sum(copies - 1) AS duplicates,
    dead_letters,
    unidentifiable,
    erased,
    suppressed,
    in - (touchpoints + duplicates + dead_letters + unidentifiable + erased + suppressed) AS difference,
    sum(conflicts) AS conflicting_duplicates,
    arraySort(groupUniqArrayIf(type, NOT has({types}, type))) AS unknown_types,
    as_of,
    rebuilds
FROM onethread.touchpoints
FORMAT JSONEachRow
"""

IDENTITY_SQL = """
SELECT
    countIf(shared) AS shared,
    countIf(contested) AS contested,
    (SELECT count() FROM onethread.evidence WHERE NOT conducts AND refused_because = 'weak') AS pending_links
FROM onethread.facts_identifiers FINAL
FORMAT JSONEachRow
"""

OUTSIDE = "outside"
"""State of a part before it was asked, where nobody here started it."""

BOOKS = ("in", "touchpoints", "duplicates", "dead_letters", "unidentifiable", "erased", "suppressed", "difference")


@dataclass(frozen=True)
class Status:
    """`lag` and `books` are None where Kafka or ClickHouse does not answer."""

    parts: list[Record]
    lag: dict[str, int] | None = None
    books: dict[str, int] | None = None
    conflicting_duplicates: int | None = None
    unknown_types: list[str] = field(default_factory=list)
    as_of: str | None = None
    is_rebuilding: bool = False
    """`onethread rebuild` has begun and not ended; whether anybody waits for it is not known."""
    spool: dict[str, Any] | None = None
    """What waits in the collector for Kafka: records, and why; None where the collector does not answer."""

    @property
    def is_well(self) -> bool:
        return bool(self.parts) and all(part.state == "running" for part in self.parts)


def read(addresses: Addresses, settings: Settings) -> Status:
    """The state of the stack in this moment: every part is asked, not only looked up."""
    told = books(addresses)
    return Status(
        parts(addresses, settings), _lag(addresses, settings),
        {name: int(told[name]) for name in BOOKS} if told else None,
        int(told["conflicting_duplicates"]) if told else None,
        told["unknown_types"] if told else [],
        told["as_of"] if told else None,
        bool(told and int(told["rebuilds"])),
        _spool(addresses),
    )


def parts(addresses: Addresses, settings: Settings) -> list[Record]:
    """Every part, asked whether it answers."""
    known = {**records.read_all(addresses.home), **_outside(addresses)}
    return [_seen(record, addresses, settings) for record in _ordered(known)]


def books(addresses: Addresses) -> dict[str, Any] | None:
    """The row of BOOKS_SQL; None where ClickHouse does not answer."""
    return _asked(addresses, BOOKS_SQL.replace("{types}", str(sorted(TYPES))))


def identity(addresses: Addresses) -> dict[str, Any] | None:
    """The row of IDENTITY_SQL; None where ClickHouse does not answer."""
    return _asked(addresses, IDENTITY_SQL)


def _outside(addresses: Addresses) -> dict[str, Record]:
    """What the environment names: parts that somebody else starts, without a process here."""
    at = {"kafka": addresses.kafka_bootstrap, "registry": addresses.registry_url,
          "clickhouse": addresses.clickhouse_url, COLLECTOR: addresses.collector_url}
    named = {name: address for name, address in at.items() if addresses.is_outside(name.upper())}
    if workers.are_outside():
        named |= {f"worker-{i}": url for i, url in enumerate(workers.urls(addresses))}
    return {name: Record(name, OUTSIDE, address) for name, address in named.items()}


def _ordered(found: dict[str, Record]) -> list[Record]:
    def rank(record: Record) -> tuple[int, int, str]:
        first = (SUPERVISOR, "kafka", "kafka-1", "kafka-2", "registry", "clickhouse", COLLECTOR)
        place = first.index(record.name) if record.name in first else len(first)
        return place, len(record.name), record.name

    return sorted(found.values(), key=rank)


def _seen(record: Record, addresses: Addresses, settings: Settings) -> Record:
    """The record corrected by what is really there."""
    if record.name == SUPERVISOR:
        alive = stack.is_running(addresses.home)
        ended = record.state in ("stopped", "failed")
        return record if alive or ended else record.now("killed", pid=0, last_error="ended without stopping its parts")
    if record.state == OUTSIDE:
        return record.now("running" if _answers(record, addresses, settings) else "not answering", pid=0)
    if record.state not in ("starting", "running"):
        return record
    if not records.process(record):
        return record.now("dead", pid=0)
    if record.name.startswith("worker-"):
        return _seen_worker(record)
    if record.state == "running" and not _answers(record, addresses, settings):
        return record.now("not answering")
    return record


def _seen_worker(record: Record) -> Record:
    page = _metrics(record)
    if told := restoring(page):
        return replace(record, state=told)
    if record.state == "running" and not worker_is_ready(page):
        return record.now("not answering")
    return record


def _metrics(record: Record) -> str:
    return http_text(f"{_url(record.address)}/metrics") or ""


def restoring(metrics: str) -> str:
    """How far a worker is that reads its state from the changelog, by its page of metrics; empty when it does not."""
    told = readings(metrics)
    percent, seconds = told.get("onethread_recovery_percent", 100), told.get("onethread_recovery_seconds_left", -1)
    if percent >= 100 or told.get("onethread_worker_ready") == 1:
        return ""
    return f"restoring {percent:.0f} %" + (f", {seconds:.0f} s left" if seconds >= 0 else "")


def _answers(record: Record, addresses: Addresses, settings: Settings) -> bool:
    if record.name.startswith("kafka"):
        return kafka.answers(record.address, settings.brokers)
    if record.name == "registry":
        return registry.answers(addresses)
    if record.name == "clickhouse":
        return http_text(f"{addresses.clickhouse_url}/ping", login=connections.clickhouse()) is not None
    if record.name == COLLECTOR:
        return http_text(f"{addresses.collector_url}/healthz", login=connections.collector()) is not None
    return record.name == REFITTER or worker_is_ready(_metrics(record))


def _url(address: str) -> str:
    return address if "://" in address else f"http://{address}"


def _lag(addresses: Addresses, settings: Settings) -> dict[str, int] | None:
    if not kafka.answers(addresses.kafka_bootstrap):
        return None
    try:
        return settle.lag(addresses.kafka_bootstrap, settings)
    except KafkaException:
        return None


def _spool(addresses: Addresses) -> dict[str, Any] | None:
    found = settle.spool(addresses.collector_url)
    return {"records": found["waiting"], "problem": found["kafka"] or None} if found else None


def _asked(addresses: Addresses, query: str) -> dict[str, Any] | None:
    login = connections.clickhouse()
    try:
        response = httpx.post(
            addresses.clickhouse_url, params={"readonly": "2", "date_time_output_format": "iso"},
            content=query.encode(), trust_env=False, timeout=30, auth=login.basic,
            verify=login.verify_at(addresses.clickhouse_url),
        )
    except httpx.HTTPError:
        return None
    return dict(json.loads(response.text)) if response.status_code == 200 else None
