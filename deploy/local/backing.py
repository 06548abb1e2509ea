"""A backup of a deployment that goes on working: what its topics hold, its schemas, its settings and secrets.

What makes it whole without a pause is the order of reading:
1. where the workers' group is; 2. the state, from the changelog, each partition up to its end; 3. every other topic, up
to ends that are looked up after that.
So each message between partitions is in the state of its receiver, or is read again from where the group was; and what
the state says was sent is in its topic. Being told twice changes no state (docs/identity.md). Events alone must not be
counted twice: how far each partition of them is counted lies in the state itself, and is where a restored one goes on.
Facts are left out: ClickHouse is built again from state and history. Foreign topics are somebody else's to keep.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from deploy.local import archive, home, topics
from deploy.local.archive import Manifest, Span
from deploy.local.ports import Addresses
from deploy.local.reading import batches, patiently
from deploy.local.settle import Pipeline
from schemas.registry import client as registry_client
from sinks.clickhouse import rebuilding
from sinks.clickhouse.client import connect
from sinks.clickhouse.columns import DATABASE
from streams import reaching
from streams.settings import Settings
from streams.state.snapshot import changelog_topic
from streams.topics import Topics

REQUEST_S = 30.0
HOME_FILES = ("pepper", "keys.json", "clickhouse-users.json", "write-key", "segment.toml", home.SETTINGS)
SCHEMAS = "schemas.json"
SHAPING = "shaping.json"

Say = Callable[[str], object]


class SchemaVersion(msgspec.Struct, frozen=True):
    """A schema as the registry knows it; records name it by `id`."""

    id: int
    subject: str
    version: int
    text: str


def back_up(addresses: Addresses, settings: Settings, folder: Path, say: Say) -> Manifest:
    """Write a backup of the running deployment into an empty folder.

    Errors: OneThreadError where the folder holds something, or Kafka does not answer.
    Cost: reads every topic once; about the size that Kafka has of them.
    """
    archive.begin(folder)
    bootstrap, names = addresses.kafka_bootstrap, Topics(settings.topic_prefix)
    try:
        offsets = _group(bootstrap, settings)
        changelog = changelog_topic(settings.topic_prefix)
        saved = {changelog: _topic(bootstrap, folder, changelog, say)}
        for topic in topics.configs(settings):
            if topic == names.identity:
                saved[topic] = _topic(bootstrap, folder, topic, say, offsets.get(topic, {}))
            elif topic != names.facts and topic not in settings.mappings:
                saved[topic] = _topic(bootstrap, folder, topic, say)
    except KafkaException as error:
        raise reaching.no_answer(bootstrap, error) from error
    say("schemas, settings, keys")
    manifest = Manifest(
        archive.FORMAT, datetime.now(UTC).isoformat(timespec="seconds"), home.LAYOUT, settings.partitions,
        settings.topic_prefix, saved, offsets, _files(addresses, settings, folder),
    )
    archive.finish(folder, manifest)
    return manifest


def _group(bootstrap: str, settings: Settings) -> dict[str, dict[int, int]]:
    pipeline = Pipeline(bootstrap, settings)
    try:
        found: dict[str, dict[int, int]] = {}
        for (topic, number), offset in pipeline.consumed().items():
            found.setdefault(topic, {})[number] = offset
        return found
    finally:
        pipeline.close()


def _topic(
    bootstrap: str, folder: Path, topic: str, say: Say, since: dict[int, int] | None = None,
) -> dict[int, Span]:
    """Every partition's file. Where `since` is given, only what lies behind those offsets."""
    found = {}
    for number, (start, end) in spans(bootstrap, topic).items():
        if since is not None:
            start = max(start, since.get(number, 0))
        found[number] = archive.write_records(folder, topic, number, _records(bootstrap, topic, number, start, end),
                                              start, end)
    say(f"{topic}: {sum(span.records for span in found.values()):,} records")
    return found


def _records(bootstrap: str, topic: str, number: int, start: int, end: int) -> Iterator[Any]:
    if start < end:
        for batch in batches(bootstrap, topic, [number], start, end):
            yield from batch.records


def spans(bootstrap: str, topic: str) -> dict[int, tuple[int, int]]:
    """Partition -> offsets at which it begins and ends. Errors: KafkaException."""
    admin = reaching.admin(bootstrap)
    there = admin.list_topics(topic, timeout=REQUEST_S).topics[topic].partitions
    found = []
    for spec in (OffsetSpec.earliest(), OffsetSpec.latest()):
        asked = {TopicPartition(topic, number): spec for number in there}
        found.append(patiently(partial(_offsets, admin, asked)))
    starts, ends = found
    return {number: (starts[number], ends[number]) for number in sorted(there)}


def _offsets(admin: AdminClient, asked: dict[TopicPartition, OffsetSpec]) -> dict[int, int]:
    told = admin.list_offsets(asked, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=REQUEST_S)
    return {tp.partition: future.result().offset for tp, future in told.items()}


def _files(addresses: Addresses, settings: Settings, folder: Path) -> dict[str, str]:
    """What lies beside the topics; name -> checksum."""
    archive.write_file(folder, SCHEMAS, msgspec.json.encode(schemas_of(addresses.registry_url)))
    for name in HOME_FILES:
        if (path := addresses.home / name).is_file():
            archive.write_file(folder, f"home/{name}", path.read_bytes())
    for name in settings.mappings.values():
        if (path := addresses.home / name).is_file():
            archive.write_file(folder, f"home/{name}", path.read_bytes())
    archive.write_file(folder, f"home/{SHAPING}", msgspec.json.encode(home.shaping(settings)))
    client = connect(addresses.clickhouse_url)
    for table in sorted(rebuilding.KEPT):
        rows = client.raw_query(f"SELECT * FROM {DATABASE}.{table}", fmt="Native")  # noqa: S608 - our own names
        archive.write_file(folder, f"{table}.native", rows)
    written = [path for path in folder.rglob("*") if path.is_file() and folder / "topics" not in path.parents]
    return {str(path.relative_to(folder)): archive.checksum(path) for path in sorted(written)}


def schemas_of(registry_url: str) -> list[SchemaVersion]:
    """Every version of every subject, in the order in which they were registered."""
    registry = registry_client(registry_url)
    found = []
    for subject in registry.get_subjects():
        for version in registry.get_versions(subject):
            told = registry.get_version(subject, version)
            found.append(SchemaVersion(told.schema_id, subject, version, told.schema.schema_str))
    return sorted(found, key=lambda one: (one.id, one.subject, one.version))
