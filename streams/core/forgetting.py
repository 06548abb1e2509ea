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

import msgspec

from streams.core.cluster import Cluster, Kept
from streams.core.erasing import (
    FOR_EVER_MS,
    Ask,
    Cause,
    Cut,
    Drop,
    Erase,
    Forget,
    Mark,
    Remind,
    Retell,
    Retract,
    Ruled,
    Sleep,
    Suppress,
    Wake,
    Wipe,
)
from streams.core.event import Identifier
from streams.core.keys import sealed
from streams.core.knowing import know
from streams.core.messages import Seen
from streams.core.node import Node, Partner
from streams.core.partition import Partition
from streams.core.placing import conduct, review, tell
from streams.core.rows import view
from streams.core.sealing import named_in, names, untell
from streams.core.stripping import Told, drop_rules, received, strip, wake
from streams.core.traces import Traces, taken_out

ORDER = "order_id"

# -- at roots


def erase(p: Partition, node: Node, m: Erase) -> None:
    """Delete the person's touchpoints, and mark its identifiers."""
    if node.parent is not None:
        p.send(msgspec.structs.replace(m, to=node.parent, clock=p.clock), node.parent)
        return
    cluster = p.root(node)
    x = next((i for i in cluster.members if p.keys.node(i) == m.x), None)
    if x is None:  # its cluster is under way: the identifier alone, as nobody can say whose it is
        p.send(Mark(sealed(m.x), p.clock, m.until_ms, m.cause), sealed(m.x))
        return
    group = cluster.resolution.group_of.get(x)
    person = [x] if group is None else cluster.resolution.groups[group]
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
    if node.parent is not None:
        p.send(msgspec.structs.replace(m, to=node.parent, clock=p.clock), node.parent)
        return
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
    if node.parent is not None:
        p.send(msgspec.structs.replace(m, to=node.parent, clock=p.clock), node.parent)
        return
    assert node.cluster is not None, "a root has a cluster"
    if not _tell_named(p, node.cluster, m.x, m.cause, is_answer=True):
        p.send(Sleep(sealed(m.x), p.clock, m.cause, is_answer=True), sealed(m.x))


def drop(p: Partition, node: Node, m: Drop) -> None:
    if node.parent is not None:
        p.send(msgspec.structs.replace(m, to=node.parent, clock=p.clock), node.parent)
        return
    cluster = p.root(node)
    news = [what for cut in m.cuts for what in _hashes(p, cut) if what not in cluster.cuts]
    if news:
        cluster.cuts.update(dict.fromkeys(news))
        p.nodes.touch(node)
        if strip(p, node, cluster, m.cause, [cut.event_id for cut in m.cuts]):
            _settle(p, node, cluster, m.cause)
    _tell_named(p, cluster, m.x, m.cause)


def _hashes(p: Partition, cut: Cut) -> list[bytes]:
    event = p.keys.event(cut.event_id)
    return [taken_out(event, x) for x in cut.lost] if cut.lost else [event]


def retell(p: Partition, node: Node, m: Retell) -> None:
    if node.parent is not None:
        p.send(msgspec.structs.replace(m, to=node.parent, clock=p.clock), node.parent)
        return
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


# -- at own nodes


def mark(p: Partition, node: Node, m: Mark) -> None:
    key, traces = p.keys.node(m.to), Traces(p.nodes, p.keys)
    p.effects.facts["erased_identifiers", m.cause[0], key] = (p.clock, (m.cause[0], key, m.cause[1]))
    for other in sorted(traces.related(node)):
        p.send(Forget(sealed(other), p.clock, key, m.until_ms, m.cause), sealed(other))
    if node.erased_ms is None or m.until_ms > node.erased_ms:
        node.erased_ms = m.until_ms
        p.nodes.touch(node)
        forget_before(p, node, traces.partners(node), m.until_ms, m.cause)
        p.nodes.take_refused(m.to)
        _seal(p, node)
    p.send(Wipe(m.to, p.clock, key, m.until_ms, m.cause), m.to)


def sleep(p: Partition, node: Node, m: Sleep) -> None:
    _seal(p, node)
    if not m.is_answer:
        p.send(Ask(m.to, p.clock, p.keys.node(m.to), m.cause), m.to)


def _seal(p: Partition, node: Node) -> None:
    """Seal an erased identifier that was seen with no other since; its root answers if something names it alone."""
    if node.erased_ms is not None and not node.partners:
        node.identifier = p.keys.sealed(node.identifier)
        p.nodes.touch(node)


def forget_before(p: Partition, node: Node, partners: dict[bytes, Partner], until_ms: int, cause: Cause) -> None:
    """Forget what events received up to then told of partners; their keepers tell again what later ones did."""
    lost = {}
    for key, partner in partners.items():
        left = partner.since(until_ms)
        if left is None:
            lost[key] = partner
        elif left != partner:
            node.lose(partner, left)
            p.nodes.put_partner(node.identifier, partner.identifier, left)
            p.nodes.touch(node)
    lose(p, node, lost, cause)
    if not lost:
        know(p, node, cause)


def forget(p: Partition, node: Node, m: Forget) -> None:
    traces = Traces(p.nodes, p.keys)
    if m.until_ms > traces.marked(node, m.x):
        traces.mark(node, m.x, m.until_ms)
        partner = traces.partner(node, m.x)
        if partner is not None:
            forget_before(p, node, {m.x: partner}, m.until_ms, m.cause)
        traces.drop_refused(node, m.x)
    p.send(Wipe(m.to, p.clock, m.x, m.until_ms, m.cause), m.to)


def retract(p: Partition, node: Node, m: Retract) -> None:
    key, traces = p.keys.node(m.to), Traces(p.nodes, p.keys)
    lost: dict[bytes, Partner] = {}
    reminded: set[bytes] = set()
    asks = False
    for cut in m.cuts:
        event = p.keys.event(cut.event_id)
        news = [what for what in _hashes(p, cut) if not traces.has_cut(node, what)]
        for what in news:
            traces.cut(node, what)
        is_mine = not cut.lost or key in cut.lost
        for other in (cut.named if is_mine else cut.lost) if news else ():
            partner = traces.partner(node, other)
            # Days on which an order was seen are of several events: all of them are told anew.
            is_order = partner is not None and ORDER in (node.identifier[0], partner.identifier[0])
            if partner and (is_order or p.keys.event(partner.event_id) == event):
                lost[other] = partner
                asks = asks or cut.asks
                reminded |= set() if is_mine else {other}
    if lost:
        keepers = {*traces.partners(node), key} if asks else ()
        lose(p, node, lost, m.cause)
        for other in sorted(keepers):
            p.send(Retell(sealed(other), p.clock, key, m.cause), sealed(other))
        for other in sorted(reminded):
            p.send(Remind(sealed(other), p.clock, m.cause), sealed(other))
    _seal(p, node)
    p.send(Drop(m.to, p.clock, key, m.cuts, m.cause), m.to)


def remind(p: Partition, node: Node, m: Remind) -> None:
    key = p.keys.node(m.to)
    for other in sorted({*Traces(p.nodes, p.keys).partners(node), key}):
        p.send(Retell(sealed(other), p.clock, key, m.cause), sealed(other))


def lose(p: Partition, node: Node, partners: dict[bytes, Partner], cause: Cause) -> None:
    """Partners that no event shows any more, or none that is known here."""
    if not partners:
        return
    traces, x = Traces(p.nodes, p.keys), node.identifier
    for key, partner in partners.items():
        node.lose(partner)
        traces.drop_partner(node, key)
    node.epoch += 1
    node.first_ms = min((one.at_ms for one in traces.partners(node).values()), default=None)
    p.nodes.touch(node)
    p.send(Seen(x, p.clock, x, node.first_ms, cause, node.epoch), x)
    know(p, node, cause)


def ruled(p: Partition, node: Node, m: Ruled) -> None:
    """So that erasing one end finds a rule at the root of the other."""
    if node.erased_ms is not None and m.cause[1] <= node.erased_ms:
        key = p.keys.node(m.to)
        p.send(Forget(sealed(m.other), p.clock, key, node.erased_ms, m.cause), sealed(m.other))
        return
    Traces(p.nodes, p.keys).relate(node, m.other)
    woken(p, node, m.to, m.cause)


def waken(p: Partition, node: Node, m: Wake) -> None:
    """A word from before the last erasure wakes nobody."""
    if node.erased_ms is None or m.until_ms >= node.erased_ms:
        woken(p, node, m.to, m.cause)
    if not m.is_answer:
        p.send(Ask(m.to, p.clock, p.keys.node(m.to), m.cause), m.to)


def woken(p: Partition, node: Node, identifier: Identifier, cause: Cause) -> None:
    if wake(p, node, identifier):
        know(p, node, cause)


def _suppress(p: Partition, keys: tuple[bytes, ...]) -> None:
    for partition in range(p.keys.partitions):
        message = Suppress(p.clock, keys)
        if partition == p.number:
            p.local.append(message)
        else:
            p.effects.forwards[partition].append(message)


def suppress(p: Partition, m: Suppress) -> None:
    traces = Traces(p.nodes, p.keys)
    for key in m.keys:
        traces.suppress(key, p.clock)

