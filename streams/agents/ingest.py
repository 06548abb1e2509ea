"""Stage one: events as producers wrote them -> accepted events on their way to their anchors, dead letters, books;
commands of operators -> rules and policies on the same ways.

One record that cannot be read never stops the rest. Only a registry that is away stops all: then nothing can be said
about a record, and the group waits.
"""

import asyncio
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

from schemas.records import CHANNEL_EVENT, COMMAND, DEAD_LETTER, Record
from schemas.registry import SchemaCache
from schemas.wire import HEAD_BYTES, frame, schema_id, schema_ids
from streams import metrics
from streams.agents.decoding import decoded
from streams.agents.governing import Governing
from streams.agents.routing import Routing
from streams.core import commands, facts
from streams.core.accept import Outcome, Rules, accept, named_by
from streams.core.commands import Judged
from streams.core.event import Position
from streams.core.intake import Books, Intake, Source
from streams.core.keys import Keys
from streams.core.messages import PolicyChange
from streams.core.policy import Policy, parse
from streams.core.refusal import EVENT_BYTES_MAX, Reason, Refusal, Reject
from streams.settings import Settings
from streams.topics import Topics
from streams.transport.commit import Work, Writes

RECORDS_A_TURN = 50
"""Records between two turns of the other stages: about 3 ms."""


class Ingest:
    """Reads events.* and commands, writes identity, dead-letters and facts. Keeps no state but in the store."""

    def __init__(self, settings: Settings, topics: Topics, policy: Policy, schemas: SchemaCache, store: Any) -> None:
        self._keys = Keys(settings.pepper.get_secret_value(), settings.partitions)
        self._governing = Governing(settings, policy, store)
        self._routing = Routing(store)
        self._settings, self._topics, self._schemas, self._store = settings, topics, schemas, store
        self._letter_schema: int | None = None

    def forget(self, partitions: Iterable[int]) -> None:
        """The partitions may have been another worker's: what is known of them is read anew."""
        partitions = list(partitions)
        self._governing.forget(partitions)
        self._routing.forget(partitions)

    async def handle(self, group: Any) -> Work:
        """Work a group of batches of events topics and of commands.

        Shape:  records in Confluent's wire format -> messages, dead letters, facts, the partitions' books, offsets.
        Errors: Retryable while the schema registry is away.
        """
        batches = group.batches
        events = [batch for batch in batches if batch.tp.topic != self._topics.commands]
        await self._learn(record for batch in batches for record in batch.records)
        owned = {b.tp.partition for b in events}
        books = self._books({(b.tp.topic, b.tp.partition) for b in events})
        intake = Intake(self._keys, books, self._routing.claims(owned), self._routing.suppressed(owned))
        work = Work(offsets=group.offsets)
        for batch in batches:
            if batch.tp.topic == self._topics.commands:
                self._command(batch, intake, work)
        governed = {number: self._governing.rules(number) for number in owned}
        for batch in events:
            rules, channel = governed[batch.tp.partition], self._topics.channel_of(batch.tp.topic)
            for number, record in enumerate(batch.records):
                if number % RECORDS_A_TURN == 0:
                    await asyncio.sleep(0)
                outcome, told = self._judge(record, channel, rules)
                named = named_by(told, rules) if told is not None else ()
                intake.take(outcome, *_place(record), rules.policy, named)
            metrics.EVENTS_IN.labels(batch.tp.topic).inc(len(batch.records))
        _count(intake)
        return self._carry_out(intake, work)

    def _command(self, batch: Any, intake: Intake, work: Work) -> None:
        """Commands in the order of their log; one that is refused changes nothing."""
        policy = self._governing.commanded()
        for record in batch.records:
            if record.key and record.value is None:
                continue  # an erasure took a command back that named somebody; what it meant is gone with that
            judged = self._judge_command(record, policy)
            intake.command(judged, *_place(record))
            metrics.COMMANDS.labels("refused" if isinstance(judged, Reject) else "accepted").inc()
            if isinstance(judged, PolicyChange) and judged.text:
                key, value = self._governing.command(judged)
                work.writes.setdefault(batch.tp.partition, Writes()).puts[key] = value
                policy = parse(judged.text, "")

    def _judge_command(self, record: Any, policy: Policy) -> Judged:
        if record.partition != commands.PARTITION:
            return Reject(Reason.BAD_VALUE, f"expected in partition {commands.PARTITION}, whose offsets order commands")
        found = self._decoded(record, COMMAND)
        if isinstance(found, Reject):
            return found
        return commands.judge(found[0], record.offset, record.timestamp, policy, self._settings.default_region)

    def _judge(self, record: Any, channel: str, rules: Rules) -> tuple[Outcome, Any | None]:
        """What becomes of an event's record, and the event as its producer told it; None where it cannot be read."""
        found = self._decoded(record, CHANNEL_EVENT)
        if isinstance(found, Reject):
            return found, None
        event, plain = found
        digest = blake2b(plain, digest_size=16).digest()
        position = (record.topic, record.partition, record.offset)
        return accept(event, position, record.timestamp, digest, channel, rules), event

    def _decoded(self, record: Any, schema: Record) -> tuple[Any, bytes] | Reject:
        """What a record says, and its bytes in our own schema."""
        value = record.value
        if not value:
            return Reject(Reason.EMPTY, "expected a value; came a record without one")
        if len(value) > HEAD_BYTES + EVENT_BYTES_MAX:
            return Reject(Reason.OVERSIZE, f"expected at most {EVENT_BYTES_MAX} bytes; came {len(value)}")
        try:
            return decoded(value, schema, self._schemas)
        except Refusal as refusal:
            return refusal.reject()

    async def _learn(self, records: Iterable[Any]) -> None:
        """Ask the registry for what this group needs; in a thread, as its client blocks."""
        ids = schema_ids(record.value for record in records)
        if self._schemas.lacks(ids):
            await asyncio.to_thread(self._schemas.learn, ids)
        if self._letter_schema is None:
            self._letter_schema = await asyncio.to_thread(self._schemas.id_of, self._topics.dead_letters, DEAD_LETTER)

    def _books(self, sources: set[Source]) -> dict[Source, Books]:
        return {
            source: Books.unpack(self._store.multi_get(source[1], [Books.key(source)])[0])
            for source in sorted(sources)
        }

    def _carry_out(self, intake: Intake, work: Work) -> Work:
        for partition, packed in intake.messages():
            work.records.append((self._topics.identity, partition, None, packed))
        for partition, letter in intake.letters:
            assert self._letter_schema is not None
            value = frame(self._letter_schema, DEAD_LETTER.encode(letter))
            work.records.append((self._topics.dead_letters, partition, None, value))
        for partition, fact in intake.facts():
            work.records.append((self._topics.of_facts(fact.table), partition, None, facts.encode(fact)))
        for source, books in intake.books.items():
            work.writes.setdefault(source[1], Writes()).puts[Books.key(source)] = books.pack()
        return work


def _place(record: Any) -> tuple[Position, int, bytes | None, int | None]:
    """Position, Kafka time, bytes and schema of a record."""
    position = (record.topic, record.partition, record.offset)
    return position, record.timestamp, record.value, schema_id(record.value or b"")


for _reason in Reason:  # shown from the beginning, so that a first refusal is an increase
    metrics.EVENTS_REFUSED.labels(_reason.value)


def _count(intake: Intake) -> None:
    for reject in intake.refused:
        metrics.EVENTS_REFUSED.labels(str(reject.reason)).inc()
    if intake.unidentifiable:
        metrics.EVENTS_UNIDENTIFIABLE.inc(intake.unidentifiable)
