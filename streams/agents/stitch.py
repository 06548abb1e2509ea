"""Stage two: messages of the identity graph -> rows and further messages. Decode, call the core, hand over effects."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client import Gauge

from schemas.registry import SchemaCache
from streams import metrics
from streams.agents.compacting import Compactor
from streams.agents.people import People
from streams.core import facts, messages
from streams.core.effects import Effects
from streams.core.facts import index_of
from streams.core.graph import Partition
from streams.core.keys import Keys
from streams.core.policy import Policy
from streams.core.shaping import DURATIONS, Shaping
from streams.settings import Settings
from streams.topics import Topics
from streams.transport.commit import RECORD_BYTES_MAX, Work, Writes

TOUCHES_MAX = 20_000
"""Touchpoints in memory between batches, over all partitions: 4.2 KB each with their rows, 84 MB together. People come
in sessions; what is read again costs its rows anew (docs/performance.md)."""

FACTS_BYTES_MAX = 1_000_000
"""Of a record of facts; only a single row may be longer."""
assert FACTS_BYTES_MAX < RECORD_BYTES_MAX

_FORGOTTEN = ("erased_identifiers", "erased_records")

_BECAUSE = index_of("evidence", "refused_because")
_SHARED, _TOUCHPOINTS = (index_of("persons", name) for name in ("shared", "touchpoints"))


class PartitionReader:
    """The committed state of one partition, as the core reads it."""

    def __init__(self, store: Any, number: int) -> None:
        self._store, self._number = store, number

    def get(self, key: bytes) -> bytes | None:
        value: bytes | None = self._store.multi_get(self._number, [key])[0]
        return value

    def scan(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        return list(self._store.scan(self._number, prefix))

    def page(self, prefix: bytes, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        return list(self._store.page(self._number, prefix, after, limit))


class Stitch:
    """Keeps a `Partition` for each partition the worker owns; its nodes are cached between batches."""

    def __init__(self, settings: Settings, topics: Topics, policy: Policy, schemas: SchemaCache, store: Any) -> None:
        keys = Keys(settings.pepper.get_secret_value(), settings.partitions)
        self._people = People(topics, keys, schemas)
        self._shaping = Shaping(keys, **{name: getattr(settings, name) for name in DURATIONS})
        self._settings, self._topics, self._policy, self._store = settings, topics, policy, store
        self._partitions: dict[int, Partition] = {}
        self._compactor = Compactor(store)
        self._largest = dict.fromkeys((metrics.LARGEST_CLUSTER, metrics.LARGEST_PERSON, metrics.MOST_PARTNERS), 0)

    def forget(self, partitions: Iterable[int]) -> None:
        """The partitions may be another worker's now: what is cached of them is worth nothing."""
        for number in partitions:
            self._partitions.pop(number, None)

    async def handle(self, group: Any) -> Work:
        """Work a group of batches of the topic `identity`.

        Shape:  records of packed messages -> facts, forwards, changed records of the state, offsets.
        Errors: Retryable while the schema registry has not been met yet; whatever else is raised here stops the process
        before anything is committed.
        """
        await self._people.learn()
        # What is worked on stays in hand, whatever is forgotten meanwhile: offsets must not go without their effects.
        worked = {number: self._partition(number) for number in {batch.tp.partition for batch in group.batches}}
        for batch in group.batches:
            partition, seconds, count_of = worked[batch.tp.partition], 0.0, 0
            for record in batch.records:
                started = time.perf_counter()
                found = messages.unpack(record.value)
                partition.work(found)
                count_of += len(found)
                seconds += time.perf_counter() - started
                await asyncio.sleep(0)  # a long group must not starve the other stages
            metrics.STITCH_MESSAGES.labels(str(batch.tp.partition)).inc(count_of)
            metrics.STITCH_SECONDS.labels(str(batch.tp.partition)).inc(seconds)
        work = Work(offsets=group.offsets)
        for number, partition in worked.items():
            effects = partition.take()
            if any(key[0] in _FORGOTTEN for key in effects.facts):
                self._compactor.soon(number)
            self._carry_out(number, effects, work)
        return work

    def _partition(self, number: int) -> Partition:
        if number not in self._partitions:
            reader = PartitionReader(self._store, number)
            self._partitions[number] = Partition(
                number, self._policy, self._shaping, reader, TOUCHES_MAX // self._settings.partitions,
            )
        return self._partitions[number]

    def _carry_out(self, number: int, effects: Effects, work: Work) -> None:
        for fact in effects.packed_facts():
            topic = self._topics.of_facts(fact.table)
            work.records += [(topic, number, None, value) for value in values_of(fact)]
        work.records.extend(self._people.records(effects))
        for x, n in effects.shared:
            for partition in range(self._settings.partitions):
                effects.forwards[partition].append(messages.Shared(0, self._shaping.keys.node(x), n))
        for partition, forwarded in effects.forwards.items():
            for value in messages.records(forwarded):
                work.records.append((self._topics.identity, partition, None, value))
        work.writes[number] = Writes(effects.puts, effects.deletes)
        count(effects)
        self._tell_largest(metrics.LARGEST_CLUSTER, effects.sizes)
        self._tell_largest(metrics.LARGEST_PERSON, touchpoints_of(effects))
        self._tell_largest(metrics.MOST_PARTNERS, effects.met)
        if effects.swept:
            version, done, is_all = effects.swept
            metrics.POLICY_SWEPT.labels(number).set(done)
            if is_all:
                metrics.POLICY_VERSION.labels(number).set(version)

    def _tell_largest(self, gauge: Gauge, figures: Iterable[int]) -> None:
        self._largest[gauge] = max(self._largest[gauge], *figures, 0)
        gauge.set(self._largest[gauge])


def values_of(fact: facts.Facts) -> Iterator[bytes]:
    """One record, or as many as it takes where texts in the rows are long: Kafka refuses what is over its limit."""
    value = facts.encode(fact)
    rows = len(fact.upserts) + len(fact.tombstones)
    if len(value) <= FACTS_BYTES_MAX or rows == 1:
        yield value
        return
    upserts = rows // 2
    tombstones = max(0, upserts - len(fact.upserts))
    yield from values_of(facts.Facts(fact.table, fact.upserts[:upserts], fact.tombstones[:tombstones]))
    yield from values_of(facts.Facts(fact.table, fact.upserts[upserts:], fact.tombstones[tombstones:], fact.arrived))


def touchpoints_of(effects: Effects) -> Iterator[int]:
    """By person that changed; pseudo-persons of shared identifiers apart."""
    for key, (_, row) in effects.facts.items():
        if key[0] == "persons" and row is not None and not row[_SHARED]:
            yield row[_TOUCHPOINTS]


for _action in ("merged", "split"):  # shown from the beginning, so that the first is an increase
    metrics.MERGES.labels(_action)


def count(effects: Effects) -> None:
    if effects.duplicates:
        metrics.DUPLICATES.inc(effects.duplicates)
    for merge in effects.merges:
        metrics.MERGES.labels(merge.action).inc()
    for key, (_, row) in effects.facts.items():
        if key[0] == "evidence" and row is not None and row[_BECAUSE] is not None:
            metrics.EDGES_REFUSED.labels(row[_BECAUSE]).inc()
        elif key[0] == "alerts" and row is not None:
            metrics.IDENTITY_ALERTS.labels(key[2]).inc()
    for (kind, _), _ in effects.shared:
        metrics.IDENTIFIERS_SHARED.labels(kind).inc()
    if effects.sizes:
        metrics.CLUSTER_IDENTIFIERS.labels().observe_all(effects.sizes)
