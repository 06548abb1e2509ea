"""Erasure: a person is forgotten everywhere, and the rows are those of the batch over what is left.

- `Erase` finds the person at its root. Its touchpoints are deleted; each of its identifiers gets a *mark*: what was
  received up to then does not name it any more, wherever it is kept. A mark goes to everything the identifier was ever
  seen or ruled with, and travels with the cluster, so events under way lose the identifier when they arrive.
- An identifier is taken out of an *event*, not of a copy: who takes one out tells the own nodes of all that the event
  names, they and their roots note the event's hash (`Cut`), and a late copy loses the same. An event that names
  nobody any more, or is deleted, is counted by its positions (`erased_records`); so is every late copy of it.
- What an own node knew from such events is dropped, and who may know it from others is asked to tell again (`Retell`,
  or the mark itself). So numbers of partners may fall, and what was shared may be so no longer.
- An identifier that nothing names is sealed (`streams.core.sealing`): only its node key is left.
"""

from streams.core.cluster import Cluster, Kept
from streams.core.erasing import (
    FOR_EVER_MS,
    Ask,
    Drop,
    Erase,
    Mark,
    Retell,
    Sleep,
    Suppress,
    Wake,
    Wipe,
)
from streams.core.event import Cause
from streams.core.keys import sealed
from streams.core.node import Node
from streams.core.partition import Partition
from streams.core.placing import conduct, review, tell
from streams.core.rows import view
from streams.core.sealing import named_in, names, untell
from streams.core.stripping import Told, drop_rules, hashes, received, strip


def erase(p: Partition, node: Node, m: Erase) -> None:
    """Delete the person's touchpoints, and mark its identifiers."""
    cluster = p.root(node)
    x = next((i for i in cluster.members if p.keys.node(i) == m.x), None)
    if x is None:  # its cluster is under way: the identifier alone, as nobody can say whose it is
        p.send(Mark(sealed(m.x), p.clock, m.until_ms, m.cause), sealed(m.x))
        return
    group = cluster.resolution.group_of.get(x)
    person = [x] if group is None else sorted(cluster.resolution.groups[group])
    for i in person:
        _mark(cluster, p.keys.node(i), m.until_ms)
    if group is not None:
        touches = view(cluster, p.shaping).people[group].touches
        _delete(p, cluster, [same for _, same, _ in touches], m)
    strip(p, node, cluster, m.cause)
    _settle(p, node, cluster, m.cause)
    for i in person:
        p.send(Mark(p.keys.sealed(i), p.clock, m.until_ms, m.cause), i)
    if m.until_ms == FOR_EVER_MS:
        _suppress(p, tuple(sorted(p.keys.node(i) for i in person)))


def _delete(p: Partition, cluster: Cluster, touches: list[list[Kept]], m: Erase) -> None:
    """Note of touchpoints received by then that they are deleted, and tell all that they name."""
    told = Told(p)
    for same in touches:
        if received(same) <= m.until_ms:
            event = same[0].event
            named = list(dict.fromkeys(i[:2] for kept in same for i in kept.event.ids))
            crowds = [i for i in named if not cluster.is_clear(i)]  # of a pair of two of them one has to ask
            told.add(event.event_id, named, silent=crowds[:1])
            cluster.cuts[p.keys.event(event.event_id)] = None
    told.send(m.cause)


def _mark(cluster: Cluster, x: bytes, until_ms: int) -> bool:
    """Whether it was news."""
    if until_ms <= cluster.marks.get(x, -1):
        return False
    cluster.marks[x] = until_ms
    return True


def _settle(p: Partition, node: Node, cluster: Cluster, cause: Cause) -> None:
    drop_rules(p, cluster, cause)
    cluster.forget_resolution()
    review(p, node, cluster, cause)
    p.emit(node, cluster, cause, "erasure")


def wipe(p: Partition, node: Node, m: Wipe) -> None:
    """Also where the mark is known already: the own nodes dropped what this keeper told them."""
    cluster = node.cluster
    assert cluster is not None, "a root has a cluster"
    x = next((i for i in names(cluster) if p.keys.node(i) == m.x), None)
    if x is None:
        _mark(cluster, m.x, m.until_ms)
        p.nodes.touch(node)
        return
    p.root(node)
    untell(cluster, lambda end: p.keys.node(end) == m.x)
    if _mark(cluster, m.x, m.until_ms):
        strip(p, node, cluster, m.cause)
    _settle(p, node, cluster, m.cause)
    _tell_named(p, cluster, m.x, m.cause)


def _tell_named(p: Partition, cluster: Cluster, x: bytes, cause: Cause, is_answer: bool = False) -> bool:
    """An own node that sealed itself learns what it is, where something names it still."""
    live = next((i for i in named_in(cluster) if p.keys.node(i) == x), None)
    if live is not None:
        p.send(Wake(live, p.clock, cluster.marks.get(x, -1), cause, is_answer), live)
    return live is not None


def answer(p: Partition, node: Node, m: Ask) -> None:
    assert node.cluster is not None, "a root has a cluster"
    if not _tell_named(p, node.cluster, m.x, m.cause, is_answer=True):
        p.send(Sleep(sealed(m.x), p.clock, m.cause, is_answer=True), sealed(m.x))


def drop(p: Partition, node: Node, m: Drop) -> None:
    cluster = p.root(node)
    news = [what for cut in m.cuts for what in hashes(p, cut) if what not in cluster.cuts]
    if news:
        cluster.cuts.update(dict.fromkeys(news))
        p.nodes.touch(node)
        if strip(p, node, cluster, m.cause, [cut.event_id for cut in m.cuts]):
            _settle(p, node, cluster, m.cause)
        else:  # what was kept here once may have left names behind
            p.emit(node, cluster, m.cause, "erasure")
    _tell_named(p, cluster, m.x, m.cause)


def retell(p: Partition, node: Node, m: Retell) -> None:
    cluster = node.cluster
    assert cluster is not None, "a root has a cluster"
    x = next((i for i in cluster.first if p.keys.node(i) == m.x), None)
    if x is None:
        return
    untell(cluster, lambda end: end == x)
    p.nodes.touch(node)
    for kept in cluster.kept():
        if any(i[:2] == x for i in kept.event.ids):
            tell(p, node, cluster, kept)
    conduct(p, node, cluster, m.cause)


def _suppress(p: Partition, keys: tuple[bytes, ...]) -> None:
    for partition in range(p.keys.partitions):
        message = Suppress(p.clock, keys)
        if partition == p.number:
            p.local.append(message)
        else:
            p.effects.forwards[partition].append(message)
