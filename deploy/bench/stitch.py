"""The stitching stage alone, in a process of its own: messages of `identity` -> facts, forwards, changed state.

`python -m deploy.bench.stitch BOOTSTRAP COUNT FOLDER TOPIC…` prints one JSON object. The agent, the core, the codecs
and the store on RocksDB are the worker's; there is no Kafka between the stages, forwards go to the next group. What
ingest does to make the messages is not counted.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer
from faust.types import TP

from deploy.local.ports import Addresses
from schemas.records import CHANNEL_EVENT, Record
from schemas.registry import SchemaCache
from schemas.wire import HEAD_BYTES
from streams import settings as all_settings
from streams.agents.stitch import Stitch
from streams.core import messages
from streams.core.accept import Accepted, Rules, accept
from streams.core.channels import registry
from streams.core.keys import Keys
from streams.core.policy import default
from streams.memory import settle_memory
from streams.settings import Settings
from streams.topics import Topics
from streams.transport.application import graph_store, new_app

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


def measure(settings: Settings, bootstrap: str, count: int, folder: Path, topics: list[str]) -> dict[str, float]:
    """CPU of the process in µs an event over `count` events, and how long its parts took."""
    names = Topics(settings.topic_prefix)
    incoming = _messages(settings, bootstrap, count, topics)
    store = graph_store(new_app(settings, bootstrap, 0, folder))
    for number in range(settings.partitions):
        store._db_for_partition(number)
    agent = Stitch(settings, names, default(), _Registry(), store)
    settle_memory()
    return asyncio.run(_work(agent, store, names, incoming, count))


async def _work(
    agent: Stitch, store: Any, names: Topics, incoming: list[messages.Observe], count: int,
) -> dict[str, float]:
    fresh = iter([list(_packed(agent._shaping.keys, group)) for group in _groups(incoming)])
    waiting: list[tuple[int, bytes]] = []
    seconds = {"agent": 0.0, "store": 0.0}
    rows = size = offset = 0
    cpu = time.process_time()
    while True:
        new = next(fresh, [])
        if not new and not waiting:
            break
        group = _group(names, [*waiting, *new])
        started = time.perf_counter()
        work = await agent.handle(group)
        handled = time.perf_counter()
        for partition, writes in work.writes.items():
            offset += 1
            store.write(partition, writes.puts, writes.deletes, offset)
        seconds["agent"] += handled - started
        seconds["store"] += time.perf_counter() - handled
        made = [(topic, partition, value) for topic, partition, _, value in work.records if value is not None]
        waiting = [(partition, value) for topic, partition, value in made if topic == names.identity]
        facts = [value for topic, _, value in made if topic == names.facts]
        rows += len(facts)
        size += sum(map(len, facts))
    cpu = time.process_time() - cpu
    return {
        "cpu_us": cpu / count * 1e6, "agent_us": seconds["agent"] / count * 1e6,
        "store_us": seconds["store"] / count * 1e6, "facts_bytes": size / count,
    }


def _messages(settings: Settings, bootstrap: str, count: int, topics: list[str]) -> list[messages.Observe]:
    """What ingest makes of the events, in the order of their time, as the stage meets them."""
    rules = Rules(default(), registry(settings.channels), settings.default_region, settings.reporting_zone)
    events = []
    for record in _records(bootstrap, count, topics):
        value = record.value()
        event, plain = CHANNEL_EVENT.read(value, HEAD_BYTES)
        position = (record.topic(), record.partition(), record.offset())
        outcome = accept(event, position, record.timestamp()[1], blake2b(plain, digest_size=16).digest(), None, rules)
        assert isinstance(outcome, Accepted), outcome
        events.append(outcome.event)
    events.sort(key=lambda event: event.at_ms)
    return [messages.observe(event, rules.policy) for event in events]


def _records(bootstrap: str, count: int, topics: list[str]) -> Iterator[Any]:
    consumer = Consumer({
        "bootstrap.servers": bootstrap, "group.id": "bench-stitch", "auto.offset.reset": "earliest",
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


def _groups(incoming: list[messages.Observe]) -> Iterator[list[messages.Observe]]:
    for start in range(0, len(incoming), GROUP_EVENTS):
        yield incoming[start : start + GROUP_EVENTS]


def _packed(keys: Keys, new: list[messages.Observe]) -> Iterator[tuple[int, bytes]]:
    by_partition: dict[int, list[messages.Message]] = {}
    for message in new:
        by_partition.setdefault(keys.owner(message.to), []).append(message)
    for partition, sent in by_partition.items():
        for value in messages.records(sent):
            yield partition, value


def _group(names: Topics, values: list[tuple[int, bytes]]) -> _Group:
    by_partition: dict[int, list[_Record]] = {}
    for partition, value in values:
        by_partition.setdefault(partition, []).append(_Record(value))
    return _Group([_Batch(TP(names.identity, p), records) for p, records in by_partition.items()], {})


if __name__ == "__main__":
    _, bootstrap, count, folder, *topics = sys.argv
    settings = all_settings.load(Addresses.from_environ().home)
    print(json.dumps(measure(settings, bootstrap, int(count), Path(folder), topics)))
