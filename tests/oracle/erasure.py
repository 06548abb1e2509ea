"""What erasures leave of events and rules: the batch is made of that.

Which identifiers were one person, and which events its touchpoints, when an erasure came depends on what was known
then; so both are told here by receipts. What follows from them does not depend on any order.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from streams.core.event import Event, Identifier
from tests.oracle.rules import Word


class Erasure(NamedTuple):
    """A command: forget the person of an identifier, as far as received up to then."""

    identifier: Identifier
    until_ms: int
    command: str


@dataclass(frozen=True)
class Receipts:
    """Up to when each identifier was erased, and the ids of events that were deleted as touchpoints."""

    until_ms: Mapping[Identifier, int] = field(default_factory=dict)
    deleted: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Left:
    events: list[Event]
    words: list[Word]
    positions: list[tuple[str, int, int]]
    """Of copies that are no touchpoints any more."""


def left(events: Iterable[Event], words: Iterable[Word], receipts: Receipts) -> Left:
    """An identifier is out of an event as soon as one copy of it was received before the identifier's erasure."""
    out: dict[str, set[Identifier]] = defaultdict(set)
    events = list(events)
    for e in events:
        named = [i[:2] for i in e.ids]
        out[e.event_id] |= {i for i in named if e.received_ms <= receipts.until_ms.get(i, -1)}
    kept, positions = [], []
    for e in events:
        ids = tuple(i for i in e.ids if i[:2] not in out[e.event_id])
        if e.event_id in receipts.deleted or not ids:
            positions.append(e.position)
        else:
            kept.append(_without(e, ids, out[e.event_id]))
    said = [w for w in words if all(w.received_ms > receipts.until_ms.get(end, -1) for end in w.pair)]
    return Left(kept, said, positions)


def _without(e: Event, ids: tuple[tuple[str, str, float], ...], lost: set[Identifier]) -> Event:
    changes: dict[str, object] = {"ids": ids}
    if ("order_id", e.order_id) in lost:
        changes |= {"order_id": None, "order": b""}
    if ("click_id", e.click_id) in lost:
        changes |= {"click_id": None}
    return msgspec.structs.replace(e, **changes)
