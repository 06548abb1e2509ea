"""Stage zero, where a deployment has mappings: records of foreign topics -> events on their channels' topics.

What a mapping makes is brought into Avro and sent; whether it is a good event is ingest's to say, as for everybody's.
Refused here is only what never becomes one: a record that cannot be read, a row that gives no event. Events, dead
letters and offsets leave in one transaction, so a row gives its events exactly once.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

from connectors.checking import Checker
from connectors.delivery import key_of
from schemas.records import CHANNEL_EVENT, DEAD_LETTER
from schemas.registry import SchemaCache
from schemas.wire import frame, schema_id, schema_ids
from streams import metrics
from streams.core.dead_letter import dead_letter
from streams.core.refusal import Refusal, Reject
from streams.topics import Topics
from streams.transport.commit import Outgoing, Work

RECORDS_A_TURN = 50
"""Records between two turns of the other stages."""

Row: TypeAlias = dict[str, Any]


class Rows(Protocol):
    """A mapping, as `connectors.files.mapping` reads it."""

    def events(self, row: Row) -> list[Row | Reject]: ...
    def holds_card(self, row: Row) -> bool: ...


class MapRecords:
    """Reads foreign topics, writes events.* and dead-letters. Keeps no state.

    Shape: `rows` is the mapping of each topic; `unwrap` makes a row of a record's value, None of one without a row.
    """

    def __init__(
        self, partitions: int, topics: Topics, rows: Mapping[str, Rows], checker: Checker, schemas: SchemaCache,
        unwrap: Callable[[bytes | None, SchemaCache], Row | None],
    ) -> None:
        self._partitions, self._topics, self._rows = partitions, topics, rows
        self._checker, self._schemas, self._unwrap = checker, schemas, unwrap
        self._ids: dict[str, int] = {}

    async def handle(self, group: Any) -> Work:
        """Work a group of batches of foreign topics. Errors: Retryable while the schema registry is away."""
        ids = schema_ids(record.value for batch in group.batches for record in batch.records)
        if self._schemas.lacks(ids):
            await asyncio.to_thread(self._schemas.learn, ids)
        work = Work(offsets=group.offsets)
        for batch in group.batches:
            outcomes: Counter[str] = Counter()
            for number, record in enumerate(batch.records):
                if number % RECORDS_A_TURN == 0:
                    await asyncio.sleep(0)
                work.records += await self._work(record, outcomes)
            for outcome, count in outcomes.items():
                metrics.RECORDS_MAPPED.labels(batch.tp.topic, outcome).inc(count)
        return work

    async def _work(self, record: Any, outcomes: Counter[str]) -> list[Outgoing]:
        """What a record becomes: its events; a dead letter for each that it does not become."""
        rows, row = self._rows[record.topic], None
        try:
            row = self._unwrap(record.value, self._schemas)
            given = rows.events(row) if row is not None else []
        except Refusal as refusal:
            given = [refusal.reject()]
        outgoing: list[Outgoing] = []
        for one in given:
            event = one if isinstance(one, Reject) else self._checker.read(one)
            if isinstance(event, Reject):
                raw = None if row is not None and rows.holds_card(row) else record.value
                outgoing.append(await self._letter(event, raw, record))
            else:
                key = key_of(event.event_id)
                partition = int.from_bytes(key[:4], "big") % self._partitions
                topic = self._topics.events(event.channel)
                number = await self._schema(topic, event=True)
                outgoing.append((topic, partition, key, frame(number, event.payload)))
            outcomes["refused" if isinstance(event, Reject) else "sent"] += 1
        if not given:
            outcomes["passed_over"] += 1
        return outgoing

    async def _letter(self, reject: Reject, raw: bytes | None, record: Any) -> Outgoing:
        position = (record.topic, record.partition, record.offset)
        letter = dead_letter(reject, raw, record.timestamp, position, schema_id(record.value or b""))
        number = await self._schema(self._topics.dead_letters, event=False)
        partition = record.partition % self._partitions
        return self._topics.dead_letters, partition, None, frame(number, DEAD_LETTER.encode(letter))

    async def _schema(self, topic: str, event: bool) -> int:
        if topic not in self._ids:
            schema = CHANNEL_EVENT if event else DEAD_LETTER
            self._ids[topic] = await asyncio.to_thread(self._schemas.id_of, topic, schema)
        return self._ids[topic]
