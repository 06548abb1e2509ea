"""One partition of the identity graph: what its nodes do with messages, and what has to leave as a result.

Rules kept here (each was found necessary by simulation, see docs/decisions):
- A pointer always leads from a larger to a smaller node key, so there is no cycle.
- The difference of rows is taken after every message; of each key only the last of a batch leaves.
- Rows that come with Absorb are sent again, compared with nothing: a late copy does not know what the sink has.
- The version of a row is a Lamport clock, one a partition, carried by every message.
- Messages to nodes of the same partition are worked at once, as if they were next in its log.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from itertools import combinations
from typing import Any

from streams.core.anchor import anchor_order, conducts_at_once
from streams.core.cluster import Cluster, Kept, cause_of
from streams.core.effects import Effects, Merge
from streams.core.event import Event, Identifier
from streams.core.increment import add
from streams.core.messages import (
    Absorb,
    Cause,
    Chunk,
    Compress,
    Edge,
    Evidence,
    Keep,
    Link,
    Message,
    Observe,
    Rule,
    Seen,
    Sighting,
    Status,
    address,
    whole,
)
from streams.core.node import DAY_MS, Node
from streams.core.nodes import Nodes, Reader
from streams.core.policy import Policy
from streams.core.rows import Rows, Shaping, View, view


class Partition:
    """The nodes of one partition and their clock.

    `work` takes messages in the order of the log, `take` returns everything that must be committed with them. Node
    objects are kept in memory between batches; they hold uncommitted changes, so after a failed commit the partition
    must be thrown away.
    """

    def __init__(
        self, number: int, policy: Policy, shaping: Shaping, reader: Reader, touches_max: int = 50_000,
    ) -> None:
        self.number, self.policy, self.shaping = number, policy, shaping
        self.nodes = Nodes(policy, shaping.keys, reader, touches_max)
        self.clock = self.nodes.clock()
        self._local: deque[Message] = deque()
        self._effects = Effects()

    def work(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self._handle(message)
            while self._local:
                self._handle(self._local.popleft())

    def take(self) -> Effects:
        """What has to leave because of all work since the last call."""
        effects, self._effects = self._effects, Effects()
        effects.puts, effects.deletes = self.nodes.flush(self.clock)
        return effects

    def _handle(self, message: Message) -> None:
        self.clock = max(self.clock, message.clock) + 1
        node = self.nodes.get(message.to)
        _HANDLERS[type(message)](self, node, message)

    def _chunk(self, _node: Node, m: Chunk) -> None:
        """Chunks of one message come in one log in order, but a batch may end between them."""
        chunks = self.nodes.gather(m)
        if chunks:
            self._local.appendleft(whole(chunks))

    def _send(self, message: Message) -> None:
        partition = self.shaping.keys.owner(message.to)
        if partition == self.number:
            self._local.append(message)
        else:
            self._effects.forwards[partition].append(message)

    # -- events
    def _observe(self, node: Node, m: Observe) -> None:
        """At the anchor's own node, which knows whether it is shared."""
        claims = dict(m.claims)
        if node.shared > claims.get(m.to, 0):
            claims[m.to] = node.shared
        want = address(anchor_order(self.policy, m.event.ids), claims)
        told = tuple(claims.items())
        if want != m.to:
            self._send(Observe(want, self.clock, m.event, m.copies, told))
        else:
            self._keep(node, Keep(m.to, self.clock, m.event, m.copies, told, want, ()))

    def _keep(self, node: Node, m: Keep) -> None:
        if node.parent is not None:
            self._send(Keep(
                node.parent, self.clock, m.event, m.copies, m.claims, m.anchor, (*m.path, m.to),
            ))
            return
        for x in m.path[:-1]:
            self._send(Compress(x, self.clock, m.to))
        cluster, cause = self._root(node), cause_of(m.event)
        news = [x for x, n in m.claims if cluster.claim(x, n)]
        kept = cluster.keep(m.event, anchor_order(self.policy, m.event.ids), m.anchor, m.copies)
        if kept is None and not news:
            return
        if kept is not None:
            if len(kept.copies) > len(m.copies) or len(cluster.events[m.event.event_id]) > 1:
                self._effects.duplicates += 1
            self.nodes.put_event(node, kept)
        if news:
            self._review(node, cluster, cause)
        elif kept is not None:
            if not self._place(node, cluster, kept):
                self._let_go(node, cluster, [kept])
            elif self._emit_one(node, cluster, kept):
                return
        self._emit(node, cluster, cause)

    def _place(self, node: Node, cluster: Cluster, kept: Kept) -> bool:
        """Whether an event stays; if so, tell of it what its keeper has not told yet."""
        want = address(kept.order, cluster.claims)
        if want != kept.anchor and want not in cluster.members:
            claims = tuple((i, n) for i in kept.order if (n := cluster.claims.get(i, 0)))
            self._send(Observe(want, self.clock, kept.event, kept.copies, claims))
            return False
        if want != kept.anchor:
            kept.anchor = want
            self.nodes.put_event(node, kept)
        if len(kept.event.ids) > 1:
            self._tell(node, cluster, kept.event)
        return True

    def _tell(self, node: Node, cluster: Cluster, event: Event) -> None:
        at, cause = event.at_ms, cause_of(event)
        partners: dict[Identifier, list[Identifier]] = defaultdict(list)
        for a, b in combinations(event.ids, 2):
            x, y = edge = a[:2], b[:2]
            known = cluster.sighted.get(edge)
            if known is None or (at, event.event_id) < known:
                cluster.sighted[edge] = (at, event.event_id)
                news = True
            else:
                news = False
            if self._counts_days(edge) and (edge, at // DAY_MS) not in cluster.busy:
                cluster.busy.add((edge, at // DAY_MS))
                news = True
            if news:
                partners[x].append(y)
                partners[y].append(x)
            if conducts_at_once(self.policy, a, b):
                self._link(node, cluster, edge, cause)
            elif (event.digest, edge) not in cluster.told:
                cluster.told.add((event.digest, edge))
                self.nodes.touch(node)
                self._send(Evidence(x, self.clock, edge, event.digest, at, a[2] * b[2], cause))
        for x, seen_with in partners.items():
            self.nodes.touch(node)
            self._send(Sighting(x, self.clock, tuple(seen_with), at, cause))

    def _counts_days(self, edge: Edge) -> bool:
        (a, _), (b, _) = edge
        kinds = self.policy.kinds
        return (a == "order_id" and kinds[b].busy_above is not None) or (
            b == "order_id" and kinds[a].busy_above is not None
        )

    def _review(self, node: Node, cluster: Cluster, cause: Cause) -> None:
        """Look again at everything kept here: a claim or a member is new."""
        self.nodes.touch(node)
        gone = [kept for kept in cluster.kept() if not self._place(node, cluster, kept)]
        if gone:
            self._let_go(node, cluster, gone)
        for edge in cluster.weak:
            self._link(node, cluster, edge, cause)
        self._force(node, cluster, cause)

    def _let_go(self, node: Node, cluster: Cluster, gone: list[Kept]) -> None:
        cluster.drop(gone)
        for kept in gone:
            self.nodes.delete_event(node, kept)

    def _evidence(self, node: Node, m: Evidence) -> None:
        if node.parent is not None:
            self._send(Evidence(node.parent, self.clock, m.edge, m.digest, m.at_ms, m.confidence, m.cause))
            return
        cluster = self._root(node)
        if cluster.weigh(m.edge, m.digest, m.at_ms, m.confidence):
            self.nodes.touch(node)
            self._link(node, cluster, m.edge, m.cause)
            self._emit(node, cluster, m.cause)

    def _link(self, node: Node, cluster: Cluster, edge: Edge, cause: Cause) -> None:
        if edge not in cluster.linked and cluster.passes(edge):
            cluster.linked.add(edge)
            self.nodes.touch(node)
            self._send(Link(edge[0], self.clock, edge[1], edge, 0, cause))

    # -- rules
    def _rule(self, node: Node, m: Rule) -> None:
        if node.parent is not None:
            self._send(Rule(node.parent, self.clock, m.edge, m.verb, m.cause))
            return
        cluster = self._root(node)
        if cluster.rule(m.edge, (m.cause[1], m.cause[0], m.verb)):
            self.nodes.touch(node)
            self._force(node, cluster, m.cause)
            self._emit(node, cluster, m.cause, m.verb)

    def _force(self, node: Node, cluster: Cluster, cause: Cause) -> None:
        """Bring together, once, what rules link; limits do not stop it, sharedness does."""
        for edge, (_, _, verb) in cluster.rules.items():
            if verb == "link" and edge not in cluster.forced:
                cluster.forced.add(edge)
                self.nodes.touch(node)
                self._send(Link(edge[0], self.clock, edge[1], edge, 0, cause))

    # -- what an identifier knows of itself
    def _sighting(self, node: Node, m: Sighting) -> None:
        for other in m.partners:
            known = self.nodes.partner(m.to, other)
            partner = node.meet(self.policy, other[0], known, m.at_ms, m.cause[0])
            if partner is not None:
                self.nodes.put_partner(m.to, other, partner)
                self.nodes.touch(node)
        if node.first_ms is None or m.at_ms < node.first_ms:
            node.first_ms = m.at_ms
            self.nodes.touch(node)
            self._send(Seen(m.to, self.clock, m.to, m.at_ms, m.cause))
        if not node.is_shared and node.should_be_shared(self.policy):
            node.shared += 1
            self.nodes.touch(node)
            self._effects.shared.append((m.to, node.shared))
            self._send(Status(m.to, self.clock, m.to, node.shared, m.cause))

    def _seen(self, node: Node, m: Seen) -> None:
        if node.parent is not None:
            self._send(Seen(node.parent, self.clock, m.x, m.at_ms, m.cause))
            return
        cluster = self._root(node)
        moved = cluster.see(m.x, m.at_ms)
        self.nodes.touch(node)
        if moved:
            self._emit(node, cluster, m.cause)

    def _status(self, node: Node, m: Status) -> None:
        if node.parent is not None:
            self._send(Status(node.parent, self.clock, m.x, m.n, m.cause))
            return
        cluster = self._root(node)
        if cluster.claim(m.x, m.n):
            self._review(node, cluster, m.cause)
            self._emit(node, cluster, m.cause)

    # -- union
    def _on_link(self, node: Node, m: Link) -> None:
        if m.checked < 2:  # each end's own node has its say, once
            if node.is_shared:
                node.refused.add(m.other)
                self.nodes.touch(node)
            else:
                self._send(Link(m.other, self.clock, m.to, m.edge, m.checked + 1, m.cause))
        elif node.parent is not None:
            self._send(Link(node.parent, self.clock, m.other, m.edge, 2, m.cause))
        elif m.to == m.other:
            return
        elif self.shaping.keys.node(m.to) < self.shaping.keys.node(m.other):
            self._send(Link(m.other, self.clock, m.to, m.edge, 2, m.cause))
        else:
            self._leave(node, m)

    def _leave(self, node: Node, m: Link) -> None:
        cluster = node.cluster
        assert cluster is not None, "a root has a cluster"
        node.parent, node.cluster, node.sent = m.other, None, None
        self.nodes.touch(node)
        for kept in cluster.kept():
            self.nodes.delete_event(node, kept)
        self._send(Absorb(m.other, self.clock, cluster.part(with_events=True), m.edge, m.cause))

    def _absorb(self, node: Node, m: Absorb) -> None:
        if node.parent is not None:
            self._send(Absorb(node.parent, self.clock, m.part, m.edge, m.cause))
            return
        cluster = self._root(node)
        theirs = view(Cluster(self.policy, m.part), self.shaping)
        for kept in cluster.join(m.part):
            self.nodes.put_event(node, kept)
        self._review(node, cluster, m.cause)
        self._emit(node, cluster, m.cause, f"{m.edge[0][0]} with {m.edge[1][0]}", theirs)

    def _compress(self, node: Node, m: Compress) -> None:
        key = self.shaping.keys.node
        if node.parent is not None and key(m.root) < key(node.parent):
            node.parent = m.root
            self.nodes.touch(node)

    # -- rows
    def _root(self, node: Node) -> Cluster:
        """A root's cluster, with the rows that went out for it so far."""
        cluster = node.cluster
        assert cluster is not None, "a root has a cluster"
        if node.sent is None:
            node.sent = view(cluster, self.shaping)
        return cluster

    def _emit_one(self, node: Node, cluster: Cluster, kept: Kept) -> bool:
        """Send what one more touchpoint changes, if that is all there is to send."""
        assert node.sent is not None, "asked for before the change"
        changes = add(cluster, self.shaping, node.sent, kept)
        if changes is None:
            return False
        facts, clock = self._effects.facts, self.clock
        for key, row in changes.items():
            facts[key] = (clock, row)
        return True

    def _emit(
        self, node: Node, cluster: Cluster, cause: Cause, reason: str = "", theirs: View | None = None,
    ) -> None:
        """Send the difference between the rows of before and after; `theirs` are sent whatever they were."""
        assert node.sent is not None, "asked for before the change"
        before, after = node.sent, view(cluster, self.shaping)
        again: Rows = theirs.rows if theirs else {}
        facts, clock = self._effects.facts, self.clock
        for key, row in after.rows.items():
            if before.rows.get(key) != row:
                facts[key] = (clock, row)
        for key in before.rows.keys() - after.rows.keys():
            facts[key] = (clock, None)
        for key in again:
            facts[key] = (clock, after.rows.get(key))
        node.sent = after
        if before.resolution is not after.resolution:
            whose = {**theirs.whose(), **before.whose()} if theirs else before.whose()
            self._emit_merges(whose, after.whose(), cause, reason)
            self._effects.sizes.append(len(cluster.members))

    def _emit_merges(
        self, before: dict[Identifier, bytes], after: dict[Identifier, bytes], cause: Cause, reason: str,
    ) -> None:
        for merge in merges(before, after, reason):
            self._effects.merges.append(merge)
            row = (merge.person_id, merge.other_person_id, merge.action, cause[0], cause[1], merge.reason)
            self._effects.facts["merges", *row[:4]] = (self.clock, row)


def merges(before: dict[Identifier, bytes], after: dict[Identifier, bytes], reason: str = "") -> list[Merge]:
    """What became of persons: merged into a survivor, or split off.

    Shape: whose each identifier was and is -> one Merge for each pair of persons between which an identifier moved.
    A person whose id changed because an earlier identifier came to light is merged into its new id.
    """
    stayed = set(after.values())
    found: dict[tuple[bytes, bytes], Merge] = {}
    for identifier, old in before.items():
        new = after.get(identifier)
        if new is None or new == old:
            continue
        if old not in stayed:
            found[new, old] = Merge(new, old, "merged", reason or "seen earlier")
        else:
            found[new, old] = Merge(new, old, "split", reason or "limits")
    return list(found.values())


_HANDLERS: dict[type, Callable[[Partition, Node, Any], None]] = {
    Observe: Partition._observe,
    Keep: Partition._keep,
    Sighting: Partition._sighting,
    Seen: Partition._seen,
    Status: Partition._status,
    Evidence: Partition._evidence,
    Link: Partition._on_link,
    Absorb: Partition._absorb,
    Compress: Partition._compress,
    Rule: Partition._rule,
    Chunk: Partition._chunk,
}
