"""Stage three: facts, reference records and dead letters -> ClickHouse. Its work is the inserts; what it commits is
offsets, and dead letters for reference records that cannot be read."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from faust.types import TP

from schemas.records import DEAD_LETTER
from schemas.registry import SchemaCache
from schemas.wire import frame
from sinks.clickhouse.columns import Rows
from sinks.clickhouse.writer import INSERT_S_MAX, Writer
from streams import clock, metrics
from streams.agents.copying import Copying, unpacked
from streams.agents.rebuilding import Rebuilding
from streams.agents.visible import Visible, Waiting
from streams.core import facts, reference
from streams.settings import Settings
from streams.topics import Topics
from streams.transport.commit import Work
from streams.transport.watch import STALL_S

assert INSERT_S_MAX < STALL_S, "a ClickHouse that hangs is waited for, it must not look like a worker that does"

PAUSE_S = 0.2
"""At least this long from the beginning of one insert to that of the next: meanwhile small groups become one, and
ClickHouse gets at most five parts a second of each table from a worker."""

REST = 1.5
"""After an insert that took a second, so many of rest: under load ClickHouse takes large inserts at a small part
of the price. 40,000 events cost it 340 µs each in groups of 0.5 MB, 80 in groups of 4 MB. With 4 the stage held up the
others, and rows waited twice as long."""

REST_S_MAX = 1.0
"""Who asks for rows that are seconds old must not pay for it."""

ROWS_MAX = 20_000
"""Rows of one insert over all tables; at 3 KB a decoded row they take about 60 MB."""


class Load:
    """Copies the committed rows of all topics that are loaded, at least once, in any order."""

    group_bytes_max = 4_000_000
    """Of one group: an insert costs a dozen parts whatever it holds, so a backlog is best taken in large pieces."""

    def __init__(self, settings: Settings, topics: Topics, clickhouse_url: str, schemas: SchemaCache) -> None:
        del settings  # every stage is built alike; no setting changes how rows are copied
        self._facts, self._dead_letters = topics.facts, topics.dead_letters
        self._schemas = schemas
        self._copying = Copying(topics, schemas)
        self._writer = Writer(clickhouse_url)
        self._rebuilding = Rebuilding(self._writer)
        self._next_s = 0.0
        self._visible = Visible()
        self._waiting = Waiting(
            (topics.facts, topics.history, topics.dead_letters, *(topics.reference(name) for name in reference.TABLES)),
        )

    def forget(self, partitions: Iterable[int]) -> None:
        """What is known of a rebuild may have changed while the partitions were another worker's."""
        self._rebuilding.forget(partitions)
        self._waiting.give_up()

    def look(self, lags: Mapping[TP, tuple[int, int]]) -> None:
        """At each look of the watch: how old is what is not in ClickHouse yet."""
        metrics.CLICKHOUSE_DELAY.set(self._waiting.age_ms(lags, clock.now_ms()) / 1000)

    def rest(self) -> float:
        """How long the next group may still grow, in seconds."""
        return self._next_s - time.monotonic()

    async def handle(self, group: Any) -> Work:
        """Insert every row of a group.

        Errors: Retryable while ClickHouse or the schema registry is away; InsertRefused stops the process.
        """
        started_s = time.monotonic()
        self._waiting.take(group.batches)
        letters = await asyncio.to_thread(self._write_all, group.batches)
        ended_s = time.monotonic()
        self._visible.tell(clock.now_ms())
        self._waiting.done(group.batches)
        self._next_s = max(started_s + PAUSE_S, ended_s + min(REST_S_MAX, (ended_s - started_s) * REST))
        return Work([(self._dead_letters, partition, None, value) for partition, value in letters], {}, group.offsets)

    def _write_all(self, batches: Iterable[Any]) -> list[tuple[int, bytes]]:
        """Insert everything; (partition, dead letter) of each reference record that was refused."""
        batches = list(batches)
        self._visible.begin()
        self._copying.take_letters()  # of a group that is tried again
        self._rebuilding.learn(batch.tp.partition for batch in batches)
        self._write(batches)
        self._rebuilding.note()
        letters = list(self._copying.take_letters())
        number = self._schemas.id_of(self._dead_letters, DEAD_LETTER) if letters else 0
        return [(partition, frame(number, DEAD_LETTER.encode(letter))) for partition, letter in letters]

    def _write(self, batches: Iterable[Any]) -> None:
        waiting: list[tuple[Rows, str | None]] = []
        count = 0
        for rows, database in self._rows(batches):
            waiting.append((rows, database))
            count += len(rows.upserts) + len(rows.tombstones)
            if count >= ROWS_MAX:
                self._insert(waiting)
                waiting, count = [], 0
        self._insert(waiting)

    def _insert(self, waiting: list[tuple[Rows, str | None]]) -> None:
        self._rebuilding.write(waiting)  # first, so that nothing is lost in the moment when its tables take over
        self._writer.write([rows for rows, _ in waiting])

    def _rows(self, batches: Iterable[Any]) -> Iterator[tuple[Rows, str | None]]:
        """Rows, and the rebuild's database that they go to as well."""
        for batch in batches:
            if not self._copying.is_facts(batch.tp.topic):
                yield self._copying.rows(batch), self._rebuilding.database(batch.records[0], is_fact=False)
                continue
            for record in batch.records:
                packed = facts.decode(record.value)
                self._visible.meet(packed)
                if packed.table == facts.MILESTONE:
                    for name, state in packed.upserts:
                        self._rebuilding.meet(record, name, state)
                else:
                    yield unpacked(packed), self._rebuilding.database(record, batch.tp.topic == self._facts)
