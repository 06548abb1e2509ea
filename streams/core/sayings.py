"""What one person's events say besides that they happened: rows of conversations, promises and attributes.

Kept beside the person's touchpoints, as lists of the few events concerned, so that all others pass without a look. An
event more changes the rows of the conversation that it belongs to, the promises, or the attributes, and no others.
"""

from bisect import insort
from collections.abc import Iterable
from typing import Any, NamedTuple, TypeAlias

from streams.core.attribute import attribute_rows
from streams.core.conversation import Conversations, conversation_rows, converse
from streams.core.event import Event
from streams.core.facts import TABLES, Row
from streams.core.promise import CONCERNED, promise_rows
from streams.core.shaping import Shaping

Rows: TypeAlias = dict[tuple[Any, ...], Row]
"""By (table, *key columns)."""

Changes: TypeAlias = dict[tuple[Any, ...], Row | None]
"""New rows, and None for those that are gone."""

Moves: TypeAlias = dict[str, str | None]
"""By event_id: the conversation of touchpoints whose conversation is another by now."""


class _Talk(NamedTuple):
    """A person's talk in rows: those of each conversation apart."""

    parted: Conversations
    conversations: dict[str, Rows]
    promises: Rows


_SILENCE = _Talk(Conversations({}, {}, {}), {}, {})


class Sayings:
    """One person's; of a shared pseudo-person nothing is said."""

    __slots__ = ("_attributes", "_rows", "talk", "told")

    def __init__(self) -> None:
        self.talk: list[Event] = []
        self.told: list[Event] = []
        self._rows = _SILENCE
        self._attributes: Rows = {}

    @property
    def conversation_of(self) -> dict[str, str]:
        """By event_id, of events that belong to a conversation."""
        return self._rows.parted.of

    def hear(self, event: Event) -> None:
        """Note the person's next event in order; `rows` makes something of it."""
        if event.talk:
            self.talk.append(event)
        if event.told:
            self.told.append(event)

    def rows(self, person_id: bytes, shaping: Shaping) -> Rows:
        """All rows, made anew."""
        out: Rows = {}
        if self.talk:
            self._rows = _spoken(self.talk, person_id, shaping, _SILENCE)
            for rows in self._rows.conversations.values():
                out.update(rows)
            out.update(self._rows.promises)
        if self.told:
            self._attributes = _keyed(attribute_rows(person_id, self.told))
            out.update(self._attributes)
        return out

    def insert(self, event: Event, person_id: bytes, shaping: Shaping) -> tuple[Changes, Moves]:
        """One event more, anywhere in the order: what it changes, of rows and of touchpoints' conversations."""
        changes: Changes = {}
        moves: Moves = {}
        if event.told:
            insort(self.told, event, key=_when)
            before, self._attributes = self._attributes, _keyed(attribute_rows(person_id, self.told))
            _differ(changes, before, self._attributes)
        if event.talk:
            insort(self.talk, event, key=_when)
            old, self._rows = self._rows, _spoken(self.talk, person_id, shaping, self._rows)
            for name in {**old.conversations, **self._rows.conversations}:
                _differ(changes, old.conversations.get(name, {}), self._rows.conversations.get(name, {}))
            _differ(changes, old.promises, self._rows.promises)
            moves = _moves(old.parted.of, self._rows.parted.of)
        return changes, moves


def _when(event: Event) -> tuple[int, str]:
    return event.at_ms, event.event_id


def _spoken(events: list[Event], person_id: bytes, shaping: Shaping, before: _Talk) -> _Talk:
    """Rows of all talk; those of conversations that are as they were before are taken over."""
    parted = converse(events, shaping.conversation_gap_ms)
    conversations: dict[str, Rows] = {}
    for name, speech in parted.speech.items():
        order_id = parted.order_of.get(name)
        if before.parted.speech.get(name) == speech and before.parted.order_of.get(name) == order_id:
            conversations[name] = before.conversations[name]
            continue
        row, messages = conversation_rows(person_id, name, speech, order_id)
        conversations[name] = _keyed([("conversations", row), *(("conversation_messages", m) for m in messages)])
    promises: list[Row] = []
    if any(event.type in CONCERNED for event in events):
        promises = promise_rows(person_id, events, parted.of, shaping.callback_due_ms)
    return _Talk(parted, conversations, _keyed(("promises", row) for row in promises))


def _keyed(rows: Iterable[tuple[str, Row]]) -> Rows:
    return {(table, *row[: TABLES[table].key]): row for table, row in rows}


def _differ(changes: Changes, before: Rows, after: Rows) -> None:
    if before is after:
        return
    for key, row in after.items():
        if before.get(key) != row:
            changes[key] = row
    changes.update({key: None for key in before if key not in after})


def _moves(before: dict[str, str], after: dict[str, str]) -> Moves:
    moves: Moves = {event_id: name for event_id, name in after.items() if before.get(event_id) != name}
    moves.update({event_id: None for event_id in before if event_id not in after})
    return moves
