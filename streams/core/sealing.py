"""Sealed identifiers in a cluster: of one that was erased and that nothing names, only the node key is left.

It stays a member, so that pointers and claims hold; it has no rows and connects nothing. When something names it again
it is given its name back. A claim about one that is no member and that nothing names is kept so as well: it comes once,
and may come before the cluster that it is about.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import msgspec

from streams.core.cluster import Cluster
from streams.core.event import Identifier
from streams.core.keys import SEALED, Keys, sealed
from streams.core.messages import Edge, Part


def form(keys: Keys, cluster: Cluster, x: Identifier) -> Identifier:
    """How a cluster knows x: by name, or sealed where it was erased and nothing names it."""
    if not cluster.marks or x in cluster.members or x in cluster.claims or x in cluster.first:
        return x
    return keys.sealed(x) if keys.node(x) in cluster.marks else x


def seal(keys: Keys, cluster: Cluster) -> list[Identifier]:
    """Take the names of erased identifiers that nothing names any more; what is left of them.

    Cost: O(members + edges told of).
    """
    named = named_in(cluster)
    unnamed = {x for x in set(names(cluster)) - named if x[0] != SEALED}
    strangers = unnamed - cluster.members
    erased = {x for x in unnamed if keys.node(x) in cluster.marks}
    for x in sorted(erased | strangers & cluster.claims.keys()):
        rename(cluster, x, keys.sealed(x))
    if erased or strangers:
        untell(cluster, lambda end: end in erased or end in strangers)
    return sorted(keys.sealed(x) for x in erased)


def named_in(cluster: Cluster) -> set[Identifier]:
    """What events, evidence and rules name."""
    return {end for edge in (*cluster.rules, *cluster.weak) for end in edge} | cluster.first.keys()


def waken(keys: Keys, cluster: Cluster, named: Iterable[Identifier]) -> list[Identifier]:
    """Give identifiers that are named again their names; those that were sealed."""
    if not (cluster.marks or cluster.cuts):
        return []
    renamed = [x for x in named if rename(cluster, keys.sealed(x), x)]
    return [x for x in renamed if keys.node(x) in cluster.marks]


def rename(cluster: Cluster, old: Identifier, new: Identifier) -> bool:
    """Another form of one identifier; whether it was there under the old one."""
    is_there = False
    if old in cluster.members:
        cluster.members.remove(old)
        cluster.members.add(new)
        is_there = True
    for counts in (cluster.claims, cluster.epochs):
        if old in counts:
            counts[new] = max(counts.pop(old), counts.get(new, 0))
            is_there = True
    if is_there:
        cluster.forget_resolution()
    return is_there


_Pick: TypeAlias = Callable[[Identifier], bool]


def untell(cluster: Cluster, is_lost: _Pick) -> None:
    """Forget what was told and linked of some identifiers: what still holds of it is told again."""

    def stays(edge: Edge) -> bool:
        return not (is_lost(edge[0]) or is_lost(edge[1]))

    cluster.sighted = {edge: first for edge, first in cluster.sighted.items() if stays(edge)}
    cluster.busy = dict.fromkeys(told for told in cluster.busy if stays(told[0]))
    cluster.told = dict.fromkeys(told for told in cluster.told if stays(told[1]))
    cluster.linked = dict.fromkeys(edge for edge in cluster.linked if stays(edge))
    cluster.forced = dict.fromkeys(edge for edge in cluster.forced if stays(edge))


def names(cluster: Cluster) -> Iterator[Identifier]:
    """Every identifier that a cluster tells in any way, some of them more than once."""
    yield from cluster.members
    yield from cluster.claims
    yield from cluster.first
    yield from cluster.epochs
    for edges in (cluster.sighted, cluster.linked, cluster.forced, cluster.rules, cluster.weak):
        for edge in edges:
            yield from edge
    for edge, _ in cluster.busy:
        yield from edge
    for _, edge in cluster.told:
        yield from edge


def matched(keys: Keys, cluster: Cluster, part: Part) -> Part:
    """A part in the forms that its new cluster has: what either side names is named on both."""
    if not (cluster.marks or part.marks or cluster.cuts or part.cuts):
        return part
    theirs = {x for pairs in (part.claims, part.seen, part.epochs) for x, _ in pairs} | {*part.members}
    for x in theirs:
        if x[0] != SEALED:
            rename(cluster, keys.sealed(x), x)
    asleep = {x[1] for x in theirs if x[0] == SEALED}
    ours = {
        sealed(keys.node(x)): x
        for x in (*cluster.members, *cluster.claims, *cluster.epochs)
        if asleep and x[0] != SEALED and keys.node(x).hex() in asleep
    }
    return msgspec.structs.replace(
        part, members=[ours.get(x, x) for x in part.members],
        claims=[(ours.get(x, x), n) for x, n in part.claims],
        epochs=[(ours.get(x, x), n) for x, n in part.epochs],
    )
