"""Erasure at an own node: what it knew from what was erased is dropped, and told again where it still holds.

The rules are told in `streams.core.forgetting`.
"""


from streams.core.erasing import (
    Ask,
    Drop,
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
from streams.core.event import Cause, Identifier
from streams.core.keys import sealed
from streams.core.knowing import know
from streams.core.messages import Seen
from streams.core.node import Node, Partner
from streams.core.partition import Partition
from streams.core.stripping import hashes, wake
from streams.core.traces import Traces

ORDER = "order_id"


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
    is_news = _seal(p, node)
    if is_news or not m.is_answer:
        _ask(p, m)


def _ask(p: Partition, m: Sleep | Wake | Ruled) -> None:
    """What is news may be old, or come twice: the answer confirms it, or says otherwise."""
    p.send(Ask(m.to, p.clock, p.keys.node(m.to), m.cause), m.to)


def _seal(p: Partition, node: Node) -> bool:
    """Seal an erased identifier that was seen with no other since; its root answers if something names it alone."""
    if node.erased_ms is None or node.partners:
        return False
    known, node.identifier = node.identifier, p.keys.sealed(node.identifier)
    p.nodes.touch(node)
    return known != node.identifier


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
        if traces.drop_refused(node, m.x):  # a later event may link them as well, and was told of already
            p.send(Remind(sealed(m.x), p.clock, m.cause), sealed(m.x))
    p.send(Wipe(m.to, p.clock, m.x, m.until_ms, m.cause), m.to)


def retract(p: Partition, node: Node, m: Retract) -> None:
    key, traces = p.keys.node(m.to), Traces(p.nodes, p.keys)
    lost: dict[bytes, Partner] = {}
    reminded: set[bytes] = set()
    asks = False
    for cut in m.cuts:
        event = p.keys.event(cut.event_id)
        news = [what for what in hashes(p, cut) if not traces.has_cut(node, what)]
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
        if not asks:  # what the others were told when they asked may have come here before this, and been no news
            reminded |= lost.keys()
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
    if woken(p, node, m.to, m.cause):
        _ask(p, m)  # the rule may be gone by now


def waken(p: Partition, node: Node, m: Wake) -> None:
    """A word from before the last erasure wakes nobody."""
    is_late = node.erased_ms is not None and m.until_ms < node.erased_ms
    is_news = not is_late and woken(p, node, m.to, m.cause)
    if is_news or not m.is_answer:
        _ask(p, m)


def woken(p: Partition, node: Node, identifier: Identifier, cause: Cause) -> bool:
    """Whether it was asleep."""
    is_news = wake(p, node, identifier)
    if is_news:
        know(p, node, cause)
    return is_news


def suppress(p: Partition, m: Suppress) -> None:
    traces = Traces(p.nodes, p.keys)
    for key in m.keys:
        traces.suppress(key, p.clock)
