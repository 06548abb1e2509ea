"""The stitching stage alone, in a process of its own: messages of `identity` -> facts, forwards, changed state.

`python -m deploy.bench.stitch BOOTSTRAP COUNT FOLDER TOPIC…` prints one JSON object. The agent, the core, the codecs
and the store on RocksDB are the worker's; there is no Kafka between the stages, forwards go to the next group. What
ingest does to make the messages is not counted.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
from confluent_kafka import Consumer
from faust.types import TP

from deploy.local.ports import Addresses
from schemas.records import CHANNEL_EVENT, Record
from schemas.registry import SchemaCache
from schemas.wire import HEAD_BYTES
from streams import settings as all_settings
from streams.agents.routing import Routing
from streams.agents.stitch import Stitch
from streams.connections import kafka_config
from streams.core import messages
from streams.core.accept import Accepted, Rules, accept
from streams.core.channels import registry
from streams.core.dry_run import State, persons
from streams.core.event import Event, NodeKey
from streams.core.intake import claims_on
from streams.core.policy import default
from streams.memory import settle_memory
from streams.settings import Settings
from streams.topics import Topics
from streams.transport.application import graph_store, new_app

KIOSK = ("device_id", "kiosk", 1.0)
"""An identifier that everybody shares; on every event of the second run."""

GROUP_EVENTS = 500
"""New events of one group: about what a worker finds waiting at full load."""
WAIT_S_MAX = 60.0


@dataclass(frozen=True)
class _Record:
    value: bytes


@dataclass(frozen=True)
class _Batch:
    tp: TP
    records: list[_Record]


@dataclass(frozen=True)
class _Group:
    batches: list[_Batch]
    offsets: dict[TP, int]


class _Registry(SchemaCache):
    """Numbers for schemas that nobody will read."""

    def __init__(self) -> None:
        super().__init__(None)

    def id_of(self, topic: str, record: Record) -> int:
        del topic, record
        return 1


def measure(settings: Settings, bootstrap: str, count: int, folder: Path, topics: list[str]) -> dict[str, Any]:
    """CPU of the process in µs an event over `count` events, and how long its parts took; the same with a kiosk."""
    events = _events(settings, bootstrap, count, topics)
    at_kiosk = [msgspec.structs.replace(event, ids=tuple(sorted((*event.ids, KIOSK)))) for event in events]
    settle_memory()
    kiosk = _Stage(settings, folder / "kiosk")
    return {
        **asyncio.run(_Stage(settings, folder / "plain").work(events)),
        "kiosk_cpu_us": asyncio.run(kiosk.work(at_kiosk))["cpu_us"],
        **kiosk.largest(),
    }


class _Stage:
    """The agent on a store of its own. Events enter as ingest would send them, which is not counted."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._topics = Topics(settings.topic_prefix)
        self._store = graph_store(new_app(settings, "", 0, folder))
        self._partitions = range(settings.partitions)
        for number in self._partitions:
            self._store._db_for_partition(number)
        self._agent = Stitch(settings, self._topics, default(), _Registry(), self._store)
        self._routing, self._keys = Routing(self._store), self._agent._shaping.keys

    async def work(self, events: list[Event]) -> dict[str, float]:
        """In groups, each with what the one before forwarded, until nothing is left."""
        fresh = (events[start : start + GROUP_EVENTS] for start in range(0, len(events), GROUP_EVENTS))
        waiting: list[tuple[int, bytes]] = []
        size = offset = 0
        cpu = agent = 0.0
        while (new := next(fresh, [])) or waiting:
            group = _group(self._topics, [*waiting, *self._observed(new)])
            cpu_before, started = time.process_time(), time.perf_counter()
            work = await self._agent.handle(group)
            agent += time.perf_counter() - started
            for partition, writes in work.writes.items():
                offset += 1
                self._store.write(partition, writes.puts, writes.deletes, offset)
            cpu += time.process_time() - cpu_before
            made = [(topic, partition, value) for topic, partition, _, value in work.records if value is not None]
            waiting = [(partition, value) for topic, partition, value in made if topic == self._topics.identity]
            size += sum(len(value) for topic, _, value in made if topic == self._topics.facts)
        count = len(events)
        return {"cpu_us": cpu / count * 1e6, "agent_us": agent / count * 1e6, "facts_bytes": size / count}

    def largest(self) -> dict[str, int]:
        """How many identifiers the largest cluster has, and the largest person."""
        state = State()
        for number in self._partitions:
            for key, value in self._store.scan(number, b""):
                state.put(key, value)
        node = self._keys.node
        parents = {node(found.identifier): node(found.parent or found.identifier) for found in state.nodes()}
        clusters = Counter(_root(parents, key) for key in parents)
        people = Counter(persons(state, default(), self._keys).owner.values())
        return {"kiosk_cluster": max(clusters.values()), "kiosk_person": max(people.values())}

    def _observed(self, events: list[Event]) -> list[tuple[int, bytes]]:
        """Messages on the events as ingest packs them, knowing the claims that are stored by now."""
        claims = self._routing.claims(self._partitions)
        by_partition: dict[int, list[messages.Message]] = {}
        for event in events:
            message = messages.observe(event, default(), claims_on(event, claims, self._keys))
            by_partition.setdefault(self._keys.owner(message.to), []).append(message)
        return [(number, value) for number, sent in by_partition.items() for value in messages.records(sent)]


def _root(parents: dict[NodeKey, NodeKey], key: NodeKey) -> NodeKey:
    while (parent := parents[key]) != key:
        key = parent
    return key


def _events(settings: Settings, bootstrap: str, count: int, topics: list[str]) -> list[Event]:
    """What ingest makes of the records, in the order of their time, as the stage meets them."""
    rules = Rules(default(), registry(settings.channels), settings.default_region, settings.reporting_zone)
    events = []
    for record in _records(bootstrap, count, topics):
        value = record.value()
        event, plain = CHANNEL_EVENT.read(value, HEAD_BYTES)
        position = (record.topic(), record.partition(), record.offset())
        outcome = accept(event, position, record.timestamp()[1], blake2b(plain, digest_size=16).digest(), None, rules)
        assert isinstance(outcome, Accepted), outcome
        events.append(outcome.event)
    return sorted(events, key=lambda event: event.at_ms)


def _records(bootstrap: str, count: int, topics: list[str]) -> Iterator[Any]:
    consumer = Consumer({
        **kafka_config(bootstrap), "group.id": "bench-stitch", "auto.offset.reset": "earliest",
        "enable.auto.commit": False, "log_level": 3,
    })
    consumer.subscribe(topics)
    done = 0
    while done < count:
        records = consumer.consume(min(1000, count - done), WAIT_S_MAX)
        assert records, f"expected {count} events, only {done} came"
        yield from records
        done += len(records)
    consumer.close()


def _group(names: Topics, values: list[tuple[int, bytes]]) -> _Group:
    by_partition: dict[int, list[_Record]] = {}
    for partition, value in values:
        by_partition.setdefault(partition, []).append(_Record(value))
    return _Group([_Batch(TP(names.identity, p), records) for p, records in by_partition.items()], {})


if __name__ == "__main__":
    _, bootstrap, count, folder, *topics = sys.argv
    settings = all_settings.load(Addresses.from_environ().home)
    print(json.dumps(measure(settings, bootstrap, int(count), Path(folder), topics)))
