"""New members in a view: a second shortcut equal to making the view anew.

It is taken where newcomers join one person each who keeps its id, and nothing is contested: then the person's own row,
its identifiers, what is known of edges to newcomers, and touchpoints that name them are all that changes. Touchpoints
that came with the newcomers are added afterwards, one by one (`increment.add`).
"""

from streams.core.cluster import Cluster
from streams.core.event import Identifier
from streams.core.facts import index_of
from streams.core.increment import apply, tell_order
from streams.core.messages import Edge
from streams.core.rows import Changes, Person, View, evidence_row, owner_of
from streams.core.shaping import Shaping
from streams.core.stories import places

_KINDS, _FOUND_BY = index_of("persons", "identifier_kinds"), index_of("touchpoints", "identified_by")
_FIRST_SEEN = index_of("identifiers", "first_seen_at")


def join(
    cluster: Cluster, shaping: Shaping, seen: View, newcomers: set[Identifier], waiting: int = 0,
) -> Changes | None:
    """Take new members into a view that knows everything but them.

    Shape: the newcomers are members already; of the events kept, `waiting` came with them and are not in the view yet
           (`add` takes them next) -> what changed (already done in `seen`), or None where the view has to be made
           anew: persons unite, an id changes, something is contested.
    Cost:  O(n), but a small part of making n rows.
    """
    before, after = seen.resolution, cluster.resolution
    if before.contested or after.contested or len(seen.owner_of) + waiting < len(cluster.events):
        return None
    if any(_is_of_several(cluster, seen, x) for x in newcomers):
        return None
    people = _regrouped(cluster, shaping, seen, newcomers)
    if people is None:
        return None
    seen.people, seen.resolution = people, after
    changes: Changes = {}
    for person in {id(p): p for p in (people[after.group_of[x]] for x in newcomers)}.values():
        _introduce(changes, cluster, shaping, seen, person)
    for x in newcomers:
        _name_again(changes, cluster, shaping, seen, people[after.group_of[x]], x)
    for edge in (*cluster.once, *cluster.weak):
        if not newcomers.isdisjoint(edge):
            _tell_evidence(changes, cluster, shaping, seen, edge, newcomers)
    apply(changes, seen)
    return changes


def _tell_evidence(
    changes: Changes, cluster: Cluster, shaping: Shaping, seen: View, edge: Edge, newcomers: set[Identifier],
) -> None:
    """An edge's row goes to the person of its first end, which may be new here: of the other it was until now."""
    nodes = shaping.keys.node(edge[0]), shaping.keys.node(edge[1])
    for end in edge:
        group = cluster.resolution.group_of.get(end)
        if end not in newcomers and group is not None and seen.people[group].identifiers:
            key = ("evidence", seen.people[group].person_id, *nodes)
            if key in seen.rows:
                changes[key] = None
    row = evidence_row(cluster, shaping, seen.people, edge)
    if row is not None:
        changes["evidence", *row[:3]] = row


def _introduce(changes: Changes, cluster: Cluster, shaping: Shaping, seen: View, person: Person) -> None:
    """What identifiers a person has by now, and since when each was seen: newcomers may know of earlier times."""
    who, first = person.person_id, cluster.first
    for i in person.identifiers:
        key = shaping.keys.node(i)
        old = seen.rows.get(("identifiers", key))
        if old is None or old[_FIRST_SEEN] != first[i]:
            changes["identifiers", key] = (key, *i, who, False, False, first[i])
    old = seen.rows["persons", who]
    first_ms = min([person.first_seen_at, *(touch[0].at_ms for touch in person.touches[:1])])
    changes["persons", who] = (
        who, person.is_known, old[2], first_ms, *old[4:_KINDS], dict(sorted(person.kinds.items())), *old[_KINDS + 1 :],
    )


def _regrouped(
    cluster: Cluster, shaping: Shaping, seen: View, newcomers: set[Identifier],
) -> dict[Identifier, Person] | None:
    """The persons by their groups of now; None unless each is one of before, with newcomers or without."""
    group_of, people = seen.resolution.group_of, {}
    for group, identifiers in cluster.resolution.groups.items():
        known = {group_of[i] for i in identifiers if i in group_of}
        if len(known) != 1:
            return None
        person = seen.people[known.pop()]
        if not newcomers.isdisjoint(identifiers):
            again = Person(cluster, shaping, identifiers)
            if not person.identifiers or not again.identifiers or again.person_id != person.person_id:
                return None
            again.touches, again.sayings, again.returns = person.touches, person.sayings, person.returns
            again.cities = person.cities
            person = again
        people[group] = person
    return people


def _is_of_several(cluster: Cluster, seen: View, x: Identifier) -> bool:
    """Whether x is an order of which several persons' touchpoints tell: it may be placed elsewhere from now on."""
    if x[0] != "order_id":
        return False
    found = (seen.owner_of.get(event_id) for event_id in cluster.orders.get(x[1], ()))
    return len({person.person_id for person in found if person is not None}) > 1


def _name_again(
    changes: Changes, cluster: Cluster, shaping: Shaping, seen: View, person: Person, x: Identifier,
) -> None:
    """Touchpoints that name a newcomer may now be found through it, and an order be identified by it."""
    for n, (event, same, kind) in enumerate(person.touches):
        if all((name, value) != x for name, value, _ in event.ids):
            continue
        owner = owner_of(cluster, same[0])
        if owner is not None and owner[1] != kind:
            person.touches[n] = (event, same, owner[1])
            key = ("touchpoints", person.person_id, event.event_id)
            row = changes.get(key) or seen.rows[key]
            changes[key] = (*row[:_FOUND_BY], owner[1], *row[_FOUND_BY + 1 :])
        seen.owner_of[event.event_id] = person
        if event.order_id is not None:
            seen.places[event.order_id] = places(cluster, seen, event.order_id)
            tell_order(changes, cluster, shaping, seen, event.order_id)
