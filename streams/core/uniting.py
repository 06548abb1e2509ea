"""Two clusters become one: pointers always lead from a larger to a smaller node key, so there is no cycle."""

from streams.core.cluster import Cluster
from streams.core.erasing import Ruled
from streams.core.messages import Absorb, Compress, Link, Part, Rule
from streams.core.node import Node
from streams.core.partition import Partition
from streams.core.placing import conduct, force, review
from streams.core.rows import view
from streams.core.sealing import matched, named_in
from streams.core.stripping import awake, drop_rules, strip

SMALL_EVENTS = 8
"""Events up to which a cluster is taken in touchpoint by touchpoint instead of making the rows of both anew."""


def link(p: Partition, node: Node, m: Link) -> None:
    if m.checked < 2:  # each end's own node has its say, once
        if node.is_shared:
            p.nodes.put_refused(m.to, m.other, _other_kind(m))
        else:
            p.send(Link(m.other, p.clock, m.to, m.edge, m.checked + 1, m.cause), m.other)
    elif node.parent is not None:
        p.send(Link(node.parent, p.clock, m.other, m.edge, 2, m.cause), node.parent)
    elif p.keys.node(m.to) == p.keys.node(m.other):
        return
    elif p.keys.node(m.to) < p.keys.node(m.other):
        p.send(Link(m.other, p.clock, m.to, m.edge, 2, m.cause), m.other)
    else:
        _leave(p, node, m)


def _other_kind(m: Link) -> str:
    """Of the end that is not asked now."""
    return m.edge[1][0] if m.edge[0] == m.to else m.edge[0][0]


def _leave(p: Partition, node: Node, m: Link) -> None:
    cluster = p.root(node)
    p.tell(node)
    assert node.sent is not None, "a root has rows"
    told = node.sent.told()
    node.parent, node.cluster, node.sent = p.keys.sealed(m.other), None, None
    p.nodes.touch(node)
    for kept in cluster.kept():
        p.nodes.delete_event(node, kept)
    part = cluster.part(with_events=True)
    p.send(Absorb(m.other, p.clock, part, node.policy_version, m.edge, m.cause, told), m.other)


def absorb(p: Partition, node: Node, m: Absorb) -> None:
    """Rows that come with a cluster are sent again, compared with nothing: a late copy does not know the sink."""
    cluster = p.root(node)
    theirs = m.told or view(Cluster(p.policies[m.policy_version], m.part), p.policies.shaping(m.policy_version)).told()
    is_told = m.policy_version == node.policy_version and not _is_claimed_anew(cluster, m.part)
    news = cluster.join(matched(p.keys, cluster, m.part))
    for kept in news:
        p.nodes.put_event(node, kept)
    p.nodes.touch(node)
    if cluster.marks or cluster.cuts or cluster.epochs:
        is_told = False
        drop_rules(p, cluster, m.cause)
        strip(p, node, cluster, m.cause)
        awake(p, node, cluster, sorted(named_in(cluster)), m.cause)
    reason = f"{m.edge[0][0]} with {m.edge[1][0]}"
    if not is_told:
        review(p, node, cluster, m.cause)
        p.emit(node, cluster, m.cause, reason, theirs)
        return
    conduct(p, node, cluster, m.cause)  # both keepers have told what they had to; evidence of both may conduct by now
    is_small = len(news) <= SMALL_EVENTS and not m.part.weak and not m.part.rules
    if not is_small or not p.emit_newcomers(node, cluster, set(m.part.members), news, m.cause, reason, theirs):
        p.emit(node, cluster, m.cause, reason, theirs)


def _is_claimed_anew(cluster: Cluster, part: Part) -> bool:
    """Whether one cluster knows claims that matter to what the other keeps."""
    if not cluster.claims and not part.claims:
        return False
    claims = dict(part.claims)
    concerned = {*part.members, *(i[:2] for event, _, _ in part.events for i in event.ids), *(x for x, _ in part.seen)}
    return any(n > claims.get(x, 0) and x in concerned for x, n in cluster.claims.items()) or any(
        n > cluster.claims.get(x, 0) and cluster.concerns(x) for x, n in part.claims
    )


def compress(p: Partition, node: Node, m: Compress) -> None:
    key = p.keys.node
    if node.parent is not None and key(m.root) < key(node.parent):
        node.parent = p.keys.sealed(m.root)
        p.nodes.touch(node)


def rule(p: Partition, node: Node, m: Rule) -> None:
    cluster = p.root(node)
    if any(m.cause[1] <= cluster.marks.get(p.keys.node(end), -1) for end in m.edge):
        return
    awake(p, node, cluster, m.edge, m.cause)
    for end, other in (m.edge, m.edge[::-1]):
        p.send(Ruled(end, p.clock, p.keys.node(other), m.cause), end)
    if cluster.rule(m.edge, (m.cause[1], m.cause[0], m.verb, m.reason)):
        p.nodes.touch(node)
        force(p, node, cluster, m.cause)
        p.emit(node, cluster, m.cause, m.verb)
