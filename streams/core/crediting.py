"""Credits in a view: which orders have them, and from which touchpoints they are made there."""

from bisect import bisect_left
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from streams.core.cluster import Cluster
from streams.core.credit import VisitOf, acquisition, credit_row, first_touch, group_of
from streams.core.event import Event
from streams.core.facts import Row, index_of
from streams.core.journey import Place
from streams.core.shaping import Shaping

if TYPE_CHECKING:
    from streams.core.rows import Person, View

Look: TypeAlias = Callable[[tuple[Any, ...]], Row]
"""The row of a key (table, *key columns) as it is by now."""


_STATUS, _SHARED = index_of("orders", "status"), index_of("orders", "person_shared")
_PLACED = index_of("orders", "placed_at")
_JOURNEY, _AFTER_SALE = index_of("touchpoints", "journey_id"), index_of("touchpoints", "after_sale")
_VISIT, _STARTED_AT = index_of("touchpoints", "visit_id"), index_of("journeys", "started_at")


def is_counted(order: Row) -> bool:
    """Placed, not cancelled, of a person that is not shared."""
    return order[_PLACED] is not None and order[_STATUS] != "cancelled" and not order[_SHARED]


def credits_of(cluster: Cluster, shaping: Shaping, seen: "View", place: Place, look: Look) -> Row:
    """The row of facts `credits` of a counted order, by where it was placed.

    Cost: O(n) in the touchpoints since its journey began.
    """
    person, placing = seen.owner_of[place[1]], cluster.events[place[1]][0].event
    return credit_row(
        person.person_id, placing, _way(person, place, look), _visit_of(person.person_id, look),
        shaping.attribution_window_ms, shaping.half_life_ms,
    )


def acquired(person: "Person", look: Look) -> Row:
    """Columns of facts `persons`: how a person was first touched; a shared one never was."""
    if person.is_shared:
        return acquisition(None)
    return acquisition(first_touch([touch[0] for touch in person.touches], _visit_of(person.person_id, look)))


def is_as_acquired(person: "Person", known: Row, event: Event) -> bool:
    """Whether one more touchpoint leaves a person's first touch, known as `acquired` tells it, as it was."""
    if person.is_shared or event.role not in ("interaction", "exposure"):
        return True
    if known[0] is None or event.at_ms <= known[0]:
        return False
    group, touches = group_of(event), person.touches
    if group is None:
        return True
    n = bisect_left(touches, known[0], key=lambda touch: touch[0].at_ms)
    while n < len(touches) and touches[n][0].at_ms == known[0]:
        if group_of(touches[n][0]) == group:
            return False
        n += 1
    return True


def _way(person: "Person", place: Place, look: Look) -> list[Event]:
    """The touchpoints, but the last, of the journey that ended at a place; none where it has no journey."""
    who, touches = person.person_id, person.touches
    journey_id = look(("touchpoints", who, place[1]))[_JOURNEY]
    if journey_id is None:
        return []
    since_ms = look(("journeys", who, journey_id))[_STARTED_AT]
    way: list[Event] = []
    for n in range(bisect_left(touches, place, key=lambda t: (t[0].at_ms, t[0].event_id)) - 1, -1, -1):
        event = touches[n][0]
        if event.at_ms < since_ms:
            break
        row = look(("touchpoints", who, event.event_id))
        if row[_JOURNEY] == journey_id and not row[_AFTER_SALE]:
            way.append(event)
    return way[::-1]


def _visit_of(who: bytes, look: Look) -> VisitOf:
    def visit_of(event_id: str) -> bytes | None:
        visit_id: bytes | None = look(("touchpoints", who, event_id))[_VISIT]
        return visit_id

    return visit_of
