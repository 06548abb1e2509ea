"""The rows that a cluster stands for: a pure function of its state, of which the sinks get the difference."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from streams.core.alert import Cities, alert_rows, note_city
from streams.core.alike import Alike
from streams.core.cluster import Cluster, Kept
from streams.core.crediting import acquired
from streams.core.event import Event, Identifier
from streams.core.facts import Row, index_of
from streams.core.ids import person_id
from streams.core.journey import Course, Place, PlaceOf, course
from streams.core.messages import Edge, Told
from streams.core.person import channel_rows, person_row, sighting_rows
from streams.core.resolve import KNOWN_STRENGTH, Resolution, senior, whose
from streams.core.returned import loose_return_id, loose_return_row
from streams.core.sayings import Sayings
from streams.core.session import Cut, cut
from streams.core.shaping import Shaping
from streams.core.stories import EVERYBODY, places, rows_of_order

RowKey: TypeAlias = tuple[Any, ...]
"""(table, *key columns)."""

Rows: TypeAlias = dict[RowKey, Row]

Changes: TypeAlias = dict[RowKey, Row | None]
"""New rows, and None for those that are gone."""

Touch: TypeAlias = tuple[Event, list[Kept], str]
"""A touchpoint's event, its copies, and the kind of identifier through which its person was found."""

NO_CUT = Cut([], [], {}, {})
NO_COURSE = Course([], {}, set())
NOT_ACQUIRED = (None,) * 5

_CONVERSATION = index_of("touchpoints", "conversation_id")


class Person:
    """What one group of a cluster's identifiers is."""

    __slots__ = (
        "cities", "first_seen_at", "identifiers", "is_known", "is_shared", "kinds", "person_id", "returns", "sayings",
        "touches",
    )

    def __init__(self, cluster: Cluster, shaping: Shaping, group: list[Identifier]) -> None:
        policy, first = cluster.policy, cluster.first
        self.identifiers = [i for i in group if i in first]
        self.touches: list[Touch] = []
        self.sayings = Sayings()
        self.returns: dict[str, list[Event]] = {}
        """Of the touches those that tell of a return without an order, by return_id."""
        self.cities: Cities = {}
        if not self.identifiers:
            return  # nothing has been seen of it yet, only named by a link on its way
        elder = senior(policy, self.identifiers, first)
        self.person_id = person_id(shaping.keys.node(elder))
        self.first_seen_at = first[elder]
        self.kinds: dict[str, int] = {}
        for kind, _ in self.identifiers:
            self.kinds[kind] = self.kinds.get(kind, 0) + 1
        self.is_shared = not cluster.is_clear(elder)
        self.is_known = not self.is_shared and any(policy.kinds[kind].strength >= KNOWN_STRENGTH for kind in self.kinds)

    def become(self, other: "Person") -> None:
        """The same person with other identifiers; its touchpoints stay."""
        self.identifiers, self.kinds, self.is_known = other.identifiers, other.kinds, other.is_known
        self.first_seen_at = other.first_seen_at


@dataclass
class View:
    """A cluster's rows, and the steps on the way to them: persons by group, owners of touchpoints, rows by order."""

    resolution: Resolution
    people: dict[Identifier, Person]
    rows: Rows
    owner_of: dict[str, Person]
    orders: dict[str, Rows]
    """Before they are compared with one another."""
    alike: Alike
    places: dict[str, dict[bytes, Place]] = field(default_factory=dict)
    """Where each order was placed: by person where the order_id is shared, else of EVERYBODY."""
    first: dict[Identifier, int] = field(default_factory=dict)
    """First times of what is named, as its rows tell them."""

    def told(self) -> Told:
        """What the sinks have heard, once these rows have gone out."""
        return Told(list(self.rows), list(self.whose().items()), sorted(self.met()))

    def whose(self) -> dict[Identifier, bytes]:
        """Whose each identifier is."""
        return {i: person.person_id for person in self.people.values() for i in person.identifiers}

    def place_of(self, who: bytes) -> PlaceOf:
        """Where an order was placed, as far as it concerns one person."""
        places = self.places

        def place_of(order_id: str) -> Place | None:
            found = places.get(order_id)
            return None if not found else found[EVERYBODY] if EVERYBODY in found else found.get(who)

        return place_of

    def met(self) -> set[bytes]:
        """The persons with a touchpoint; the others are identifiers that were only named beside somebody's."""
        return {person.person_id for person in self.people.values() if person.touches}


def view(cluster: Cluster, shaping: Shaping) -> View:
    """Everything a cluster stands for.

    Cost: O(n) in the cluster's touchpoints.
    """
    resolution = cluster.resolution
    people = {group: Person(cluster, shaping, found) for group, found in resolution.groups.items()}
    seen = View(resolution, people, {}, {}, {}, Alike(shaping.duplicate_window_ms), first=dict(cluster.first))
    if not cluster.first and not cluster.rules:  # nothing has been seen yet
        return seen
    for _, event_id, same in cluster.timeline:
        owner = owner_of(cluster, same[0])
        if owner is not None and people[owner[0]].identifiers:
            person = people[owner[0]]
            event = same[0].event
            person.touches.append((event, same, owner[1]))
            if event.talk or event.told:
                person.sayings.hear(event)
            if (return_id := loose_return_id(event)) is not None:
                person.returns.setdefault(return_id, []).append(event)
            if event.city is not None:
                note_city(person.cities, event)
            seen.owner_of[event_id] = person
    for order_id in cluster.orders:
        seen.places[order_id] = places(cluster, seen, order_id)
    for person in people.values():
        if person.identifiers:
            seen.rows.update(_person_rows(cluster, shaping, seen, person))
    for edge in {**cluster.once, **cluster.weak}:
        row = evidence_row(cluster, shaping, people, edge)
        if row is not None:
            seen.rows["evidence", *row[:3]] = row
    for edge, (at, rule_id, verb, reason) in cluster.rules.items():
        a, b = shaping.keys.node(edge[0]), shaping.keys.node(edge[1])
        if verb != "drop":
            seen.rows["rules", a, b] = (a, b, *edge[0], *edge[1], verb, rule_id, at, reason)
    for order_id in cluster.orders:
        seen.orders[order_id] = rows_of_order(cluster, shaping, seen, order_id, {}, {})
        seen.rows.update(seen.orders[order_id])
        seen.alike.know(order_id, seen.orders[order_id])
    seen.rows.update(seen.alike.all())
    return seen


def owner_of(cluster: Cluster, kept: Kept) -> tuple[Identifier, str] | None:
    """The group of a touchpoint and the kind through which it was found.

    None while the event's anchor is not yet a member: its cluster is under way, and the event waits without rows.
    """
    resolution, members, claims = cluster.resolution, cluster.members, cluster.claims
    first = kept.order[0]
    if first in members and first not in resolution.contested and not claims.get(first, 0) & 1:
        return resolution.group_of[first], first[0]
    unclaimed = next((i for i in kept.order if not claims.get(i, 0) & 1), first)
    if unclaimed not in members:
        return None
    clear = [i for i in kept.order if cluster.is_clear(i)]
    return whose(cluster.policy, resolution, kept.event, kept.order, clear, cluster.times)


def _person_rows(cluster: Cluster, shaping: Shaping, seen: View, person: Person) -> Rows:
    out: Rows = {}
    node, contested = shaping.keys.node, cluster.resolution.contested
    who, first, shared = person.person_id, cluster.first, person.is_shared
    for i in person.identifiers:
        key = node(i)
        out["identifiers", key] = (key, i[0], i[1], who, shared, i in contested, first[i])
    if not person.touches:
        out["persons", who] = person_row(
            who, person.is_known, shared, person.first_seen_at, person.kinds, (), 0, 0, NOT_ACQUIRED,
        )
        return out
    events = [event for event, _, _ in person.touches]
    pieces = NO_CUT if shared else cut(who, events, shaping.session_gap_ms)
    way = NO_COURSE if shared else course(who, events, seen.place_of(who), shaping.journey_gap_ms)
    _put(out, "sessions", pieces.sessions)
    _put(out, "visits", pieces.visits)
    _put(out, "journeys", way.journeys)
    _put(out, "person_channels", () if shared else channel_rows(who, events, pieces))
    _put(out, "identifier_sightings", sighting_rows(who, events, node))
    for touch in person.touches:
        out["touchpoints", who, touch[0].event_id] = touchpoint_row(who, pieces, way, touch, node)
    said = {} if shared else person.sayings.rows(who, shaping)
    out["persons", who] = person_row(
        who, person.is_known, shared, person.first_seen_at, person.kinds, events, len(pieces.sessions),
        len(way.journeys), acquired(person, out.__getitem__), person.sayings.attributes,
    )
    for return_id in person.returns:
        out["returns", who, "", return_id] = return_row(person, return_id)
    out.update(said)
    if not shared:
        _put(out, "alerts", alerts_of(cluster, person))
    for event_id, name in person.sayings.conversation_of.items():
        out["touchpoints", who, event_id] = in_conversation(out["touchpoints", who, event_id], name)
    return out


def alerts_of(cluster: Cluster, person: Person) -> Iterable[Row]:
    """What somebody should look at of a person who is not shared, once its attributes are known."""
    return alert_rows(person.person_id, cluster.policy.alerts, person.sayings.traits, person.cities)


def in_conversation(touchpoint: Row, name: str | None) -> Row:
    """A touchpoint's row in a conversation, or in none."""
    if touchpoint[_CONVERSATION] == name:
        return touchpoint
    return (*touchpoint[:_CONVERSATION], name, *touchpoint[_CONVERSATION + 1 :])


def return_row(person: Person, return_id: str) -> Row:
    """A return that names no order."""
    return loose_return_row(person.person_id, person.is_shared, person.returns[return_id])


def _put(out: Rows, table: str, rows: Iterable[Row]) -> None:
    for row in rows:
        out[table, row[0], row[1]] = row


def touchpoint_row(
    who: bytes, pieces: Cut, way: Course, touch: Touch, node: Callable[[Identifier], bytes],
) -> Row:
    event, same, kind = touch
    copies = same[0].copies if len(same) == 1 else sorted({copy for kept in same for copy in kept.copies})
    event_id = event.event_id
    return (
        who, event_id, pieces.session_of.get(event_id), pieces.visit_of.get(event_id), event.order_id, event.at_ms,
        copies[0][1], event.channel, event.type, event.role, event.device, event.store_id, event.staff,
        event.click_id, event.message_id, event.conversation_id, kind, len(copies), len(same) - 1,
        [node((name, value)) for name, value, _ in event.ids], way.journey_of.get(event_id),
        event_id in way.after_sale, event.content,
    )


def evidence_row(
    cluster: Cluster, shaping: Shaping, people: dict[Identifier, Person], edge: Edge,
) -> Row | None:
    """What this cluster knows of an edge, as a row of the person of its first end, else of its second.

    None where neither is a person here: of two shared identifiers no cluster has the whole.
    """
    group_of, node = cluster.resolution.group_of, shaping.keys.node
    a, b = edge
    group = group_of.get(a) or group_of.get(b)
    owner = people[group] if group else None
    seen = cluster.sightings(edge)
    if owner is None or not owner.identifiers or seen is None:
        return None
    events, (first_at, first_event), last_at = seen
    because = _refused(cluster, edge)
    return (
        owner.person_id, node(a), node(b), *a, *b, events, first_at, last_at, first_event, because is None, because,
    )


def _refused(cluster: Cluster, edge: Edge) -> str | None:
    """Why an edge does not hold its ends together; None where it does."""
    resolution, (a, b) = cluster.resolution, edge
    if not cluster.passes(edge):
        return "weak"
    if not cluster.is_clear(a) or not cluster.is_clear(b):
        return "shared"
    if resolution.group_of[a] == resolution.group_of[b]:
        return None
    return "unlink" if cluster.is_unlinked(a, b) else "limit"
