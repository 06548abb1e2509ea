"""What an identifier knows of itself: partners, first time, whether it is shared; and under which policy."""

from streams.core.messages import Cause, Link, PolicyChange, Seen, Shared, Sighting, Status, Sweep
from streams.core.node import Node
from streams.core.partition import Partition
from streams.core.placing import review

SWEEP_NODES = 200
"""Nodes brought to a new policy in one step: some 20 ms, between which events flow."""


def sighting(p: Partition, node: Node, m: Sighting) -> None:
    unaware = []
    for other in m.partners:
        known = p.nodes.partner(m.to, other)
        partner = node.meet(other, known, m.at_ms, m.cause[0])
        if partner is not None:
            p.nodes.put_partner(m.to, other, partner)
            p.nodes.touch(node)
        if known is None or m.claim & 1:
            unaware.append(other)
    if node.first_ms is None or m.at_ms < node.first_ms:
        node.first_ms = m.at_ms
        p.nodes.touch(node)
        p.send(Seen(m.to, p.clock, m.to, m.at_ms, m.cause), m.to)
    know(p, node, m.cause)
    if node.shared and not node.is_shared:
        for other in unaware:  # whoever keeps their events may still hold this one for shared
            p.send(Status(other, p.clock, m.to, node.shared, m.cause), other)


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
    for other in p.nodes.take_refused(x):
        p.send(Link(x, p.clock, other, (min(x, other), max(x, other)), 0, cause), x)


def seen(p: Partition, node: Node, m: Seen) -> None:
    if node.parent is not None:
        p.send(Seen(node.parent, p.clock, m.x, m.at_ms, m.cause), node.parent)
        return
    cluster = p.root(node)
    moved = cluster.see(m.x, m.at_ms)
    p.nodes.touch(node)
    if moved:
        p.emit(node, cluster, m.cause)


def status(p: Partition, node: Node, m: Status) -> None:
    if node.parent is not None:
        p.send(Status(node.parent, p.clock, m.x, m.n, m.cause), node.parent)
        return
    cluster = p.root(node)
    if cluster.claim(m.x, m.n):
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
