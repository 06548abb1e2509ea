"""Stage three: facts, reference records and dead letters -> ClickHouse. Its work is the inserts; what it commits is
offsets, and dead letters for reference records that cannot be read."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from typing import Any

from schemas.records import DEAD_LETTER, Undecodable
from schemas.registry import SchemaCache
from schemas.wire import HEAD_BYTES, frame, schema_id
from sinks.clickhouse.columns import DEAD_LETTERS, Rows
from sinks.clickhouse.writer import INSERT_S_MAX, Writer
from streams.agents.referring import Referring
from streams.core import facts
from streams.settings import Settings
from streams.topics import Topics
from streams.transport.commit import Work
from streams.transport.watch import STALL_S

assert INSERT_S_MAX < STALL_S, "a ClickHouse that hangs is waited for, it must not look like a worker that does"

PAUSE_S = 0.2
"""At least this long from the beginning of one insert to that of the next: meanwhile small groups become one, and
ClickHouse gets at most five parts a second of each table from a worker. Half of it is what a row waits on average."""

ROWS_MAX = 20_000
"""Rows of one insert over all tables; at 3 KB a decoded row they take about 60 MB."""

LETTER_VERSION = 1
"""A dead letter never changes where it lies, so its row has one version."""


class Load:
    """Copies the committed rows of `facts`, `reference.*` and `dead-letters`, at least once, in any order."""

    group_bytes_max = 4_000_000
    """Of one group: an insert costs a dozen parts whatever it holds, so a backlog is best taken in large pieces."""

    def __init__(self, settings: Settings, topics: Topics, clickhouse_url: str, schemas: SchemaCache) -> None:
        del settings  # every stage is built alike; no setting changes how rows are copied
        self._dead_letters = topics.dead_letters
        self._schemas = schemas
        self._referring = Referring(topics, schemas)
        self._writer = Writer(clickhouse_url)
        self._turn = asyncio.Lock()
        self._next_s = 0.0

    async def handle(self, group: Any) -> Work:
        """Insert every row of a group.

        Errors: Retryable while ClickHouse or the schema registry is away; InsertRefused stops the process.
        """
        async with self._turn:
            await asyncio.sleep(self._next_s - time.monotonic())
            self._next_s = time.monotonic() + PAUSE_S
            letters = await asyncio.to_thread(self._write_all, group.batches)
        return Work([(self._dead_letters, partition, None, value) for partition, value in letters], {}, group.offsets)

    def _write_all(self, batches: Iterable[Any]) -> list[tuple[int, bytes]]:
        """Insert everything; (partition, dead letter) of each reference record that was refused."""
        self._referring.take_letters()  # of a group that is tried again
        self._write(batches)
        letters = list(self._referring.take_letters())
        number = self._schemas.id_of(self._dead_letters, DEAD_LETTER) if letters else 0
        return [(partition, frame(number, DEAD_LETTER.encode(letter))) for partition, letter in letters]

    def _write(self, batches: Iterable[Any]) -> None:
        waiting: list[Rows] = []
        count = 0
        for rows in self._rows(batches):
            waiting.append(rows)
            count += len(rows.upserts) + len(rows.tombstones)
            if count >= ROWS_MAX:
                self._writer.write(waiting)
                waiting, count = [], 0
        self._writer.write(waiting)

    def _rows(self, batches: Iterable[Any]) -> Iterator[Rows]:
        for batch in batches:
            if batch.tp.topic == self._dead_letters:
                self._schemas.learn({number for record in batch.records
                                     if (number := schema_id(record.value or b"")) is not None})
                yield Rows(DEAD_LETTERS.name, [self._letter(record) for record in batch.records])
            elif batch.tp.topic in self._referring.tables:
                yield self._referring.rows(batch)
            else:
                for record in batch.records:
                    packed = facts.decode(record.value)
                    yield Rows(packed.table, packed.upserts, packed.tombstones)

    def _letter(self, record: Any) -> list[Any]:
        """The row of a dead letter; one that is itself unreadable is shown as it is."""
        value = record.value or b""
        number = schema_id(value)
        writer = None if number is None else self._schemas.writer(number)
        place = [LETTER_VERSION, record.partition, record.offset]
        if writer is None:
            return [*place, *_unreadable(record, "unknown_schema", number)]
        try:
            letter = DEAD_LETTER.decode(value, HEAD_BYTES, writer)
        except Undecodable:
            return [*place, *_unreadable(record, "bad_avro", number)]
        return [*place, *(letter.get(column) for column in _LETTER_FIELDS), None]


_LETTER_FIELDS = tuple(column.name for column in DEAD_LETTERS.columns[DEAD_LETTERS.key:-1])
assert DEAD_LETTERS.columns[-1].name == "replayed_at", "the one column that is not a field of the Avro record"


def _unreadable(record: Any, reason: str, number: int | None) -> list[Any]:
    """The columns of `_LETTER_FIELDS` and replayed_at for a record that is no dead letter."""
    return [record.timestamp, reason, "a record of the dead letters that is none", record.topic, record.partition,
            record.offset, number, None, None, record.value, None]
