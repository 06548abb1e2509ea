"""Who is who changed in a view: a second shortcut equal to making the view anew.

Members are new, or an identifier that several claim went to another person. It is taken where every touchpoint stays
with its person: then the rows of persons and of identifiers, what is known of edges, and through which identifier a
touchpoint was found are all that changes. Touchpoints that came with it are added afterwards, one by one
(`increment.add`).
"""

from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

from streams.core.cluster import Cluster, Kept
from streams.core.event import Identifier
from streams.core.facts import index_of
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
    before, nodes = seen.whose(), shaping.keys.node
    dated = {x for x, _ in cluster.first.items() - seen.first.items() if x in cluster.resolution.group_of}
    seen.people, seen.resolution, seen.first = found.people, cluster.resolution, dict(cluster.first)
    changes: Changes = {("persons", person.person_id): None for person in found.gone}
    for old, person in found.changed:
        changes["persons", person.person_id] = _person_row(seen, old, person)
        if old is not None:
            old.become(person)
    for x in dated | found.moved:
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
