"""Events: to the node of their anchor, to the root that keeps them, and what a keeper tells of them."""

from collections import defaultdict
from itertools import combinations

from streams.core.anchor import anchor_order, conducts_at_once
from streams.core.cluster import Cluster, Kept, cause_of
from streams.core.event import Cause, Identifier
from streams.core.messages import Compress, Edge, Evidence, Keep, Link, Observe, Sighting, address
from streams.core.node import DAY_MS, Node
from streams.core.partition import Partition
from streams.core.stripping import awake, is_out, kept_of, observed, strip


def observe(p: Partition, node: Node, m: Observe) -> None:
    """At the anchor's own node, which knows whether it is shared, or erased."""
    left = observed(p, node, m)
    if left is None:
        return
    is_whole, m = left is m, left
    claims = dict(m.claims)
    if is_whole and node.shared > claims.get(m.to, 0):
        claims[m.to] = node.shared
    order = anchor_order(p.policy, m.event.ids)
    want = address(order, claims)
    told = tuple(claims.items())
    if want != m.to:
        p.send(Observe(want, p.clock, m.event, m.copies, told, m.is_moved), want)
    else:
        _keep(p, node, Keep(m.to, p.clock, m.event, m.copies, told, want, (), m.is_moved), order)


def keep(p: Partition, node: Node, m: Keep) -> None:
    _keep(p, node, m, anchor_order(p.policy, m.event.ids))


def _keep(p: Partition, node: Node, m: Keep, order: tuple[Identifier, ...]) -> None:
    if node.parent is not None:
        path = (*m.path, m.to)
        p.send(Keep(node.parent, p.clock, m.event, m.copies, m.claims, m.anchor, path, m.is_moved), node.parent)
        return
    for x in m.path[:-1]:
        p.send(Compress(x, p.clock, m.to), x)
    cluster, cause = p.root(node), cause_of(m.event)
    left = kept_of(p, node, cluster, m)
    # What this copy lost, the copies that are here already lose too.
    is_stripped = left is not m and strip(p, node, cluster, cause, [m.event.event_id])
    if left is None:
        if is_stripped:
            review(p, node, cluster, cause)
            p.emit(node, cluster, cause)
        return
    if left is not m:
        m, order = left, anchor_order(p.policy, left.event.ids)
    told = [x for x, n in m.claims if cluster.claim(x, n)]
    news = [x for x in told if cluster.concerns(x)]
    if told:
        p.nodes.touch(node)
    kept = cluster.keep(m.event, order, m.anchor, m.copies)
    if kept is None and not news and not is_stripped:
        return
    if kept is not None:
        if len(kept.copies) > len(m.copies) or len(cluster.events[m.event.event_id]) > 1:
            p.effects.duplicates += 1
        elif not m.is_moved:
            p.effects.arrived.append((m.event.at_ms, m.copies[0][1]))
        p.nodes.put_event(node, kept)
    if news or is_stripped:
        review(p, node, cluster, cause)
    elif kept is not None:
        if not _place(p, node, cluster, kept):
            _let_go(p, node, cluster, [kept])
        elif p.tell_later(node, cluster, kept) or p.tell_now(node, cluster, kept, cause):
            return
    p.emit(node, cluster, cause)


def review(p: Partition, node: Node, cluster: Cluster, cause: Cause) -> None:
    """Look again at everything kept here: a claim, a member or the policy is new."""
    p.nodes.touch(node)
    gone = [kept for kept in cluster.kept() if not _place(p, node, cluster, kept)]
    if gone:
        _let_go(p, node, cluster, gone)
    conduct(p, node, cluster, cause)


def conduct(p: Partition, node: Node, cluster: Cluster, cause: Cause) -> None:
    """Unite what gathered evidence or a rule unites by now."""
    for edge in cluster.weak:
        link(p, node, cluster, edge, cause)
    force(p, node, cluster, cause)


def _let_go(p: Partition, node: Node, cluster: Cluster, gone: list[Kept]) -> None:
    cluster.drop(gone)
    for kept in gone:
        p.nodes.delete_event(node, kept)


def _place(p: Partition, node: Node, cluster: Cluster, kept: Kept) -> bool:
    """Whether an event stays; if so, tell of it what its keeper has not told yet."""
    want = address(kept.order, cluster.claims)
    if want != kept.anchor and want not in cluster.members:
        claims = tuple((i, n) for i in kept.order if (n := cluster.claims.get(i, 0)))
        p.send(Observe(want, p.clock, kept.event, kept.copies, claims, True), want)
        return False
    if want != kept.anchor:
        kept.anchor = want
        p.nodes.put_event(node, kept)
    if len(kept.event.ids) > 1:
        tell(p, node, cluster, kept)
    return True


def tell(p: Partition, node: Node, cluster: Cluster, kept: Kept) -> None:
    """Each identifier of what it was seen with, once; each edge to where it is counted, or linked."""
    event = kept.event
    at, cause = event.at_ms, cause_of(event)
    partners: dict[Identifier, list[Identifier]] = defaultdict(list)
    first = address(kept.order, cluster.claims)
    for a, b in combinations(event.ids, 2):
        x, y = edge = a[:2], b[:2]
        if _is_news(cluster, edge, at, event.event_id):
            partners[x].append(y)
            partners[y].append(x)
        if conducts_at_once(p.policy, a, b):
            if first in edge:  # what conducts at once conducts at once with the first: a star links them all
                link(p, node, cluster, edge, cause)
        elif (event.digest, edge) not in cluster.told:
            cluster.told[event.digest, edge] = None
            p.nodes.touch(node)
            p.send(Evidence(x, p.clock, edge, event.digest, at, a[2] * b[2], cause), x)
    for x, seen_with in partners.items():
        p.nodes.touch(node)
        p.send(Sighting(x, p.clock, tuple(seen_with), at, cluster.claims.get(x, 0), cause), x)


def _is_news(cluster: Cluster, edge: Edge, at: int, event_id: str) -> bool:
    """Whether a pair is new here, or seen earlier than known, or an order on another day."""
    known = cluster.sighted.get(edge)
    is_first = known is None or (at, event_id) < known
    if is_first:
        cluster.sighted[edge] = (at, event_id)
    if "order_id" not in (edge[0][0], edge[1][0]) or (edge, at // DAY_MS) in cluster.busy:
        return is_first
    cluster.busy[edge, at // DAY_MS] = None
    return True


def evidence(p: Partition, node: Node, m: Evidence) -> None:
    cluster = p.root(node)
    if is_out(p, cluster, m.cause[0], m.edge):
        return
    awake(p, node, cluster, m.edge, m.cause)
    if cluster.weigh(m.edge, m.digest, m.at_ms, m.confidence, m.cause[0]):
        p.nodes.touch(node)
        link(p, node, cluster, m.edge, m.cause)
        p.emit(node, cluster, m.cause)


def link(p: Partition, node: Node, cluster: Cluster, edge: Edge, cause: Cause) -> None:
    """Start to unite two clusters, once, when an edge between them first conducts."""
    if edge not in cluster.linked and cluster.passes(edge):
        cluster.linked[edge] = None
        p.nodes.touch(node)
        p.send(Link(edge[0], p.clock, edge[1], edge, 0, cause), edge[0])


def force(p: Partition, node: Node, cluster: Cluster, cause: Cause) -> None:
    """Bring together, once, what rules link; limits do not stop it, sharedness does."""
    for edge, (_, _, verb, _) in cluster.rules.items():
        if verb == "link" and edge not in cluster.forced:
            cluster.forced[edge] = None
            p.nodes.touch(node)
            p.send(Link(edge[0], p.clock, edge[1], edge, 0, cause), edge[0])
