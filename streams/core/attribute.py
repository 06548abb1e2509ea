"""Attributes of a person, with their history: consents, preferences and traits, each value as long as it held.

Rules kept here:
- Of each key the last statement holds, in the order (at_ms, event_id); of statements of one instant a withdrawal holds:
  a consent withdrawn, or an empty text, which takes a preference or a trait back.
- A statement that only repeats what holds begins nothing: a value is dated by the event that brought it.
- What was never said has no row: it is unknown, not refused.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TypeAlias

from streams.core.event import Event
from streams.core.facts import Row
from streams.core.said import Told, told_of

Value: TypeAlias = str | bool

_Statement: TypeAlias = tuple[int, str, Value, str]
"""(at_ms, event_id, value, source)."""


def attribute_rows(person_id: bytes, events: Sequence[Event]) -> Iterator[tuple[str, Row]]:
    """A person's rows of facts `consents`, `preferences` and `person_traits`, each with its table.

    Shape: the person's events that tell an attribute, by (at_ms, event_id). Of a key no two rows begin at one instant.
    Cost:  O(statements), and one decoding of each event's `told`.
    """
    said: dict[tuple[str, str], list[_Statement]] = {}
    for event in events:
        told = told_of(event.told)
        for table, key, value in _statements(told):
            said.setdefault((table, key), []).append((event.at_ms, event.event_id, value, told.source))
    for (table, key), statements in said.items():
        for at_ms, until_ms, event_id, value, source in _held(_last(statements)):
            yield table, (person_id, key, at_ms, value, until_ms, event_id, source)


def _statements(told: Told) -> Iterator[tuple[str, str, Value]]:
    for table, values in (
        ("consents", told.consents), ("preferences", told.preferences), ("person_traits", told.traits),
    ):
        for key, value in values.items():
            yield table, key, value


def _last(statements: Iterable[_Statement]) -> Iterator[_Statement]:
    """Of each instant the statement that holds."""
    for _, at_once in groupby(statements, key=lambda s: s[0]):
        yield max(at_once, key=lambda s: (not s[2], s[1]))


def _held(statements: Iterable[_Statement]) -> Iterator[tuple[int, int | None, str, Value, str]]:
    """(from, until, event_id, value, source) of each value while it held."""
    begun: _Statement | None = None
    for statement in statements:
        if begun is not None and begun[2] == statement[2]:
            continue
        if begun is not None and begun[2] != "":
            yield begun[0], statement[0], begun[1], begun[2], begun[3]
        begun = statement
    if begun is not None and begun[2] != "":
        yield begun[0], None, begun[1], begun[2], begun[3]
