"""What one group of records gave: events on their way, commands, dead letters, notes, and the books of every partition.

The books of a partition of an events topic only grow: records read, refused, unidentifiable. They are kept with the
state and leave as a row whose version is the number of records, so that the largest is the present one.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from streams.core.accept import Accepted, Note, Outcome
from streams.core.commands import Erasing, Judged
from streams.core.dead_letter import dead_letter
from streams.core.event import Event, Identifier, NodeKey, Position, pack, unpack
from streams.core.facts import Facts, Row
from streams.core.keys import Keys
from streams.core.messages import Claim, Message, PolicyChange, Rebuild, Rule, observe, records
from streams.core.policy import Policy
from streams.core.refusal import Reject

Source: TypeAlias = tuple[str, int]
"""(topic, partition) of an events topic."""

ROWS_MAX = 500
"""Rows of one Kafka record, each below 1 KB."""

BOOKS = b"b"
"""First byte of the keys of books in the state."""

_FOR_GOOD = 1
"""Version of a row that never changes: what a position gave."""


@dataclass
class Books:
    """Cumulative counts of one partition of an events topic."""

    records: int = 0
    refused: int = 0
    unidentifiable: int = 0
    suppressed: int = 0
    next_offset: int = 0
    """The first offset that is not counted; 0 also where an older release counted. It says from where to read on when
    the state was restored from a backup."""

    @staticmethod
    def key(source: Source) -> bytes:
        return b"%b%b\0%d" % (BOOKS, source[0].encode(), source[1])

    @staticmethod
    def source(key: bytes) -> Source:
        """What a key is of."""
        topic, _, partition = key[len(BOOKS) :].rpartition(b"\0")
        return topic.decode(), int(partition)

    @classmethod
    def unpack(cls, data: bytes | None) -> "Books":
        return cls(*unpack(data)) if data else cls()

    def pack(self) -> bytes:
        return pack((self.records, self.refused, self.unidentifiable, self.suppressed, self.next_offset))

    def row(self, source: Source) -> Row:
        """As a fact; its version is the number of records."""
        return (*source, self.records, self.refused, self.unidentifiable, self.suppressed)


@dataclass
class Intake:
    """Collects outcomes, record by record, and says what has to leave."""

    keys: Keys
    books: dict[Source, Books]
    claims: Mapping[NodeKey, int] = field(default_factory=dict)
    """What is known of shared identifiers, by node key."""
    suppressed: Collection[NodeKey] = frozenset()
    """Who is not to be met again, by node key: an event that names one of them is counted, and nothing else."""
    letters: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    """(partition, dead letter)"""
    refused: list[Reject] = field(default_factory=list)
    unidentifiable: int = 0
    _messages: dict[int, list[Message]] = field(default_factory=lambda: defaultdict(list))
    _rows: dict[tuple[int, str], list[Row]] = field(default_factory=lambda: defaultdict(list))

    def take(
        self, outcome: Outcome, position: Position, at_ms: int, raw: bytes | None, schema_id: int | None,
        policy: Policy, named: Iterable[Identifier] = (),
    ) -> None:
        """Note what became of the record at `position`, whose Kafka time is at_ms, under a policy.

        Whom a refused record names, if that is known, is `named`: of somebody suppressed nothing is kept.
        """
        topic, partition, offset = position
        books = self.books[topic, partition]
        books.records += 1
        books.next_offset = offset + 1
        if self.suppressed and self._is_suppressed(
            (i[:2] for i in outcome.event.ids) if isinstance(outcome, Accepted) else named
        ):
            books.suppressed += 1
        elif isinstance(outcome, Accepted):
            message = observe(outcome.event, policy, claims_on(outcome.event, self.claims, self.keys))
            self._messages[self.keys.owner(message.to)].append(message)
            if outcome.notes:
                self._note(outcome.notes, outcome.event.event_id, position, at_ms)
        elif isinstance(outcome, Reject):
            books.refused += 1
            self.refused.append(outcome)
            self.letters.append((partition, dead_letter(outcome, raw, at_ms, position, schema_id)))
        else:
            books.unidentifiable += 1
            self.unidentifiable += 1
            self._rows[partition, "unidentifiable"].append((
                topic, partition, offset, outcome.event_id, outcome.channel, outcome.type, outcome.occurred_ms,
                outcome.reason,
            ))
            self._note(outcome.notes, outcome.event_id, position, at_ms)

    def _is_suppressed(self, named: Iterable[Identifier]) -> bool:
        return any(self.keys.node(i) in self.suppressed for i in named)

    def command(
        self, judged: Judged, position: Position, at_ms: int, raw: bytes | None, schema_id: int | None,
    ) -> None:
        """Note what a command means. The books know nothing of it: they are of events.

        A policy or a rebuild goes to every partition; all of it leaves in one transaction, so no partition's log has it
        later than another's has what was made under it.
        """
        if isinstance(judged, Rule):
            self._messages[self.keys.owner(judged.to)].append(judged)
        elif isinstance(judged, Erasing):
            self._messages[self.keys.owner(judged.message.to)].append(judged.message)
            self._rows[position[1], "erasures"] += judged.rows
        elif isinstance(judged, PolicyChange | Rebuild):
            for partition in range(self.keys.partitions):
                self._messages[partition].append(judged)
        else:
            self.letters.append((position[1], dead_letter(judged, raw, at_ms, position, schema_id)))

    def _note(self, notes: tuple[Note, ...], event_id: str, position: Position, at_ms: int) -> None:
        rows = self._rows[position[1], "identifier_notes"]
        rows += [(*position, ordinal, event_id, kind, note, at_ms) for ordinal, (kind, note) in enumerate(notes)]

    def messages(self) -> Iterator[tuple[int, bytes]]:
        """Accepted events by the partition that owns their anchor, and what commands mean; packed."""
        for partition, batch in self._messages.items():
            for value in records(batch):
                yield partition, value

    def facts(self) -> Iterator[tuple[int, Facts]]:
        """Rows by the partition of their input: the books of every partition, notes, what identified nobody."""
        for source, books in self.books.items():
            yield source[1], Facts("intake", [(books.records, *books.row(source))], [])
        for (partition, table), rows in self._rows.items():
            for start in range(0, len(rows), ROWS_MAX):
                yield partition, Facts(table, [(_FOR_GOOD, *row) for row in rows[start : start + ROWS_MAX]], [])


def claims_on(event: Event, claims: Mapping[NodeKey, int], keys: Keys) -> list[Claim]:
    """What is known of the event's identifiers."""
    if not claims:
        return []
    named = [(kind, value) for kind, value, _ in event.ids]
    return [(x, n) for x in named if (n := claims.get(keys.node(x), 0))]
