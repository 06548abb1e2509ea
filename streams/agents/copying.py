"""Records of the topics that are loaded, as rows of their tables."""

from collections.abc import Iterable
from typing import Any

from schemas.records import DEAD_LETTER, Undecodable
from schemas.registry import SchemaCache
from schemas.wire import HEAD_BYTES, schema_id, schema_ids
from sinks.clickhouse.columns import DEAD_LETTERS, Rows
from streams.agents.referring import Referring
from streams.core import facts
from streams.topics import Topics

LETTER_VERSION = 1
"""A dead letter never changes where it lies, so its row has one version."""


class Copying:
    """Rows of `facts`, `history`, `reference.*` and `dead-letters`, batch by batch."""

    def __init__(self, topics: Topics, schemas: SchemaCache) -> None:
        self._dead_letters, self._schemas = topics.dead_letters, schemas
        self._referring = Referring(topics, schemas)

    def is_facts(self, topic: str) -> bool:
        """Whether its records are packed facts, which `facts.decode` reads."""
        return topic != self._dead_letters and topic not in self._referring.tables

    def rows(self, batch: Any) -> Rows:
        """The rows of a batch of reference records or dead letters. Errors: Retryable without the registry."""
        if batch.tp.topic != self._dead_letters:
            return self._referring.rows(batch)
        self._schemas.learn(schema_ids(record.value for record in batch.records))
        return Rows(DEAD_LETTERS.name, [self._letter(record) for record in batch.records])

    def take_letters(self) -> Iterable[tuple[int, dict[str, Any]]]:
        """(partition, dead letter) of each reference record that was refused since the last call."""
        return self._referring.take_letters()

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
        return [*place, *(letter.get(column) for column in LETTER_FIELDS)]


def unpacked(packed: facts.Facts) -> Rows:
    """A record of facts as rows."""
    return Rows(packed.table, packed.upserts, packed.tombstones)


LETTER_FIELDS = tuple(column.name for column in DEAD_LETTERS.columns[DEAD_LETTERS.key:])


def _unreadable(record: Any, reason: str, number: int | None) -> list[Any]:
    """The columns of `LETTER_FIELDS` for a record that is no dead letter."""
    return [record.timestamp, reason, "a record of the dead letters that is none", record.topic, record.partition,
            record.offset, number, None, None, record.value]
