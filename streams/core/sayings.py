"""What one person's events say besides that they happened: rows of conversations, promises and attributes.

Kept beside the person's touchpoints, as lists of the few events concerned, so that all others pass without a look. An
event more changes the rows of the conversation that it belongs to, the promises, or the attributes, and no others.
"""

from bisect import insort
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from streams.core.attribute import attribute_rows
from streams.core.conversation import Conversations, is_speech
from streams.core.event import Event
from streams.core.facts import TABLES, Row
from streams.core.promise import CONCERNED, Book
from streams.core.said import talk_of
from streams.core.shaping import Shaping
from streams.core.transcript import Transcript

KEYS_MAX = 200
"""Of a person's row, which has to fit a Kafka record whatever a broken producer makes of keys."""

Rows: TypeAlias = dict[tuple[Any, ...], Row]
"""By (table, *key columns)."""

Changes: TypeAlias = dict[tuple[Any, ...], Row | None]
"""New rows, and None for those that are gone."""

Moves: TypeAlias = dict[str, str | None]
"""By event_id: the conversation of touchpoints whose conversation is another by now."""


class _Spoken:
    """A person's talk, parted and told; events may come at its end."""

    def __init__(
        self, person_id: bytes, shaping: Shaping, events: Sequence[Event] = (), before: "_Spoken | None" = None,
    ) -> None:
        """All events by (at_ms, event_id); transcripts of conversations that are as they were `before` are taken over.
        """
        self._person_id = person_id
        self.parted = Conversations(events, shaping.conversation_gap_ms)
        self.transcripts: dict[str, Transcript] = {}
        self.book = Book(person_id, self.parted.of, shaping.callback_due_ms)
        for name, speech in self.parted.speech.items():
            if before is not None and before.parted.speech.get(name) == speech:
                self.transcripts[name] = before.transcripts[name]
                continue
            transcript = self.transcripts[name] = Transcript(person_id, name)
            for event in speech:
                transcript.add(event, talk_of(event.talk))
        for event in events:
            if event.type in CONCERNED:
                self.book.take(event, talk_of(event.talk))

    def rows(self, known: "_Spoken | None" = None) -> Rows:
        """All rows, but for messages of conversations that `known` has too."""
        out = _keyed("promises", self.book.rows())
        for name, transcript in self.transcripts.items():
            out.update(_keyed("conversations", [transcript.row(self.parted.order_of.get(name))]))
            if known is None or known.transcripts.get(name) is not transcript:
                out.update(_keyed("conversation_messages", transcript.message_rows()))
        return out

    def append(self, event: Event) -> tuple[Changes, Moves] | None:
        """One event more at the end; None, and nothing done, where it changes what was before it."""
        if not self.parted.append(event):
            return None
        changes: Changes = {}
        talk, name = talk_of(event.talk), self.parted.of.get(event.event_id)
        transcript = self.transcripts.get(name) if name is not None else None
        if name is not None and is_speech(event):
            if transcript is None:
                transcript = self.transcripts[name] = Transcript(self._person_id, name)
            message_id = transcript.add(event, talk)
            if message_id is not None:
                changes.update(_keyed("conversation_messages", [transcript.message_row(message_id)]))
        if name is not None and transcript is not None:
            changes.update(_keyed("conversations", [transcript.row(self.parted.order_of.get(name))]))
        if event.type in CONCERNED:
            for before, after in self.book.take(event, talk):
                if before is not None and before[1] != after[1]:  # it has a promise_id of its own by now
                    changes["promises", *before[:2]] = None
                changes.update(_keyed("promises", [after]))
        return changes, {} if name is None else {event.event_id: name}


class Sayings:
    """One person's; of a shared pseudo-person nothing is said."""

    __slots__ = ("_attributes", "_spoken", "_talk", "_told")

    def __init__(self) -> None:
        self._talk: list[Event] = []
        self._told: list[Event] = []
        self._spoken: _Spoken | None = None
        self._attributes: Rows = {}

    @property
    def conversation_of(self) -> dict[str, str]:
        """By event_id, of events that belong to a conversation."""
        return self._spoken.parted.of if self._spoken else {}

    @property
    def attributes(self) -> Row:
        """What the person prefers and what it allows by now, by key, the first KEYS_MAX: columns of facts `persons`."""
        held: dict[str, dict[str, str | bool]] = {"preferences": {}, "consents": {}}
        for (table, *_), (_, key, _, value, until_ms, *_) in sorted(self._attributes.items()):
            if until_ms is None and table in held and len(held[table]) < KEYS_MAX:
                held[table][key] = value
        return tuple(held.values())

    @property
    def traits(self) -> Iterable[Row]:
        """The rows of `person_traits`."""
        return (row for (table, *_), row in self._attributes.items() if table == "person_traits")

    def hear(self, event: Event) -> None:
        """Note the person's next event in order; `rows` makes something of it."""
        if event.talk:
            self._talk.append(event)
        if event.told:
            self._told.append(event)

    def rows(self, person_id: bytes, shaping: Shaping) -> Rows:
        """All rows, made anew."""
        out: Rows = {}
        if self._talk:
            self._spoken = _Spoken(person_id, shaping, self._talk)
            out.update(self._spoken.rows())
        if self._told:
            self._attributes = _attributes(person_id, self._told)
            out.update(self._attributes)
        return out

    def insert(self, event: Event, person_id: bytes, shaping: Shaping) -> tuple[Changes, Moves]:
        """One event more, anywhere in the order: what it may change, of rows and of touchpoints' conversations.

        Cost: that of one event where it is the last; else of parting all talk anew, and of what that changes.
        """
        changes: Changes = {}
        moves: Moves = {}
        if event.told:
            insort(self._told, event, key=_when)
            before, self._attributes = self._attributes, _attributes(person_id, self._told)
            _differ(changes, before, self._attributes)
        if event.talk:
            said, moves = self._speak(event, person_id, shaping)
            changes.update(said)
        return changes, moves

    def _speak(self, event: Event, person_id: bytes, shaping: Shaping) -> tuple[Changes, Moves]:
        old = self._spoken or _Spoken(person_id, shaping)
        is_last = not self._talk or _when(self._talk[-1]) < _when(event)
        insort(self._talk, event, key=_when)
        if is_last and (appended := old.append(event)) is not None:
            self._spoken = old
            return appended
        new = self._spoken = _Spoken(person_id, shaping, self._talk, old)
        changes: Changes = {}
        _differ(changes, old.rows(new), new.rows(old))
        return changes, _moves(old.parted.of, new.parted.of)


def _when(event: Event) -> tuple[int, str]:
    return event.at_ms, event.event_id


def _attributes(person_id: bytes, told: Sequence[Event]) -> Rows:
    return {(table, *row[: TABLES[table].key]): row for table, row in attribute_rows(person_id, told)}


def _keyed(table: str, rows: Iterable[Row]) -> Rows:
    width = TABLES[table].key
    return {(table, *row[:width]): row for row in rows}


def _differ(changes: Changes, before: Rows, after: Rows) -> None:
    for key, row in after.items():
        if before.get(key) != row:
            changes[key] = row
    changes.update({key: None for key in before if key not in after})


def _moves(before: dict[str, str], after: dict[str, str]) -> Moves:
    moves: Moves = {event_id: name for event_id, name in after.items() if before.get(event_id) != name}
    moves.update({event_id: None for event_id in before if event_id not in after})
    return moves
