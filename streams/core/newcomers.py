"""Who is who changed in a view: a second shortcut equal to making the view anew.

Members are new, or an identifier that several claim went to another person. It is taken where every touchpoint stays
with its person: then the rows of persons and of identifiers, what is known of edges, and through which identifier a
touchpoint was found are all that changes. Touchpoints that came with it are added afterwards, one by one
(`increment.add`).
"""

from bisect import bisect_left
from typing import NamedTuple

from streams.core.cluster import Cluster, Kept
from streams.core.event import Identifier
from streams.core.facts import Row, index_of
from streams.core.increment import apply, tell_order
from streams.core.messages import Edge
from streams.core.person import person_row
from streams.core.rows import NOT_ACQUIRED, Changes, Person, View, evidence_row, owner_of
from streams.core.shaping import Shaping
from streams.core.stories import places

_KINDS, _FOUND_BY = index_of("persons", "identifier_kinds"), index_of("touchpoints", "identified_by")


class Regrouped(NamedTuple):
    """The persons by their groups of now, and how that differs from before."""

    people: dict[Identifier, Person]
    changed: list[tuple[Person | None, Person]]
    """What a person of before is now; None of one that is new."""
    gone: list[Person]
    moved: set[Identifier]
    """Members that are new, another person's, or contested where they were not or not any more."""


def join(
    cluster: Cluster, shaping: Shaping, seen: View, newcomers: set[Identifier], waiting: int = 0,
) -> Changes | None:
    """Bring a view to who is who by now.

    Shape: the newcomers are members already; of the events kept, `waiting` are not in the view yet (`add` takes them
           next) -> what changed (already done in `seen`), or None, and nothing done, where the view has to be made
           anew: touchpoints go to another person, or an id changes.
    Cost:  O(n), but a small part of making n rows.
    """
    if len(seen.owner_of) + waiting < len(cluster.events) or any(_is_of_several(cluster, seen, x) for x in newcomers):
        return None
    if cluster.is_parted and (seen.resolution.contested or cluster.resolution.contested):
        return None  # of a pair far from all that changed, why it is refused may be another reason now
    found = _regrouped(cluster, shaping, seen, newcomers)
    if found is None:
        return None
    through = _found_through(cluster, seen, found)
    if through is None:
        return None
    nodes, groups = shaping.keys.node, seen.resolution.groups
    before = {i: p.person_id for group, p in seen.people.items() if p.identifiers for i in groups[group]}
    dated = {x for x, _ in cluster.first.items() - seen.first.items()} & cluster.members
    seen.people, seen.resolution, seen.first = found.people, cluster.resolution, dict(cluster.first)
    changes: Changes = {("persons", person.person_id): None for person in found.gone}
    for old, person in found.changed:
        changes["persons", person.person_id] = _person_row(seen, old, person)
        if old is not None:
            old.become(person)
    for x in (dated | found.moved) & cluster.first.keys():
        person = found.people[cluster.resolution.group_of[x]]
        contested = x in cluster.resolution.contested
        changes["identifiers", nodes(x)] = (
            nodes(x), *x, person.person_id, person.is_shared, contested, cluster.first[x],
        )
    for kept, person, kind in through:
        _find_through(changes, seen, kept, person, kind)
    _tell_orders(changes, cluster, shaping, seen, newcomers)
    for edge in {**cluster.once, **cluster.weak}:
        if not found.moved.isdisjoint(edge):
            _tell_evidence(changes, cluster, shaping, seen, edge, before)
    apply(changes, seen)
    return changes


def _regrouped(cluster: Cluster, shaping: Shaping, seen: View, newcomers: set[Identifier]) -> Regrouped | None:
    """None where persons with touchpoints are no more, or something is there of which no event tells."""
    before, after, first = seen.resolution, cluster.resolution, cluster.first
    if not seen.first.keys() <= first.keys():
        return None
    dated = {x for x, _ in first.items() - seen.first.items()}
    people: dict[Identifier, Person] = {}
    changed: list[tuple[Person | None, Person]] = []
    moved = newcomers | (before.contested ^ after.contested)
    for group, identifiers in after.groups.items():
        known = {before.group_of.get(i) for i in identifiers}
        if len(known) == 1 and dated.isdisjoint(identifiers) and (only := known.pop()) is not None:
            if len(before.groups[only]) == len(identifiers):
                people[group] = seen.people[only]
                continue
            known = {only}
        again = Person(cluster, shaping, identifiers)
        olds = [seen.people[one] for one in known if one is not None]
        if not again.identifiers or not all(old.identifiers for old in olds):
            return None
        old = next((old for old in olds if old.person_id == again.person_id), None)
        if old is not None and old.is_shared != again.is_shared:
            return None
        people[group] = old or again
        changed.append((old, again))
        moved.update(
            i for i in again.identifiers if (one := before.group_of.get(i)) is None or seen.people[one] is not old
        )
    went_on = {id(person) for person in people.values()}
    gone = [person for person in seen.people.values() if id(person) not in went_on]
    if any(person.touches for person in gone):
        return None
    return Regrouped(people, changed, gone, moved)


def _found_through(cluster: Cluster, seen: View, found: Regrouped) -> list[tuple[Kept, Person, str]] | None:
    """Touchpoints found through an identifier of another kind now; None where one is another person's."""
    out = []
    watched = found.moved | cluster.resolution.contested
    for _, event_id, same in cluster.timeline:
        if watched.isdisjoint(same[0].order) or (person := seen.owner_of.get(event_id)) is None:
            continue
        owner = owner_of(cluster, same[0])
        if owner is None or found.people[owner[0]] is not person:
            return None
        if seen.rows["touchpoints", person.person_id, event_id][_FOUND_BY] != owner[1]:
            out.append((same[0], person, owner[1]))
    return out


def _find_through(changes: Changes, seen: View, kept: Kept, person: Person, kind: str) -> None:
    event = kept.event
    when = event.at_ms, event.event_id
    at = bisect_left(person.touches, when, key=lambda t: (t[0].at_ms, t[0].event_id))
    person.touches[at] = (*person.touches[at][:2], kind)
    key = ("touchpoints", person.person_id, event.event_id)
    row = seen.rows[key]
    changes[key] = (*row[:_FOUND_BY], kind, *row[_FOUND_BY + 1 :])


def _person_row(seen: View, old: Person | None, person: Person) -> Row:
    """A person's row with the identifiers that it has by now."""
    who = person.person_id
    if old is None or not old.touches:
        return person_row(
            who, person.is_known, person.is_shared, person.first_seen_at, person.kinds, (), 0, 0, NOT_ACQUIRED,
        )
    row = seen.rows["persons", who]
    first_ms = min(person.first_seen_at, old.touches[0][0].at_ms)
    return (who, person.is_known, row[2], first_ms, *row[4:_KINDS], dict(sorted(person.kinds.items())),
            *row[_KINDS + 1 :])


def _tell_evidence(
    changes: Changes, cluster: Cluster, shaping: Shaping, seen: View, edge: Edge, before: dict[Identifier, bytes],
) -> None:
    """An edge's row goes to the person of its first end, else of its second; either may be another by now."""
    nodes = shaping.keys.node(edge[0]), shaping.keys.node(edge[1])
    for end in edge:
        if end in before and (key := ("evidence", before[end], *nodes)) in seen.rows:
            changes[key] = None
    row = evidence_row(cluster, shaping, seen.people, edge)
    if row is not None:
        changes["evidence", *row[:3]] = row


def _is_of_several(cluster: Cluster, seen: View, x: Identifier) -> bool:
    """Whether x is an order of which several persons' touchpoints tell: it may be placed elsewhere from now on."""
    if x[0] != "order_id":
        return False
    found = (seen.owner_of.get(event_id) for event_id in cluster.orders.get(x[1], ()))
    return len({person.person_id for person in found if person is not None}) > 1


def _tell_orders(
    changes: Changes, cluster: Cluster, shaping: Shaping, seen: View, newcomers: set[Identifier],
) -> None:
    """Orders may be identified by a newcomer, or be one."""
    for order_id, told in cluster.orders.items():
        if any(i in seen.owner_of and not newcomers.isdisjoint(cluster.events[i][0].order) for i in told):
            seen.places[order_id] = places(cluster, seen, order_id)
            tell_order(changes, cluster, shaping, seen, order_id)
