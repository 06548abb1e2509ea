"""Events lose identifiers: by a mark (received before its erasure) or because they lost them before (`cuts`).

A mark counts for every copy of an event as soon as one copy was received before it. Whoever finds that tells the own
nodes of all that the event names, so that every copy, wherever it comes, loses the same.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import TypeVar

import msgspec

from streams.core.anchor import anchor_order
from streams.core.blanking import without
from streams.core.cluster import Cluster, Kept
from streams.core.erasing import Cut, Retract, Sleep, Wake
from streams.core.event import Cause, Event, Identifier
from streams.core.messages import Copy, Keep, Observe
from streams.core.node import Node
from streams.core.partition import Partition
from streams.core.sealing import waken
from streams.core.traces import Traces, taken_out

CUTS_MAX = 200
"""Of one message."""


class Told:
    """What own nodes are to be told of events that lost identifiers, a few messages for each node."""

    def __init__(self, p: Partition) -> None:
        self._p = p
        self._cuts: dict[Identifier, list[Cut]] = defaultdict(list)

    def add(
        self, event_id: str, named: Collection[Identifier], lost: Collection[Identifier] = (),
        silent: Collection[Identifier] = (),
    ) -> None:
        """An event lost some identifiers, or with none told is deleted; `silent` ones do not ask for what they lose."""
        node = self._p.keys.node
        keys, gone = tuple(sorted(map(node, named))), tuple(sorted(map(node, lost)))
        for i in named:
            self._cuts[i].append(Cut(event_id, keys, gone, i not in silent and (not lost or i in lost)))

    def send(self, cause: Cause) -> None:
        for i, cuts in self._cuts.items():
            for start in range(0, len(cuts), CUTS_MAX):
                self._p.send(Retract(i, self._p.clock, tuple(cuts[start : start + CUTS_MAX]), cause), i)


def erased(p: Partition, copies: Iterable[Copy]) -> None:
    """Records of the events topics that are no touchpoints any more."""
    for position, _ in copies:
        p.effects.facts["erased_records", *position] = (p.clock, position)


def received(same: Sequence[Kept]) -> int:
    """When the first copy of an event was received."""
    return min(at for kept in same for _, at in kept.copies)


def observed(p: Partition, node: Node, m: Observe) -> Observe | None:
    """An event at the own node of its anchor, without it where it was erased; None where nobody is left."""
    if node.erased_ms is None and not node.has_traces:
        return m
    keys, event, anchor = p.keys, m.event, m.to
    traces, key = Traces(p.nodes, keys), keys.event(event.event_id)
    is_cut = traces.is_cut(node, key, keys.node(anchor))
    if not is_cut and (node.erased_ms is None or min(at for _, at in m.copies) > node.erased_ms):
        return m
    named = [i[:2] for i in event.ids]
    left = without(event, {anchor})
    if not is_cut:
        told = Told(p)
        told.add(event.event_id, named, [anchor])
        told.send((event.event_id, event.received_ms))
    elif traces.has_cut(node, key):
        left = None
    if left is None:
        erased(p, m.copies)
        return None
    return _carrying(m, left)


T = TypeVar("T", Observe, Keep)


def _carrying(m: T, left: Event) -> T:
    """The same message about what is left of its event."""
    named = {i[:2] for i in left.ids}
    return msgspec.structs.replace(m, event=left, claims=tuple(c for c in m.claims if c[0] in named))


def wake(p: Partition, node: Node, identifier: Identifier) -> bool:
    """An own node's identifier is named again."""
    if node.identifier == identifier:
        return False
    node.identifier = identifier
    p.nodes.touch(node)
    return True


def kept_of(p: Partition, node: Node, cluster: Cluster, m: Keep) -> Keep | None:
    """An event on its way into a cluster, without what it lost; None where nobody is left."""
    if not (cluster.marks or cluster.cuts):
        return m
    event, same = m.event, cluster.events.get(m.event.event_id, [])
    first = min([at for _, at in m.copies] + [at for kept in same for _, at in kept.copies])
    left = _left(p, cluster, event, first)
    if left is not event:
        p.nodes.touch(node)
    if left is None:
        erased(p, m.copies)
        return None
    awake(p, node, cluster, [i[:2] for i in left.ids], (event.event_id, event.received_ms))
    return m if left is event else _carrying(m, left)


def _left(p: Partition, cluster: Cluster, event: Event, first_ms: int) -> Event | None:
    """An event of which the first copy was received then, without what it lost."""
    named = [i[:2] for i in event.ids]
    lost, by_mark = losses(p, cluster, event.event_id, named, first_ms)
    if lost is None:
        return None
    if by_mark:
        told = Told(p)
        told.add(event.event_id, named, by_mark)
        told.send((event.event_id, event.received_ms))
    return without(event, lost) if lost else event


def losses(
    p: Partition, cluster: Cluster, event_id: str, named: Iterable[Identifier], received_ms: int,
) -> tuple[set[Identifier] | None, set[Identifier]]:
    """(what an event loses, None: it is deleted; what of that by a mark and for the first time, noted from now on)."""
    event, marks, cuts = p.keys.event(event_id), cluster.marks, cluster.cuts
    if event in cuts:
        return None, set()
    lost, by_mark = set(), set()
    for i in named:
        key = p.keys.node(i)
        if (out := taken_out(event, key)) in cuts:
            lost.add(i)
        elif key in marks and received_ms <= marks[key]:
            lost.add(i)
            by_mark.add(i)
            cuts[out] = None
    return lost, by_mark


def strip(p: Partition, node: Node, cluster: Cluster, cause: Cause, events: Iterable[str] | None = None) -> bool:
    """Take from what is kept (of the events named, else of all) what it lost; whether anything changed.

    Cost: O(events).
    """
    gone: list[Kept] = []
    told, is_changed = Told(p), False
    for event_id in [event_id for _, event_id, _ in cluster.timeline] if events is None else events:
        same = cluster.events.get(event_id, [])
        named = sorted({i[:2] for kept in same for i in kept.event.ids})
        lost, by_mark = losses(p, cluster, event_id, named, received(same)) if same else (set(), set())
        if by_mark:
            told.add(event_id, named, by_mark)
        if lost is None:
            gone += same
        elif lost:
            is_changed = True
            gone += [kept for kept in same if not _without(p, node, cluster, kept, lost)]
    told.send(cause)
    for kept in gone:
        p.nodes.delete_event(node, kept)
        erased(p, kept.copies)
    is_changed |= _strip_weak(p, cluster)
    if gone:
        cluster.drop(gone)
    elif is_changed:
        cluster.refresh()
    if gone or is_changed:
        p.nodes.touch(node)
    return bool(gone) or is_changed


def _without(p: Partition, node: Node, cluster: Cluster, kept: Kept, lost: set[Identifier]) -> bool:
    left = without(kept.event, lost)
    if left is None:
        return False
    kept.event, kept.order = left, anchor_order(cluster.policy, left.ids)
    p.nodes.put_event(node, kept)
    return True


def _strip_weak(p: Partition, cluster: Cluster) -> bool:
    is_changed = False
    for edge, found in list(cluster.weak.items()):
        for digest, (_, _, event_id) in list(found.items()):
            if is_out(p, cluster, event_id, edge):
                del found[digest]
                is_changed = True
        if not found:
            del cluster.weak[edge]
    return is_changed


def drop_rules(p: Partition, cluster: Cluster, cause: Cause) -> None:
    """Forget rules of before the erasure of one of their ends; the other may be named by nothing now."""
    marks, keys = cluster.marks, p.keys
    for edge, ruling in list(cluster.rules.items()) if marks else ():
        if any(ruling[0] <= marks.get(keys.node(end), -1) for end in edge):
            del cluster.rules[edge]
            cluster.forget_resolution()
            for end in edge:
                p.send(Sleep(keys.sealed(end), p.clock, cause), end)


def is_out(p: Partition, cluster: Cluster, event_id: str, ids: Iterable[Identifier]) -> bool:
    """Whether an event is deleted here, or lost one of these identifiers."""
    if not cluster.cuts:
        return False
    event = p.keys.event(event_id)
    return event in cluster.cuts or any(taken_out(event, p.keys.node(i)) in cluster.cuts for i in ids)


def hashes(p: Partition, cut: Cut) -> list[bytes]:
    """What is noted of a cut."""
    event = p.keys.event(cut.event_id)
    return [taken_out(event, x) for x in cut.lost] if cut.lost else [event]


def awake(p: Partition, node: Node, cluster: Cluster, named: Iterable[Identifier], cause: Cause) -> None:
    """Identifiers that a cluster names again, here and at their own nodes."""
    for x in waken(p.keys, cluster, named):
        p.nodes.touch(node)
        p.send(Wake(x, p.clock, cluster.marks[p.keys.node(x)], cause), x)
