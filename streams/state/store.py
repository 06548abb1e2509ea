"""State of a worker: one RocksDB a partition, read and written in batches.

Rules it keeps:
- A write and the changelog offset it stands for are one WriteBatch: the store is always a prefix of its changelog.
- `write` touches only partitions that are open: after a revocation it fails instead of quietly opening them again.
- A store is closed when its partition leaves; the next owner on this machine needs the lock.
- A store left alone for too long is dropped: the changelog forgets tombstones after `delete.retention.ms`, and keys
  deleted in the meantime would stay in the store for ever.
Keys that begin with `RESERVED` are the store's own.
"""

import contextlib
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import rocksdict
from faust.stores import STORES
from faust.stores import rocksdb as stock
from faust.types import TP

from streams.state.options import options

RESERVED = b"__faust\0"
OFFSET_KEY: bytes = stock.Store.offset_key
TIME_KEY = RESERVED + b"time__"
assert OFFSET_KEY.startswith(RESERVED)

DELETE_RETENTION_MS = 7 * 86_400_000
"""Of the changelog topic: how long a tombstone can be read."""
STORE_AGE_MS_MAX = DELETE_RETENTION_MS // 2
"""Half of it: the other half is for reading up to the end."""

FORGOTTEN_MS = 3_600_000
"""Values that were written over or deleted leave the changelog this long after, once more records come."""

CHANGELOG_CONFIG = {
    "cleanup.policy": "compact", "delete.retention.ms": str(DELETE_RETENTION_MS),
    "segment.ms": str(FORGOTTEN_MS), "max.compaction.lag.ms": str(FORGOTTEN_MS),
}


class Store(stock.Store):
    """Faust's RocksDB store with a batch interface; the one-key interface of the table is not used."""

    # -- what agents use

    def multi_get(self, partition: int, keys: Sequence[bytes]) -> list[bytes | None]:
        """Values in the order of `keys`; None where a key is absent. KeyError when the partition is not here."""
        if not keys:
            return []
        values: list[bytes | None] = self._dbs[partition].get(list(keys))
        return values

    def scan(self, partition: int, prefix: bytes) -> list[tuple[bytes, bytes]]:
        """All keys that begin with `prefix`, with their values, in the order of the bytes."""
        read = rocksdict.ReadOptions()
        bound = _after(prefix)
        if bound is not None:
            read.set_iterate_upper_bound(bound)
        return list(self._dbs[partition].items(from_key=prefix, read_opt=read))

    def page(self, partition: int, prefix: bytes, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """At most `limit` keys that begin with `prefix` and are greater than `after`, with their values, in order."""
        read = rocksdict.ReadOptions()
        bound = _after(prefix)
        if bound is not None:
            read.set_iterate_upper_bound(bound)
        start = max(prefix, after + b"\0")
        return list(islice(self._dbs[partition].items(from_key=start, read_opt=read), limit))

    def partitions(self) -> list[int]:
        """The partitions that are open here."""
        return list(self._dbs)

    # -- what the commit uses

    def write(self, partition: int, puts: Mapping[bytes, bytes], deletes: Collection[bytes], offset: int) -> None:
        """Apply one transaction's changes of a partition; `offset` is the last of them in the changelog."""
        self._write(self._dbs[partition], puts.items(), deletes, offset)

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
        self._write(self._db_for_partition(partition), puts, deletes, records[-1].offset)

    @staticmethod
    def _write(db: rocksdict.Rdict, puts: Iterable[tuple[bytes, bytes]], deletes: Iterable[bytes], offset: int) -> None:
        batch = rocksdict.WriteBatch(raw_mode=True)
        for key, value in puts:
            batch.put(key, value)
        for key in deletes:
            batch.delete(key)
        batch.put(OFFSET_KEY, b"%d" % offset)
        batch.put(TIME_KEY, b"%d" % _now_ms())
        db.write(batch)

    # -- opening and closing

    def _open_for_partition(self, partition: int) -> rocksdict.Rdict:
        path = str(self.partition_path(partition))
        db = rocksdict.Rdict(path, options())
        stamp = db.get(TIME_KEY)
        if stamp is None or _now_ms() - int(stamp) <= STORE_AGE_MS_MAX:
            return db
        db.close()
        rocksdict.Rdict.destroy(path)
        return rocksdict.Rdict(path, options())

    def _close(self, partition: int) -> None:
        db = self._dbs.pop(partition, None)
        if db is None:
            return
        if db.get(OFFSET_KEY) is not None:
            db.put(TIME_KEY, b"%d" % _now_ms())  # up to now it followed its changelog
        db.close()

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


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


STORES.aliases["graph"] = f"{__name__}:Store"
