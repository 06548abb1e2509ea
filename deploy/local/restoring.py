"""A backup put into empty topics, so that a deployment goes on where the backed-up one was.

- Events, commands, dead letters and reference records lie in rows by their offsets, so they get the offsets they had:
  what is missing between two of them is filled with records of an aborted transaction, which no reader meets.
- Times are those of the records: what is late, and what was received before an erasure, depends on them.
- Ids of schemas are those that this registry gives; where they differ, records are told the new ones.
- The group goes on where the restored state says it had counted, and from the start of `identity`, which holds only
  what was not worked yet.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, OffsetSpec

from deploy.local import archive, backing, home, topics
from deploy.local.archive import Manifest, Record, Span
from deploy.local.kafka import RECORD_BYTES_MAX
from deploy.local.ports import Addresses
from deploy.local.reading import patiently
from schemas.registry import Schema
from schemas.registry import client as registry_client
from schemas.wire import HEAD_BYTES, frame, schema_id
from sinks.clickhouse import rebuilding
from sinks.clickhouse.client import connect
from sinks.clickhouse.columns import DATABASE
from streams import reaching
from streams.connections import kafka_config
from streams.core import reference
from streams.core.intake import BOOKS, Books
from streams.errors import OneThreadError
from streams.settings import Settings
from streams.state.snapshot import changelog_topic
from streams.state.store import CHANGELOG_CONFIG
from streams.topics import EVENTS, Topics
from streams.transport.application import application_id
from streams.transport.commit import produce

CALL_S = 60.0
TRANSACTION_MS = 900_000
SAY_EVERY = 50_000

Say = Callable[[str], object]


def restore(
    addresses: Addresses, settings: Settings, folder: Path, manifest: Manifest, say: Say,
    replay_since_ms: int | None = None,
) -> None:
    """Fill the topics of a deployment that has none, or only empty ones, and no worker.

    With `replay_since_ms`, only with what came in: commands, reference records, and events received from then on, so
    that workers make everything else of them anew.
    Errors: OneThreadError where a topic holds something, partitions, prefix or pepper are others than the backup's, or
    Kafka does not answer. What was interrupted is begun again in an empty home or cluster.
    """
    _check(settings, folder, manifest)
    bootstrap, names = addresses.kafka_bootstrap, Topics(settings.topic_prefix)
    try:
        _make_topics(bootstrap, settings, manifest)
        ids = _register(addresses.registry_url, folder)
        changelog, books = changelog_topic(settings.topic_prefix), _Counted()
        clients = _Clients(bootstrap, settings)
        ends: dict[tuple[str, int], int] = {}
        with _own_times(bootstrap, names.commands):
            for topic, spans in manifest.topics.items():
                is_event = topic.startswith(f"{names.prefix}{EVENTS}")
                if replay_since_ms is not None and (topic == names.dead_letters or not keeps_offsets(topic, names)):
                    continue
                restored = _Restored(bootstrap, settings, topic, ids, keeps_offsets(topic, names), say, clients)
                for number, span in spans.items():
                    records = archive.records_of(folder, span)
                    if is_event and replay_since_ms:
                        records = (record for record in records if record.timestamp >= replay_since_ms)
                    ends[topic, number] = restored.fill(number, span, books.seen(records, topic == changelog))
                say(f"{topic}: {sum(span.records for span in spans.values()):,} records")
        if replay_since_ms is None:
            _go_on(bootstrap, settings, manifest, ends, books.offsets)
    except KafkaException as error:
        raise reaching.no_answer(bootstrap, error) from error


def keeps_offsets(topic: str, names: Topics) -> bool:
    """Whether rows name records of a topic by their offsets."""
    return topic.startswith(f"{names.prefix}{EVENTS}") or topic in {
        names.commands, names.dead_letters, *(names.reference(name) for name in reference.TABLES)}


def bring_files(into: Path, folder: Path) -> None:
    """Settings, pepper and keys into a home, for its owner only; what is there already stays."""
    into.mkdir(parents=True, exist_ok=True)
    for path in sorted((folder / "home").rglob("*")):
        there = into / path.relative_to(folder / "home")
        if path.is_file() and path.name != backing.SHAPING and not there.exists():
            there.parent.mkdir(parents=True, exist_ok=True)
            there.touch(mode=0o600)
            there.write_bytes(path.read_bytes())


def restore_models(addresses: Addresses, folder: Path) -> None:
    """What batch models wrote, into their empty tables."""
    client = connect(addresses.clickhouse_url)
    for table in sorted(rebuilding.KEPT):
        if (folder / f"{table}.native").stat().st_size:
            with (folder / f"{table}.native").open("rb") as file:
                client.raw_insert(f"{DATABASE}.{table}", insert_block=file, fmt="Native")


def _check(settings: Settings, folder: Path, manifest: Manifest) -> None:
    if manifest.layout > home.LAYOUT:
        raise OneThreadError(f"{folder} is of a newer onethread (layout {manifest.layout}, this one knows "
                             f"{home.LAYOUT}): upgrade onethread")
    then, now = msgspec.json.decode((folder / "home" / backing.SHAPING).read_bytes()), home.shaping(settings)
    differ = sorted(name for name in ("partitions", "topic_prefix", "pepper") if then[name] != now[name])
    if differ:
        raise OneThreadError(f"expected the backup's own {', '.join(differ)}: with others its records mean nothing; "
                             "more partitions can be added afterwards")


def _make_topics(bootstrap: str, settings: Settings, manifest: Manifest) -> None:
    topics.create(bootstrap, settings, settings.brokers)
    admin, changelog = reaching.admin(bootstrap), changelog_topic(settings.topic_prefix)
    if changelog not in admin.list_topics(timeout=CALL_S).topics:
        new = NewTopic(changelog, settings.partitions, settings.brokers, config=CHANGELOG_CONFIG)
        admin.create_topics([new])[changelog].result()
    full = [topic for topic in manifest.topics if any(end for _, end in backing.spans(bootstrap, topic).values())]
    if full:
        raise OneThreadError(f"expected empty topics; {', '.join(full[:5])} hold something: restore into an empty home "
                             "or cluster (`onethread down --wipe` empties a home)")


def _register(registry_url: str, folder: Path) -> dict[int, int]:
    """The backup's schemas in this registry; their ids there by their ids then, where these differ."""
    registry = registry_client(registry_url)
    ids = {}
    for one in msgspec.json.decode((folder / backing.SCHEMAS).read_bytes(), type=list[backing.SchemaVersion]):
        number = registry.register_schema(one.subject, Schema(one.text, "AVRO"))
        if number != one.id:
            ids[one.id] = number
    return ids


@contextmanager
def _own_times(bootstrap: str, topic: str) -> Iterator[None]:
    """Let a topic whose records the broker dates take the records' own times for a while."""
    admin = reaching.admin(bootstrap)

    def say(kind: str) -> None:
        entry = ConfigEntry("message.timestamp.type", kind, incremental_operation=AlterConfigOpType.SET)
        asked = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
        for future in admin.incremental_alter_configs([asked]).values():
            future.result()

    say("CreateTime")
    try:
        yield
    finally:
        say(topics.COMMANDS["message.timestamp.type"])


class _Counted:
    """Looks at the records of the changelog on their way: how far events are counted."""

    def __init__(self) -> None:
        self.offsets: dict[tuple[str, int], int] = {}

    def seen(self, records: Iterable[Record], is_state: bool) -> Iterable[Record]:
        if not is_state:
            return records
        return map(self._look, records)

    def _look(self, record: Record) -> Record:
        if record.key and record.key.startswith(BOOKS) and record.value:
            self.offsets[Books.source(record.key)] = Books.unpack(record.value).next_offset
        return record


class _Clients:
    """What all topics are written with: one producer for records, one for what lies between them."""

    def __init__(self, bootstrap: str, settings: Settings) -> None:
        common = {
            **kafka_config(bootstrap), "log_level": 0, "compression.type": "lz4", "message.max.bytes": RECORD_BYTES_MAX,
            "queue.buffering.max.kbytes": 65_536,
        }
        self.admin = reaching.admin(bootstrap)
        self.plain = Producer({**common, "enable.idempotence": True, "linger.ms": 5})
        self.filling = Producer({**common, "transactional.id": f"{application_id(settings)}-restoring",
                                 "transaction.timeout.ms": TRANSACTION_MS})
        self.filling.init_transactions(CALL_S)


class _Restored:
    """Writes the partitions of one topic."""

    def __init__(
        self, bootstrap: str, settings: Settings, topic: str, ids: dict[int, int], is_exact: bool, say: Say,
        clients: _Clients,
    ) -> None:
        names = Topics(settings.topic_prefix)
        self._admin, self._plain, self._filling = clients.admin, clients.plain, clients.filling
        self._is_exact = is_exact
        self._internal = topic in (names.identity, names.history, changelog_topic(settings.topic_prefix))
        self._is_dated = topic not in (names.identity, changelog_topic(settings.topic_prefix))
        self._bootstrap, self._topic, self._ids, self._say = bootstrap, topic, ids, say
        self._refused: list[str] = []
        self._count = 0

    def fill(self, number: int, span: Span, records: Iterable[Record]) -> int:
        """Write a partition; the offset at which it ends. Errors: OneThreadError where Kafka does not take a record."""
        if not self._is_exact:
            before = self._count
            for record in records:
                self._put(self._plain, number, record)
            self._flush()
            return self._count - before
        before_it: Record | None = None
        for record in chain(records, [Record(span.end, 0, None, None, [])]):
            if before_it is None:
                self._skip(number, 0, record.offset)
            else:
                self._place(number, before_it, record.offset)
            before_it = record
        self._flush()
        return span.end

    def _place(self, number: int, record: Record, until: int) -> None:
        """A record, and no other up to an offset. A transaction ends with an offset of its own, the marker."""
        if until - record.offset != 2:
            self._put(self._plain, number, record)
            self._skip(number, record.offset + 1, until)
            return
        self._flush()
        self._filling.begin_transaction()
        self._put(self._filling, number, record)
        self._filling.commit_transaction(CALL_S)
        self._await_end(number, until)

    def _skip(self, number: int, start: int, until: int) -> None:
        """Offsets without a record; one alone, at the very beginning, can only be a record without a value."""
        gap = until - start
        if gap == 1:
            self._produce(self._plain, number, b"", None)
        if gap < 2:
            return
        self._flush()
        self._filling.begin_transaction()
        for _ in range(gap - 1):
            self._produce(self._filling, number, b"", None)
        self._filling.flush(TRANSACTION_MS / 1000)
        self._filling.abort_transaction(CALL_S)
        self._await_end(number, until)

    def _await_end(self, number: int, end: int) -> None:
        """Markers are written after the call has returned: what follows must not come before them."""
        deadline_s, tp = time.monotonic() + CALL_S, TopicPartition(self._topic, number)
        while (found := self._admin.list_offsets({tp: OffsetSpec.latest()})[tp].result().offset) != end:
            if time.monotonic() > deadline_s:
                raise OneThreadError(
                    f"{self._topic} {number}: expected to end at {end}; ends at {found}: somebody else produces to it")
            time.sleep(0.002)

    def _put(self, producer: Producer, number: int, record: Record) -> None:
        value = record.value
        if value and not self._internal and (renamed := self._ids.get(schema_id(value) or -1)):
            value = frame(renamed, value[HEAD_BYTES:])
        more: dict[str, Any] = {"timestamp": max(record.timestamp, 0)} if self._is_dated else {}
        if record.headers:
            more["headers"] = record.headers
        self._produce(producer, number, record.key, value, **more)
        self._count += 1
        if self._count % SAY_EVERY == 0:
            self._say(f"{self._topic}: {self._count:,} records")

    def _produce(self, producer: Producer, number: int, key: bytes | None, value: bytes | None, **more: Any) -> None:
        produce(producer, self._topic, number, key, value, self._noted, **more)
        producer.poll(0)

    def _noted(self, error: Any, _message: Any) -> None:
        if error is not None:
            self._refused.append(error.str())

    def _flush(self) -> None:
        left = self._plain.flush(CALL_S)
        if left or self._refused:
            why = self._refused[0] if self._refused else f"no answer for {left} records"
            raise OneThreadError(f"Kafka at {self._bootstrap} does not take records of {self._topic}: {why}")


def _go_on(
    bootstrap: str, settings: Settings, manifest: Manifest, ends: dict[tuple[str, int], int],
    counted: dict[tuple[str, int], int],
) -> None:
    """Tell the group where to go on."""
    history = Topics(settings.topic_prefix).history
    told = []
    for (topic, number), end in ends.items():
        then = manifest.offsets.get(topic, {}).get(number)
        offset = end if topic == history else counted.get((topic, number)) or then
        if offset is not None and topic != Topics(settings.topic_prefix).identity:
            told.append(TopicPartition(topic, number, offset))
    consumer = Consumer({**kafka_config(bootstrap), "group.id": application_id(settings), "log_level": 0,
                         "enable.auto.commit": False})
    try:
        for tp in patiently(lambda: consumer.commit(offsets=told, asynchronous=False)) if told else ():
            if tp.error:
                raise KafkaException(tp.error)
    finally:
        consumer.close()
