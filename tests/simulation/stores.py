"""What outlives a worker, in memory: a partition's committed state, and the sink."""

from bisect import bisect_left, insort
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from itertools import takewhile

from streams.core import facts
from streams.core.facts import TABLES, Facts, Key, Row


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
        if fact.table == facts.MILESTONE:
            return
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
