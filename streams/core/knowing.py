"""What an identifier knows of itself: partners, first time, whether it is shared; and under which policy."""

from collections.abc import Sequence

from streams.core.erasing import Forget
from streams.core.event import Cause, Identifier
from streams.core.messages import Link, PolicyChange, Seen, Shared, Sighting, Status, Sweep
from streams.core.node import Node
from streams.core.partition import Partition
from streams.core.placing import review
from streams.core.sealing import form
from streams.core.stripping import awake, wake
from streams.core.traces import Traces, taken_out

SWEEP_NODES = 200
"""Nodes brought to a new policy in one step: some 20 ms, between which events flow."""


def sighting(p: Partition, node: Node, m: Sighting) -> None:
    unaware = []
    partners = _unforgotten(p, node, m)
    if not partners:
        return
    for other in partners:
        known = p.nodes.partner(m.to, other)
        partner = node.meet(other, known, m.at_ms, *m.cause)
        if partner is not None:
            p.nodes.put_partner(m.to, other, partner)
            p.nodes.touch(node)
        if known is None or m.claim & 1:
            unaware.append(other)
    if node.first_ms is None or m.at_ms < node.first_ms:
        node.first_ms = m.at_ms
        p.nodes.touch(node)
        p.send(Seen(m.to, p.clock, m.to, m.at_ms, m.cause, node.epoch), m.to)
    know(p, node, m.cause)
    if node.is_shared:
        p.effects.met.append(sum(node.partners.values()))
    elif node.shared:
        for other in unaware:  # whoever keeps their events may still hold this one for shared
            p.send(Status(other, p.clock, m.to, node.shared, m.cause), other)


def _unforgotten(p: Partition, node: Node, m: Sighting) -> Sequence[Identifier]:
    """The partners told of that are news, from what was erased on either side apart."""
    if node.erased_ms is None and not node.has_traces:
        return m.partners
    event_id, received_ms = m.cause
    keys, traces, until_ms = p.keys, Traces(p.nodes, p.keys), node.erased_ms
    me, event = keys.node(m.to), keys.event(event_id)
    if traces.is_cut(node, event, me):
        return ()
    is_late = until_ms is not None and received_ms <= until_ms
    left = m.partners if is_late else [
        other for other in m.partners
        if received_ms > traces.marked(node, keys.node(other))
        and not traces.has_cut(node, taken_out(event, keys.node(other)))
    ]
    if until_ms is not None:
        for other in left:
            if is_late or traces.partner(node, keys.node(other)) is None:
                # This event, or one of before that may follow: its keeper must know.
                p.send(Forget(other, p.clock, me, until_ms, m.cause), other)
    if is_late or not left:
        return ()
    wake(p, node, m.to)
    return left


def know(p: Partition, node: Node, cause: Cause) -> None:
    """Step 1, from the numbers of partners; tell whoever has to know when the answer changed."""
    if node.should_be_shared(p.policy) == node.is_shared:
        return
    x = node.identifier
    node.shared += 1
    p.nodes.touch(node)
    p.effects.shared.append((x, node.shared))
    p.send(Status(x, p.clock, x, node.shared, cause), x)
    if node.is_shared:
        return
    for other in p.nodes.partners(x):
        p.send(Status(other, p.clock, x, node.shared, cause), other)
    for other, kind in p.nodes.take_refused(x):
        p.send(Link(x, p.clock, other, (x, (kind, "")) if x[0] <= kind else ((kind, ""), x), 0, cause), x)


def seen(p: Partition, node: Node, m: Seen) -> None:
    cluster = p.root(node)
    x = form(p.keys, cluster, m.x)
    if m.at_ms is not None and m.epoch >= cluster.epochs.get(x, 0):
        awake(p, node, cluster, [m.x], m.cause)
        x = m.x
    moved = cluster.see(x, m.at_ms, m.epoch)
    p.nodes.touch(node)
    if moved:
        p.emit(node, cluster, m.cause)


def status(p: Partition, node: Node, m: Status) -> None:
    cluster = p.root(node)
    if cluster.claim(form(p.keys, cluster, m.x), m.n):
        review(p, node, cluster, m.cause)
        p.emit(node, cluster, m.cause)


def shared(p: Partition, m: Shared) -> None:
    """Store a claim where ingest of this partition finds it."""
    p.nodes.put_shared(m.node, m.n, p.clock)


def change_policy(p: Partition, m: PolicyChange) -> None:
    """Know a policy; nodes come to it when they are next asked, all others by a sweep through the records."""
    if p.policies.add(m.version, m.text, m.changes(), m.received_ms):
        p.effects.forwards[p.number].append(Sweep(p.clock, m.version, b"", 0))


def sweep(p: Partition, m: Sweep) -> None:
    """Bring one page of nodes to the policy, and go on with the next; over when a later policy has its own sweep."""
    if m.version < p.policies.version:
        return
    page = p.nodes.page(m.after, SWEEP_NODES)
    for identifier in page.identifiers:
        adopt(p, p.nodes.get(identifier))
    done = m.done + len(page.identifiers)
    p.effects.swept = (m.version, done, page.after is None)
    if page.after is not None:
        p.effects.forwards[p.number].append(Sweep(p.clock, m.version, page.after, done))


def adopt(p: Partition, node: Node) -> None:
    """Bring a node to the present policy: what it knows, and if it is a root, where its events and rows belong."""
    version = p.policies.version
    if node.policy_version == version:
        return
    cause = (f"policy {version}", p.policies.received_ms)
    cluster = p.root(node) if node.cluster else None
    node.policy_version = version
    p.nodes.touch(node)
    if cluster:
        cluster.adopt(p.policy)
    know(p, node, cause)
    if cluster:
        review(p, node, cluster, cause)
        p.emit(node, cluster, cause, "policy")
