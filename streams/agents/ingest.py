"""Stage one: events as producers wrote them -> accepted events on their way to their anchors, dead letters, books.

One record that cannot be read never stops the rest. Only a registry that is away stops all: then nothing can be said
about a record, and the group waits.
"""

import asyncio
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

from schemas.records import CHANNEL_EVENT, DEAD_LETTER, Undecodable
from schemas.registry import SchemaCache
from schemas.wire import HEAD_BYTES, frame, schema_id
from streams import metrics
from streams.core import facts
from streams.core.accept import Outcome, Rules, accept
from streams.core.channels import registry
from streams.core.intake import Books, Intake, Source
from streams.core.keys import Keys
from streams.core.policy import Policy
from streams.core.refusal import EVENT_BYTES_MAX, Reason, Reject
from streams.settings import Settings
from streams.topics import Topics
from streams.transport.commit import Work, Writes

RECORDS_A_TURN = 50
"""Records between two turns of the other stages: about 3 ms."""


class Ingest:
    """Reads events.*, writes identity, dead-letters and facts. Keeps no state but in the store."""

    def __init__(self, settings: Settings, topics: Topics, policy: Policy, schemas: SchemaCache, store: Any) -> None:
        self._rules = Rules(policy, registry(settings.channels), settings.default_region, settings.reporting_zone)
        self._keys = Keys(settings.pepper.get_secret_value(), settings.partitions)
        self._topics, self._policy, self._schemas, self._store = topics, policy, schemas, store
        self._letter_schema: int | None = None

    async def handle(self, group: Any) -> Work:
        """Work a group of batches of events topics.

        Shape:  records in Confluent's wire format -> messages, dead letters, facts, the partitions' books, offsets.
        Errors: Retryable while the schema registry is away.
        """
        batches = group.batches
        await self._learn(record for batch in batches for record in batch.records)
        intake = Intake(self._keys, self._policy, self._books({(b.tp.topic, b.tp.partition) for b in batches}))
        for batch in batches:
            channel = self._topics.channel_of(batch.tp.topic)
            for number, record in enumerate(batch.records):
                if number % RECORDS_A_TURN == 0:
                    await asyncio.sleep(0)
                outcome = self._judge(record, channel)
                position = (record.topic, record.partition, record.offset)
                intake.take(outcome, position, record.timestamp, record.value, schema_id(record.value or b""))
            metrics.EVENTS_IN.labels(batch.tp.topic).inc(len(batch.records))
        _count(intake)
        return self._work(intake, group)

    def _judge(self, record: Any, channel: str) -> Outcome:
        """What becomes of one record."""
        value = record.value
        if not value:
            return Reject(Reason.EMPTY, "expected a value; came a record without one")
        if len(value) > HEAD_BYTES + EVENT_BYTES_MAX:
            return Reject(Reason.OVERSIZE, f"expected at most {EVENT_BYTES_MAX} bytes; came {len(value)}")
        number = schema_id(value)
        if number is None:
            return Reject(Reason.BAD_AVRO, "expected Confluent's wire format: a zero byte and four of a schema's id")
        writer = self._schemas.writer(number)
        if writer is None:
            return Reject(Reason.UNKNOWN_SCHEMA, f"the registry knows no Avro schema {number}")
        try:
            event, plain = CHANNEL_EVENT.read(value, HEAD_BYTES, writer)
        except Undecodable as error:
            return Reject(Reason.BAD_AVRO, str(error))
        digest = blake2b(plain, digest_size=16).digest()
        position = (record.topic, record.partition, record.offset)
        return accept(event, position, record.timestamp, digest, channel, self._rules)

    async def _learn(self, records: Iterable[Any]) -> None:
        """Ask the registry for what this group needs; in a thread, as its client blocks."""
        ids = {number for record in records if record.value and (number := schema_id(record.value)) is not None}
        if self._schemas.lacks(ids):
            await asyncio.to_thread(self._schemas.learn, ids)
        if self._letter_schema is None:
            self._letter_schema = await asyncio.to_thread(self._schemas.id_of, self._topics.dead_letters, DEAD_LETTER)

    def _books(self, sources: set[Source]) -> dict[Source, Books]:
        return {
            source: Books.unpack(self._store.multi_get(source[1], [Books.key(source)])[0])
            for source in sorted(sources)
        }

    def _work(self, intake: Intake, group: Any) -> Work:
        work = Work(offsets=group.offsets)
        for partition, packed in intake.messages():
            work.records.append((self._topics.identity, partition, None, packed))
        for partition, letter in intake.letters:
            assert self._letter_schema is not None
            value = frame(self._letter_schema, DEAD_LETTER.encode(letter))
            work.records.append((self._topics.dead_letters, partition, None, value))
        for partition, fact in intake.facts():
            work.records.append((self._topics.facts, partition, None, facts.encode(fact)))
        for source, books in intake.books.items():
            work.writes.setdefault(source[1], Writes()).puts[Books.key(source)] = books.pack()
        return work


def _count(intake: Intake) -> None:
    for reject in intake.refused:
        metrics.EVENTS_REFUSED.labels(str(reject.reason)).inc()
    if intake.unidentifiable:
        metrics.EVENTS_UNIDENTIFIABLE.inc(intake.unidentifiable)
