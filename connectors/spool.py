"""A durable queue on this machine: what was accepted waits here until Kafka has it.

Rules: `append` returns when the records would survive a power cut; they are read in the order of appending and leave
only when somebody says that Kafka acknowledged them. One process a file, held by a lock. Records are Avro without the
wire format's head: the schema they were written with is kept beside them, so that a spool outlives a release, and its
id in the registry is asked for when the registry is there. Emptied, the file holds nothing of what went through it.
"""

import contextlib
import fcntl
import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from schemas.records import Record
from streams import clock
from streams.errors import OneThreadError, Retryable

BYTES_MAX = 1 << 30
"""Of records waiting; a day of 25 events a second of 500 bytes."""

DISK_BYTES_RESERVED = 64 << 20
"""Of the disk, left free: on a disk filled to the last byte SQLite can neither forget records nor be opened again."""

READ_BYTES = 4 * 1024 * 1024

_CHECKPOINT_BYTES = 2 << 20
"""Appended since SQLite's log was last brought into the file: with so many `drop` does it, which nobody waits for."""

_LOG_PAGES_MAX = 20_000
"""With so many, of 4 KiB, `append` does it: while Kafka is away nobody drops."""

_RECORD_BYTES = 64
"""Counted for each record besides topic, key and value: what SQLite needs to keep it."""

_TABLES = """
CREATE TABLE IF NOT EXISTS schemas (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS records (
    number INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL,
    topic TEXT NOT NULL, key BLOB, value BLOB NOT NULL, schema INTEGER NOT NULL
);
"""
_INSERT = "INSERT INTO records (at_ms, topic, key, value, schema) VALUES (?, ?, ?, ?, ?)"


class SpoolFull(Retryable):
    """There is no room: Kafka was away for long, or the disk is full."""


class Spooled(NamedTuple):
    """A record to send. `value` is Avro as `record` writes it, without the wire format's head."""

    topic: str
    key: bytes | None
    value: bytes
    record: Record


class Waiting(NamedTuple):
    """A record in the spool; numbers only grow, also over restarts."""

    number: int
    spooled: Spooled


class Depth(NamedTuple):
    """How much waits."""

    records: int
    bytes: int
    oldest_ms: int | None
    """When the record that waits longest was appended, epoch milliseconds."""


class Spool:
    """The queue in one SQLite file. Its methods may be called from any thread.

    Errors: OneThreadError where another process holds the file, or the file is damaged.
    """

    def __init__(self, path: Path, bytes_max: int = BYTES_MAX, disk_reserved: int = DISK_BYTES_RESERVED) -> None:
        self.path, self.bytes_max, self.disk_reserved = path, bytes_max, disk_reserved
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock_file = _held(path)
        self._lock = threading.Lock()
        try:
            self._writer, self._reader = _open(path), _open(path)
            self._records, self._bytes = self._writer.execute(
                f"SELECT count(*), coalesce(sum({_SIZE}), 0) FROM records",  # noqa: S608 - a constant
            ).fetchone()
            found = self._writer.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence").fetchone()
            self._last = int(found[0])
        except sqlite3.DatabaseError as error:
            self._lock_file.close()
            raise OneThreadError(f"the spool {path} cannot be opened: {error}") from error
        self._oldest_ms = self._first_at_ms()
        self._logged = 0
        self._schema_ids: dict[Record, int] = {}
        self._schemas: dict[int, Record] = {}

    def append(self, records: Sequence[Spooled]) -> int:
        """Keep records, all or none; the number of the last one. Returns when they are durable.

        Errors: SpoolFull where they do not fit, or the disk has no room.
        Cost:   one flush of the disk and 7 µs a record.
        """
        size = sum(len(r.topic) + len(r.key or b"") + len(r.value) + _RECORD_BYTES for r in records)
        now_ms = clock.now_ms()
        with self._lock:
            if self._bytes + size > self.bytes_max:
                raise SpoolFull(f"{self._bytes} bytes wait for Kafka; the limit is {self.bytes_max}", 5.0)
            if self.disk_free() < self.disk_reserved + size:
                raise SpoolFull(f"the disk has {self.disk_free()} bytes left; {self.disk_reserved} stay free", 5.0)
            try:
                with self._transaction():
                    rows = [(now_ms, r.topic, r.key, r.value, self._schema_id(r.record)) for r in records]
                    self._writer.executemany(_INSERT, rows)
            except sqlite3.OperationalError as error:
                self._schema_ids.clear()  # one of them may have been taken back
                raise SpoolFull(f"the spool cannot be written: {error}", 5.0) from error
            self._records += len(records)
            self._bytes += size
            self._logged += size
            self._last += len(records)
            if self._oldest_ms is None and records:
                self._oldest_ms = now_ms
            return self._last

    def read(self, after: int, count: int, bytes_max: int = READ_BYTES) -> list[Waiting]:
        """Up to `count` records with numbers above `after`, in order. From one thread only.

        Shape: of values longer than `bytes_max` together only the first, so that some memory is always enough.
        """
        cursor = self._reader.execute(
            "SELECT number, topic, key, value, schema FROM records WHERE number > ? ORDER BY number LIMIT ?",
            (after, count),
        )
        found, size = list[Waiting](), 0
        for number, topic, key, value, schema in cursor:
            size += len(value)
            if found and size > bytes_max:
                break
            found.append(Waiting(number, Spooled(topic, key, value, self._schema(schema))))
        cursor.close()  # an open one would keep the log of the database from being cut
        return found

    def drop(self, up_to: int) -> None:
        """Forget the records up to a number: Kafka has them. Errors: SpoolFull where the disk has no room for that.

        Not flushed: where a power cut takes it back they are sent once more. From one thread only.
        """
        with self._lock:
            try:
                self._writer.execute("PRAGMA synchronous=NORMAL")
                with self._transaction():
                    gone, size = self._writer.execute(
                        f"SELECT count(*), coalesce(sum({_SIZE}), 0) FROM records WHERE number <= ?",  # noqa: S608
                        (up_to,),
                    ).fetchone()
                    self._writer.execute("DELETE FROM records WHERE number <= ?", (up_to,))
            except sqlite3.OperationalError as error:
                raise SpoolFull(f"the spool cannot be written: {error}", 5.0) from error
            finally:
                self._writer.execute("PRAGMA synchronous=FULL")
            self._records -= gone
            self._bytes -= size
            self._oldest_ms = self._first_at_ms()
        if self._logged >= _CHECKPOINT_BYTES:
            self._logged = 0
            with contextlib.suppress(sqlite3.OperationalError):  # no room: appending says so
                self._reader.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def tidy(self) -> None:
        """Give the disk back what an empty spool took, and leave nothing of the records in its files."""
        with self._lock:
            if self._records == 0:
                self._writer.executescript("PRAGMA incremental_vacuum")  # a step a page, which execute() would not take
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def disk_free(self) -> int:
        """Bytes that this process may still write."""
        found = os.statvfs(self.path.parent)
        return found.f_bavail * found.f_frsize

    @property
    def is_full(self) -> bool:
        """Whether the next append may be refused."""
        return self._bytes >= self.bytes_max or self.disk_free() < self.disk_reserved

    @property
    def limit(self) -> int:
        """How many bytes may wait at this moment: `bytes_max`, or less where the disk has no room for so many."""
        return min(self.bytes_max, int(self._bytes) + max(0, self.disk_free() - self.disk_reserved))

    @property
    def last(self) -> int:
        """The number of the last record that was ever appended; 0: none."""
        return self._last

    @property
    def first(self) -> int:
        """The number of the record that waits longest, one above `last` where none waits."""
        with self._lock:
            found = self._writer.execute("SELECT min(number) FROM records").fetchone()[0]
            return self._last + 1 if found is None else int(found)

    @property
    def depth(self) -> Depth:
        return Depth(self._records, self._bytes, self._oldest_ms)

    def close(self) -> None:
        with self._lock:
            self._reader.close()
            self._writer.close()
            self._lock_file.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._writer.execute("COMMIT")
        except BaseException:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise

    def _first_at_ms(self) -> int | None:
        found = self._writer.execute("SELECT at_ms FROM records ORDER BY number LIMIT 1").fetchone()
        return found[0] if found else None

    def _schema_id(self, record: Record) -> int:
        if record not in self._schema_ids:
            self._writer.execute("INSERT OR IGNORE INTO schemas (text) VALUES (?)", (record.text,))
            found = self._writer.execute("SELECT id FROM schemas WHERE text = ?", (record.text,)).fetchone()
            self._schema_ids[record] = int(found[0])
        return self._schema_ids[record]

    def _schema(self, number: int) -> Record:
        if number not in self._schemas:
            text = self._reader.execute("SELECT text FROM schemas WHERE id = ?", (number,)).fetchone()[0]
            self._schemas[number] = _named(text)
        return self._schemas[number]


_SIZE = f"length(CAST(topic AS BLOB)) + coalesce(length(key), 0) + length(value) + {_RECORD_BYTES}"


def _named(text: str) -> Record:
    schema = json.loads(text)
    return Record(f"{schema.get('namespace', '')}.{schema['name']}".removeprefix("."), text)


def _held(path: Path) -> IO[bytes]:
    """The lock of a spool, which the system lets go of when the process ends, however it does."""
    file = path.with_suffix(".lock").open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise OneThreadError(f"the spool {path} is in use by another process") from None
    return file


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    for pragma in ("auto_vacuum=INCREMENTAL", "journal_mode=WAL", "synchronous=FULL", "secure_delete=ON",
                   f"wal_autocheckpoint={_LOG_PAGES_MAX}"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    connection.executescript(_TABLES)
    return connection
