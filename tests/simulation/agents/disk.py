"""A worker's state in memory: a disk that outlives it, and over it a store with the interface of the product's."""

from collections.abc import Callable, Collection, Mapping, Sequence
from random import Random
from typing import Any

from faust.types import TP

from tests.simulation import stores

KEPT_WRITES = 20
"""So many of a partition's last writes a machine may lose when it fails."""


class Disk:
    """Partitions' records with the changelog offset they stand for; `lose` forgets the last writes, or all of it."""

    def __init__(self) -> None:
        self.partitions: dict[int, stores.Store] = {}
        self.offsets: dict[int, int] = {}
        self._undo: dict[int, list[tuple[int | None, dict[bytes, bytes | None]]]] = {}

    def write(self, partition: int, puts: Mapping[bytes, bytes], deletes: Collection[bytes], offset: int) -> None:
        store = self.partitions.setdefault(partition, stores.Store())
        before = {key: store.get(key) for key in [*puts, *deletes]}
        undo = self._undo.setdefault(partition, [])
        undo.append((self.offsets.get(partition), before))
        del undo[:-KEPT_WRITES]
        store.commit(puts, set(deletes))
        self.offsets[partition] = offset

    def lose(self, random: Random, everything: bool) -> None:
        """The machine failed: of each partition some of the last writes are gone, always the later ones."""
        if everything:
            self.partitions, self.offsets, self._undo = {}, {}, {}
        for partition, undo in self._undo.items():
            for _ in range(random.randint(0, len(undo))):
                offset, before = undo.pop()
                store = self.partitions[partition]
                puts = {key: value for key, value in before.items() if value is not None}
                store.commit(puts, before.keys() - puts.keys())
                if offset is None:
                    del self.offsets[partition]
                else:
                    self.offsets[partition] = offset


class Store:
    """The interface of `streams.state.store.Store`: reads and writes only partitions that are open."""

    def __init__(self, disk: Disk, step: Callable[[str], None]) -> None:
        self._disk, self._step = disk, step
        self.open: set[int] = set()

    def multi_get(self, partition: int, keys: Sequence[bytes]) -> list[bytes | None]:
        found = self._of(partition)
        return [found.get(key) for key in keys]

    def scan(self, partition: int, prefix: bytes) -> list[tuple[bytes, bytes]]:
        return self._of(partition).scan(prefix)

    def page(self, partition: int, prefix: bytes, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        return self._of(partition).page(prefix, after, limit)

    def write(self, partition: int, puts: Mapping[bytes, bytes], deletes: Collection[bytes], offset: int) -> None:
        self._of(partition)
        self._step("write of a partition")
        self._disk.write(partition, puts, deletes, offset)

    def apply(self, partition: int, records: Sequence[Any]) -> None:
        self._step("write of recovered records")
        latest = {record.key: record.value for record in records}
        puts = {key: value for key, value in latest.items() if value is not None}
        self._disk.write(partition, puts, latest.keys() - puts.keys(), records[-1].offset)

    def persisted_offset(self, tp: TP) -> int | None:
        return self._disk.offsets.get(tp.partition)

    def _of(self, partition: int) -> stores.Store:
        if partition not in self.open:
            raise KeyError(partition)
        return self._disk.partitions.setdefault(partition, stores.Store())
