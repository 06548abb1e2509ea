"""The rows that a cluster stands for: a pure function of its state, of which the sinks get the difference."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from streams.core.cluster import Cluster, Kept
from streams.core.event import Event, Identifier
from streams.core.facts import Row
from streams.core.ids import person_id
from streams.core.keys import Keys
from streams.core.order import order_rows
from streams.core.person import channel_rows, person_row, sighting_rows
from streams.core.resolve import senior, whose
from streams.core.session import Cut, cut

RowKey: TypeAlias = tuple[Any, ...]
"""(table, *key columns)."""

Rows: TypeAlias = dict[RowKey, Row]

KNOWN_STRENGTH = 60
"""An unshared identifier of a kind at least this strong makes a person known, and an order not anonymous."""


@dataclass(frozen=True)
class Shaping:
    """What shapes rows besides the cluster: the addresses of identifiers and the gap between sessions."""

    keys: Keys
    session_gap_ms: int


Touch: TypeAlias = tuple[Event, list[Kept], str]
"""A touchpoint's event, its copies, and the kind of identifier through which its person was found."""


class Person:
    """What one group of a cluster's identifiers is."""

    __slots__ = ("first_seen_at", "identifiers", "is_known", "is_shared", "person_id", "touches")

    def __init__(self, cluster: Cluster, shaping: Shaping, group: list[Identifier]) -> None:
        policy, first = cluster.policy, cluster.first
        self.identifiers = [i for i in group if i in first]
        self.touches: list[Touch] = []
        if not self.identifiers:
            return  # nothing has been seen of it yet, only named by a link on its way
        elder = senior(policy, self.identifiers, first)
        self.person_id = person_id(shaping.keys.node(elder))
        self.first_seen_at = first[elder]
        self.is_shared = not cluster.is_clear(elder)
        self.is_known = not self.is_shared and any(
            policy.kinds[kind].strength >= KNOWN_STRENGTH for kind, _ in self.identifiers
        )


People: TypeAlias = dict[Identifier, Person]


def rows(cluster: Cluster, shaping: Shaping) -> tuple[Rows, People]:
    """Every row of a cluster, and its persons.

    Shape: -> (table, *key) -> row in the order of the table's columns; group's representative -> person.
    Cost:  O(n) in the cluster's touchpoints.
    """
    out: Rows = {}
    groups = cluster.resolution.groups
    people = {group: Person(cluster, shaping, identifiers) for group, identifiers in groups.items()}
    owner_of: dict[str, Person] = {}
    for event, same, group, kind in _owned(cluster):
        person = people[group]
        person.touches.append((event, same, kind))
        owner_of[event.event_id] = person
    for person in people.values():
        if person.identifiers:
            _add_person(out, cluster, shaping, person)
    for order_id, events in _orders(cluster, owner_of):
        _add_order(out, cluster, owner_of, order_id, events)
    return out, people


def owners(people: People) -> dict[Identifier, bytes]:
    """Whose each identifier is."""
    return {i: person.person_id for person in people.values() for i in person.identifiers}


def _owned(cluster: Cluster) -> Iterator[tuple[Event, list[Kept], Identifier, str]]:
    """Each touchpoint in order with its group; an event whose anchor is not yet a member waits without rows."""
    resolution, members, claims = cluster.resolution, cluster.members, cluster.claims
    group_of, contested = resolution.group_of, resolution.contested
    for _, _, same in cluster.timeline:
        kept = same[0]
        first = kept.order[0]
        if first in members and first not in contested and not claims.get(first, 0) & 1:
            yield kept.event, same, group_of[first], first[0]
            continue
        clear = [i for i in kept.order if cluster.is_clear(i)]
        unclaimed = next((i for i in kept.order if not claims.get(i, 0) & 1), first)
        if unclaimed in members:
            yield kept.event, same, *whose(cluster.policy, resolution, kept.event, kept.order, clear, cluster.times)


def _add_person(out: Rows, cluster: Cluster, shaping: Shaping, person: Person) -> None:
    node, contested = shaping.keys.node, cluster.resolution.contested
    who, first, shared = person.person_id, cluster.first, person.is_shared
    for i in person.identifiers:
        key = node(i)
        out["identifiers", key] = (key, i[0], i[1], who, shared, i in contested, first[i])
    events = [event for event, _, _ in person.touches]
    pieces = Cut([], [], {}, {}) if shared else cut(who, events, shaping.session_gap_ms)
    for row in pieces.sessions:
        out["sessions", who, row[1]] = row
    for row in pieces.visits:
        out["visits", who, row[1]] = row
    for row in channel_rows(who, events, pieces) if not shared else ():
        out["person_channels", who, row[1]] = row
    for row in sighting_rows(who, events, node):
        out["identifier_sightings", who, row[1]] = row
    for event, same, kind in person.touches:
        out["touchpoints", who, event.event_id] = _touchpoint(who, pieces, event, same, kind)
    kinds = Counter(kind for kind, _ in person.identifiers)
    out["persons", who] = person_row(
        who, person.is_known, shared, person.first_seen_at, kinds, events, len(pieces.sessions)
    )


def _touchpoint(who: bytes, pieces: Cut, event: Event, same: list[Kept], kind: str) -> Row:
    copies = same[0].copies if len(same) == 1 else sorted({copy for kept in same for copy in kept.copies})
    event_id = event.event_id
    return (
        who, event_id, pieces.session_of.get(event_id), pieces.visit_of.get(event_id), event.order_id, event.at_ms,
        copies[0][1], event.channel, event.type, event.role, event.device, event.store_id, event.staff,
        event.click_id, event.message_id, event.conversation_id, kind, len(copies), len(same) - 1, event.content,
    )


def _orders(cluster: Cluster, owner_of: dict[str, Person]) -> Iterator[tuple[str, list[Event]]]:
    """Orders with their events: all of the cluster, or each person's own where the number itself is shared."""
    named: dict[tuple[str, bytes], list[Event]] = defaultdict(list)
    for _, _, same in cluster.timeline:
        event = same[0].event
        if event.order_id is not None and event.event_id in owner_of:
            alone = cluster.is_clear(("order_id", event.order_id))
            named[event.order_id, b"" if alone else owner_of[event.event_id].person_id].append(event)
    for (order_id, _), events in named.items():
        yield order_id, events


def _add_order(
    out: Rows, cluster: Cluster, owner_of: dict[str, Person], order_id: str, events: list[Event],
) -> None:
    def person_of(event: Event) -> tuple[bytes, bool]:
        person = owner_of[event.event_id]
        return person.person_id, person.is_shared

    def identified_by(event: Event) -> str | None:
        kinds, group_of = cluster.policy.kinds, cluster.resolution.group_of
        mine = owner_of[event.event_id].identifiers
        group = group_of[mine[0]]
        strong = [
            (-kinds[kind].strength, kind)
            for kind, value, _ in event.ids
            if kinds[kind].strength >= KNOWN_STRENGTH
            and cluster.is_clear((kind, value))
            and group_of[kind, value] == group
        ]
        return min(strong)[1] if strong else None

    order, items = order_rows(order_id, events, person_of, identified_by)
    out["orders", order[0], order_id] = order
    for item in items:
        out["order_items", order[0], order_id, item[2]] = item
