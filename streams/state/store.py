"""State of a worker: one RocksDB a partition, read and written in batches.

Rules it keeps:
- A write and the changelog offset it stands for are one WriteBatch: the store is always a prefix of its changelog.
- `write` touches only partitions that are open: after a revocation it fails instead of quietly opening them again.
- A store is closed when its partition leaves; the next owner on this machine needs the lock.
- RocksDB's own log of writes is off: the changelog is the log. What a killed worker had only in memory is read from
  there, and a store of which a file was lost can be older, but never has a hole (docs/decisions/0147).
- What reads a torn file fails; how a torn store is removed, and one that is too old, is told in `opening`.
Keys that begin with `RESERVED` are the store's own.
"""

import contextlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import rocksdict
from faust.stores import STORES
from faust.stores import rocksdb as stock
from faust.types import TP

from streams import clock
from streams.state import opening
from streams.topics import FORGOTTEN_MS

RESERVED = b"__faust\0"
OFFSET_KEY: bytes = stock.Store.offset_key
TIME_KEY = RESERVED + b"time__"
assert OFFSET_KEY.startswith(RESERVED)

DELETE_RETENTION_MS = 7 * 86_400_000
"""Of the changelog topic: how long a tombstone can be read."""
STORE_AGE_MS_MAX = DELETE_RETENTION_MS // 2
"""Half of it: the other half is for reading up to the end."""

CHANGELOG_CONFIG = {
    "cleanup.policy": "compact", "delete.retention.ms": str(DELETE_RETENTION_MS),
    "segment.ms": str(FORGOTTEN_MS), "max.compaction.lag.ms": str(FORGOTTEN_MS),
}

_WITHOUT_LOG = rocksdict.WriteOptions()
_WITHOUT_LOG.disable_wal = True


_SIZES = ("rocksdb.live-sst-files-size", "rocksdb.cur-size-all-mem-tables")
"""https://github.com/facebook/rocksdb/blob/main/include/rocksdb/db.h, DB::Properties"""


class Store(stock.Store):
    """Faust's RocksDB store with a batch interface; the one-key interface of the table is not used."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offsets_on_disk: dict[int, bytes | None] = {}
        self.deleted: set[int] = set()
        """Partitions of whose keys some were deleted by the changelog since somebody emptied this."""

    # -- what agents use

    def multi_get(self, partition: int, keys: Sequence[bytes]) -> list[bytes | None]:
        """Values in the order of `keys`; None where a key is absent. KeyError when the partition is not here."""
        if not keys:
            return []
        db = self._dbs[partition]
        try:
            values: list[bytes | None] = db.get(list(keys))
        except Exception as error:
            self._noticed(partition, error)
            raise
        return values

    def scan(self, partition: int, prefix: bytes) -> list[tuple[bytes, bytes]]:
        """All keys that begin with `prefix`, with their values, in the order of the bytes."""
        return self._read(partition, prefix, prefix, None)

    def page(self, partition: int, prefix: bytes, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """At most `limit` keys that begin with `prefix` and are greater than `after`, with their values, in order."""
        return self._read(partition, prefix, max(prefix, after + b"\0"), limit)

    def _read(self, partition: int, prefix: bytes, start: bytes, limit: int | None) -> list[tuple[bytes, bytes]]:
        """The loop is ours because `Rdict.items` ends at a torn block as if there were no more; the status tells."""
        read = rocksdict.ReadOptions()
        bound = _after(prefix)
        if bound is not None:
            read.set_iterate_upper_bound(bound)
        iterator = self._dbs[partition].iter(read)
        valid, key, value, step = iterator.valid, iterator.key, iterator.value, iterator.next
        found: list[tuple[bytes, bytes]] = []
        iterator.seek(start)
        while valid() and len(found) != limit:
            found.append((key(), value()))
            step()
        try:
            iterator.status()
        except Exception as error:
            self._noticed(partition, error)
            raise
        return found

    def partitions(self) -> list[int]:
        """The partitions that are open here, standbys among them."""
        return list(self._dbs)

    def size(self, partition: int) -> tuple[int, int]:
        """Bytes on disk and in memory, and records as RocksDB estimates them, of a partition that is open here."""
        db = self._dbs[partition]
        size_bytes = sum(int(db.property_int_value(name) or 0) for name in _SIZES)
        return size_bytes, int(db.property_int_value("rocksdb.estimate-num-keys") or 0)
    # -- what the assignment uses

    def offsets(self) -> dict[int, int]:
        """How far along its changelog each store on this disk is, open or not; stores left alone too long are none."""
        found = {partition: self._offset_on_disk(partition) for partition in self._on_disk() - self._dbs.keys()}
        for partition, db in list(self._dbs.items()):
            with contextlib.suppress(rocksdict.DbClosedError):
                found[partition] = db.get(OFFSET_KEY)
        return {partition: int(offset) for partition, offset in found.items() if offset is not None}

    def drop(self, keep: Collection[int]) -> list[int]:
        """Remove the stores of partitions that are neither open nor to be kept; which these were."""
        dropped = sorted(self._on_disk() - self._dbs.keys() - set(keep))
        for partition in dropped:
            opening.remove(Path(self.partition_path(partition)), opening.LEFT, "its partition is elsewhere")
            self._offsets_on_disk.pop(partition, None)
        return dropped

    def _on_disk(self) -> set[int]:
        stem = self.partition_path(0).name.removesuffix("-0.db")
        return {int(path.stem.rpartition("-")[2]) for path in self.partition_path(0).parent.glob(f"{stem}-*.db")}

    def _offset_on_disk(self, partition: int) -> bytes | None:
        """Of a store that is not open: read once, for nobody else writes it."""
        if partition not in self._offsets_on_disk:
            path = Path(self.partition_path(partition))
            self._offsets_on_disk[partition] = opening.offset(path, (OFFSET_KEY, TIME_KEY), STORE_AGE_MS_MAX)
        return self._offsets_on_disk[partition]

    # -- what the commit uses

    def write(self, partition: int, puts: Mapping[bytes, bytes], deletes: Collection[bytes], offset: int) -> None:
        """Apply one transaction's changes of a partition; `offset` is the last of them in the changelog.

        Where the recovery was quicker they are there already, and perhaps what came after them.
        """
        (applied,) = self.multi_get(partition, [OFFSET_KEY])
        if applied is None or int(applied) < offset:
            self._write(partition, self._dbs[partition], puts.items(), deletes, offset)

    # -- what erasure uses

    def compact(self, partition: int) -> None:
        """Write the files of a partition anew, without values that were deleted or written over; blocks.

        A partition that is no longer here is another's to compact: its new owner has read it from the changelog.
        """
        db = self._dbs.get(partition)
        with contextlib.suppress(rocksdict.DbClosedError):
            if db is not None:
                db.flush()
                db.compact_range(None, None)

    # -- what the recovery uses

    def apply(self, partition: int, records: Sequence[Any]) -> None:
        """Apply changelog records, in order; the last value of a key wins, None deletes it."""
        latest = {record.key: record.value for record in records}
        puts = ((key, value) for key, value in latest.items() if value is not None)
        deletes = [key for key, value in latest.items() if value is None]
        if deletes:
            self.deleted.add(partition)
        self._write(partition, self._db_for_partition(partition), puts, deletes, records[-1].offset)

    def _write(
        self, partition: int, db: rocksdict.Rdict, puts: Iterable[tuple[bytes, bytes]], deletes: Iterable[bytes],
        offset: int,
    ) -> None:
        batch = rocksdict.WriteBatch(raw_mode=True)
        for key, value in puts:
            batch.put(key, value)
        for key in deletes:
            batch.delete(key)
        batch.put(OFFSET_KEY, b"%d" % offset)
        batch.put(TIME_KEY, b"%d" % clock.now_ms())
        try:
            db.write(batch, _WITHOUT_LOG)
        except Exception as error:
            self._noticed(partition, error)
            raise

    def _noticed(self, partition: int, error: Exception) -> None:
        """A store that turns out to be torn is removed when it is opened next; the caller fails, its worker ends."""
        opening.mark(Path(self.partition_path(partition)), error)

    # -- opening and closing

    def _open_for_partition(self, partition: int) -> rocksdict.Rdict:
        self._offsets_on_disk.pop(partition, None)
        return opening.opened(Path(self.partition_path(partition)), (OFFSET_KEY, TIME_KEY), STORE_AGE_MS_MAX)

    def _close(self, partition: int) -> None:
        db = self._dbs.pop(partition, None)
        if db is None:
            return
        for step in (self._stamp, rocksdict.Rdict.flush, rocksdict.Rdict.close):
            try:
                step(db)
            except Exception as error:  # torn, or a full disk: then less is in the files, and the changelog has it
                self._noticed(partition, error)

    @staticmethod
    def _stamp(db: rocksdict.Rdict) -> None:
        """Up to now the store followed its changelog."""
        if db.get(OFFSET_KEY) is not None:
            db.put(TIME_KEY, b"%d" % clock.now_ms(), write_opt=_WITHOUT_LOG)

    def revoke_partitions(self, table: Any, tps: set[TP]) -> None:
        for tp in tps:
            if tp.topic in table.changelog_topic.topics:
                self._close(tp.partition)

    async def stop(self) -> None:
        for partition in list(self._dbs):
            self._close(partition)


def _after(prefix: bytes) -> bytes | None:
    """The least key above all keys that begin with `prefix`; None when there is none."""
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes([stem[-1] + 1]) if stem else None


STORES.aliases["graph"] = f"{__name__}:Store"
