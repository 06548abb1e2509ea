"""The partitions of the identity graph on logs in memory: everything a real run may do, in an order a seed decides.

Kept: order inside a log, and the commit (facts, forwards, state and offset together or not at all). Everything else
is left to chance: which partition works next, on how many records, with which claims ingest's cache is up to date,
where a worker dies before or after its commit, which facts reach the sink twice and when.
"""

from bisect import bisect_left, insort
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from itertools import takewhile
from random import Random

from streams.core import facts, messages
from streams.core.effects import Effects
from streams.core.event import Event, Identifier
from streams.core.facts import TABLES, Facts, Key, Row
from streams.core.graph import Partition
from streams.core.keys import Keys
from streams.core.rows import Shaping
from tests.strategies import World

PEPPER = b"simulation"
STEPS_MAX = 200_000
"""A world of 60 events needs some thousands; what goes on longer never ends."""


class Store(dict[bytes, bytes]):
    """What one partition has committed, and its keys in order."""

    def __init__(self) -> None:
        super().__init__()
        self._ordered: list[bytes] = []

    def commit(self, puts: Mapping[bytes, bytes], deletes: Set[bytes]) -> None:
        assert not puts.keys() & deletes, "a record is put and deleted in one commit"
        for key in puts.keys() - self.keys():
            insort(self._ordered, key)
        for key in deletes & self.keys():
            del self._ordered[bisect_left(self._ordered, key)], self[key]
        self.update(puts)

    def scan(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        after = (self._ordered[n] for n in range(bisect_left(self._ordered, prefix), len(self._ordered)))
        return [(key, self[key]) for key in takewhile(lambda key: key.startswith(prefix), after)]

    def page(self, prefix: bytes, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        return [(key, value) for key, value in self.scan(prefix) if key > after][:limit]


@dataclass
class Sink:
    """A ReplacingMergeTree a table: of each key the row with the largest version, gone if that is a tombstone."""

    kept: dict[str, dict[Key, tuple[int, Row | None]]] = field(default_factory=dict)

    def write(self, record: bytes) -> None:
        fact = facts.decode(record)
        for version, *row in fact.upserts:
            self._put(fact, tuple(row[: TABLES[fact.table].key]), version, tuple(row))
        for version, *key in fact.tombstones:
            self._put(fact, tuple(key), version, None)

    def _put(self, fact: Facts, key: Key, version: int, row: Row | None) -> None:
        table = self.kept.setdefault(fact.table, {})
        known = table.get(key)
        if known is None or version > known[0]:
            table[key] = version, row
        else:
            assert version < known[0] or known[1] == row, f"two rows of one version in {fact.table}: {known[1]} {row}"

    def rows(self, table: str) -> dict[Key, Row]:
        return {key: row for key, (_, row) in self.kept.get(table, {}).items() if row is not None}


class Run:
    """One run of a world's events through all partitions, until nothing moves."""

    def __init__(self, world: World, random: Random, partitions: int | None = None, disorder: bool = True) -> None:
        self.world, self.random, self.disorder = world, random, disorder
        count = partitions or random.randint(1, 4)
        self.shaping = Shaping(Keys(PEPPER, count), world.gap_ms)
        self.stores = [Store() for _ in range(count)]
        self.logs: list[list[bytes]] = [[] for _ in range(count)]
        self.offsets = [0] * count
        self.partitions = [self._load(n) for n in range(count)]
        self.claims: dict[Identifier, int] = {}
        self.sent: list[bytes] = []
        """Facts as committed, in order of commits."""

    def finish(self) -> Sink:
        """Everything in, everything worked, and the facts in the sink."""
        waiting = self._arrivals()
        for _ in range(STEPS_MAX):
            behind = [n for n, log in enumerate(self.logs) if self.offsets[n] < len(log)]
            if waiting and (not behind or self.random.random() < 0.5):
                self._ingest(waiting.pop())
            elif behind:
                self._work(self.random.choice(behind))
            else:
                break
        else:
            raise AssertionError("messages never come to an end")
        return self._load_sink()

    def _arrivals(self) -> list[Event]:
        """The events in any order, three of ten sent again as after a crash: same position."""
        events = list(self.world.events)
        if self.disorder:
            events += [e for e in events if self.random.random() < 0.3]
            self.random.shuffle(events)
        return events[::-1]

    def _ingest(self, e: Event) -> None:
        """Ingest knows some claims, and some of those no longer hold."""
        known = [(kind, value) for kind, value, _ in e.ids if (kind, value) in self.claims]
        claims = [(i, self.claims[i]) for i in known if self.random.random() < 0.7]
        message = messages.observe(e, self.world.policy, claims)
        self.logs[self.shaping.keys.owner(message.to)].append(messages.pack([message]))

    def _load(self, n: int) -> Partition:
        return Partition(n, self.world.policy, self.shaping, self.stores[n], self.random.choice([1, 5, 50_000]))

    def _work(self, n: int) -> None:
        size = self.random.choice([1, 2, 5, 50])
        batch = self.logs[n][self.offsets[n] : self.offsets[n] + size]
        partition = self.partitions[n]
        for record in batch:
            partition.work(messages.unpack(record))
        if self.disorder and self.random.random() < 0.05:
            self.partitions[n] = self._load(n)  # died before the commit: nothing of the batch stays
            return
        self._commit(n, partition.take(), len(batch))
        if self.disorder and self.random.random() < 0.05:
            self.partitions[n] = self._load(n)

    def _commit(self, n: int, effects: Effects, records: int) -> None:
        self.stores[n].commit(effects.puts, effects.deletes)
        for partition, forwards in effects.forwards.items():
            assert partition != n
            self.logs[partition].append(messages.pack(forwards))
        for identifier, claim in effects.shared:
            self.claims[identifier] = max(claim, self.claims.get(identifier, 0))
        self.sent += [facts.encode(fact) for fact in effects.packed_facts()]
        self.offsets[n] += records

    def _load_sink(self) -> Sink:
        records = list(self.sent)
        if self.disorder:
            records += [record for record in records if self.random.random() < 0.2]
            self.random.shuffle(records)
        sink = Sink()
        for record in records:
            sink.write(record)
        return sink
