"""Records of the reference topics as rows of their tables; what cannot be read becomes a dead letter.

The version of a row is the record's offset: all records of a key are in one partition, so the last value wins.
"""

from collections.abc import Iterable
from typing import Any

from schemas.records import REFERENCE
from schemas.registry import SchemaCache
from schemas.wire import schema_id, schema_ids
from sinks.clickhouse.columns import Rows
from streams.agents.decoding import decoded
from streams.core import reference
from streams.core.dead_letter import dead_letter
from streams.core.facts import Key, Row
from streams.core.refusal import Refusal
from streams.topics import Topics


class Referring:
    """Reads batches of the reference topics; `letters` are (partition, dead letter) of what was refused since taken."""

    def __init__(self, topics: Topics, schemas: SchemaCache) -> None:
        self.tables = {topics.reference(name): table for name, table in reference.TABLES.items()}
        self._schemas = schemas
        self._letters: list[tuple[int, dict[str, Any]]] = []

    def rows(self, batch: Any) -> Rows:
        """The rows of a batch; a record without a value takes its row away. Errors: Retryable without the registry."""
        table = self.tables[batch.tp.topic]
        self._schemas.learn(schema_ids(record.value for record in batch.records))
        upserts: list[tuple[Any, ...]] = []
        tombstones: list[tuple[Any, ...]] = []
        for record in batch.records:
            try:
                if record.value:
                    upserts.append((record.offset + 1, *self._row(table.name, record.value)))
                else:
                    tombstones.append((record.offset + 1, *self._key(table.name, record.key)))
            except Refusal as refusal:
                position = (record.topic, record.partition, record.offset)
                letter = dead_letter(
                    refusal.reject(), record.value, record.timestamp, position, schema_id(record.value or b""),
                )
                self._letters.append((record.partition, letter))
        return Rows(table.name, upserts, tombstones)

    def take_letters(self) -> Iterable[tuple[int, dict[str, Any]]]:
        letters, self._letters = self._letters, []
        return letters

    def _row(self, name: str, value: bytes) -> Row:
        told, _ = decoded(value, REFERENCE[name], self._schemas)
        return reference.row(reference.TABLES[name], told)

    def _key(self, name: str, key: bytes | None) -> Key:
        return reference.key_of(reference.TABLES[name], key)
