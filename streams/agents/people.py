"""The public topics on people, made of the rows that change: `onethread.persons` and `onethread.merges`.

Both are keyed by person_id, and lie in the partition that its first bytes name, so that of one person the later record
comes later. They leave in the transaction of the rows they are made of.
"""

import asyncio
from collections.abc import Iterator

from schemas.records import MERGE, PERSON
from schemas.registry import SchemaCache
from schemas.wire import frame
from streams.core.effects import Effects
from streams.core.event import NodeKey
from streams.core.facts import TABLES, Row
from streams.core.ids import uuid_text
from streams.core.keys import Keys
from streams.topics import Topics
from streams.transport.commit import Outgoing

_PERSON_FIELDS = tuple(column.name for column in TABLES["persons"].columns)
_MERGE_FIELDS = tuple(column.name for column in TABLES["merges"].columns)
assert set(_PERSON_FIELDS) == {field["name"] for field in PERSON.parsed["fields"]}, "a person's row is its record"
assert set(_MERGE_FIELDS) == {field["name"] for field in MERGE.parsed["fields"]}, "so is a merge's"


class People:
    """Makes records of effects. Asks the registry once, for the ids of its two schemas."""

    def __init__(self, topics: Topics, keys: Keys, schemas: SchemaCache) -> None:
        self._topics, self._keys, self._schemas = topics, keys, schemas
        self._ids: tuple[int, int] | None = None

    async def learn(self) -> None:
        """Before `records`. Errors: Retryable while the schema registry is away."""
        if self._ids is None:
            self._ids = await asyncio.to_thread(self._ask)

    def _ask(self) -> tuple[int, int]:
        topics, id_of = self._topics, self._schemas.id_of
        return id_of(topics.persons, PERSON), id_of(topics.merges, MERGE)

    def records(self, effects: Effects) -> Iterator[Outgoing]:
        """What changed of persons (without a value: the person is no more), and what became of whom."""
        assert self._ids is not None, "learn comes first"
        of_person, of_merge = self._ids
        for key, (_, row) in effects.facts.items():
            if key[0] == "persons":
                person_id = NodeKey(key[1])  # type: ignore[arg-type]  # keys are made of a table's first columns
                value = None if row is None else frame(of_person, PERSON.encode(_person(row)))
                yield self._topics.persons, self._keys.partition(person_id), person_id, value
            elif key[0] == "merges" and row is not None:
                yield (self._topics.merges, self._keys.partition(NodeKey(row[0])), row[0],
                       frame(of_merge, MERGE.encode(_merge(row))))


def _person(row: Row) -> dict[str, object]:
    fields = dict(zip(_PERSON_FIELDS, row, strict=True))
    fields["person_id"] = uuid_text(row[0])
    return fields


def _merge(row: Row) -> dict[str, object]:
    fields = dict(zip(_MERGE_FIELDS, row, strict=True))
    fields["person_id"], fields["other_person_id"] = uuid_text(row[0]), uuid_text(row[1])
    return fields
