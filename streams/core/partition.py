"""What the nodes of one partition share: policies, the clock, records, and what is to leave with the next commit."""

from streams.core.cluster import Cluster, Kept, cause_of
from streams.core.effects import Effects, Merge
from streams.core.erasing import Sleep
from streams.core.event import Cause, Identifier
from streams.core.increment import add
from streams.core.keys import SEALED
from streams.core.messages import Message, Told
from streams.core.newcomers import join
from streams.core.node import Node
from streams.core.nodes import Nodes, Reader
from streams.core.policies import Policies
from streams.core.policy import Policy
from streams.core.rows import Changes, view
from streams.core.sealing import seal
from streams.core.shaping import Shaping

TOUCHES_MAX = 50_000

WHOLE_EVENTS = 5
"""So many touchpoints of a cluster cost as much, made anew, as one that is added to the rows there are."""


class Partition:
    """The state that handlers work on. Node objects hold uncommitted changes: after a failed commit throw it away."""

    def __init__(self, number: int, policy: Policy, shaping: Shaping, reader: Reader, touches_max: int = TOUCHES_MAX):
        self.number, self.keys, self.reader = number, shaping.keys, reader
        self.policies = Policies(policy, shaping, reader)
        self.nodes = Nodes(self.policies, shaping.keys, reader, touches_max)
        self.clock = self.nodes.clock()
        self.effects = Effects()
        self.untold: dict[Node, list[Kept]] = {}
        """Roots, with touchpoints by which nobody became anybody else: told when the batch ends, or before more."""
        self.local: list[Message] = []
        """Messages to nodes of this partition, to be worked next."""
        self.rebuild = ""
        """Name of the last rebuild asked for, as far as this process knows."""

    @property
    def policy(self) -> Policy:
        return self.policies.present

    @property
    def shaping(self) -> Shaping:
        return self.policies.shaping(self.policies.version)

    def send(self, message: Message, to: Identifier) -> None:
        partition = self.keys.owner(to)
        if partition == self.number:
            self.local.append(message)
        else:
            self.effects.forwards[partition].append(message)

    def root(self, node: Node) -> Cluster:
        """A root's cluster, with the rows that went out for it so far."""
        cluster = node.cluster
        assert cluster is not None, "a root has a cluster"
        if node.sent is None:
            node.sent = view(cluster, self.policies.shaping(node.policy_version))
        return cluster

    def emit(
        self, node: Node, cluster: Cluster, cause: Cause, reason: str = "", theirs: Told | None = None,
    ) -> None:
        """Send the difference between the rows of before and after; `theirs` are sent whatever they were."""
        assert node.sent is not None, "asked for before the change"
        untold = self.untold.pop(node, None)
        if untold and not node.sent.rows:
            cause = cause_of(untold[0].event)
        if cluster.marks or cluster.cuts:
            for x in seal(self.keys, cluster):
                self.send(Sleep(x, self.clock, cause), x)
                self.nodes.touch(node)
        before, after = node.sent, view(cluster, self.shaping)
        facts, clock = self.effects.facts, self.clock
        for key, row in after.rows.items():
            if before.rows.get(key) != row:
                facts[key] = (clock, row)
        for key in before.rows:  # not the difference of both: its order would be another in each process
            if key not in after.rows:
                facts[key] = (clock, None)
        for key in theirs.keys if theirs else ():
            facts[key] = (clock, after.rows.get(key))
        node.sent = after
        if before.resolution is not after.resolution:
            whose = dict(theirs.whose) | before.whose() if theirs else before.whose()
            met = before.met().union(theirs.met) if theirs else before.met()
            self._emit_history(whose, after.whose(), met, cause, reason)
            self.effects.sizes.append(len(cluster.members))

    def tell_later(self, node: Node, cluster: Cluster, kept: Kept) -> bool:
        """Whether one more touchpoint can wait for others of the batch; a node without a name may get one meanwhile."""
        assert node.sent is not None, "asked for before the change"
        is_new = not node.sent.rows and len(cluster.members) == 1
        if is_login(cluster, kept):
            return False
        if node.identifier[0] == SEALED or not (is_new or cluster.resolution is node.sent.resolution):
            return False
        self.untold.setdefault(node, []).append(kept)
        return True

    def tell_now(self, node: Node, cluster: Cluster, kept: Kept, cause: Cause) -> bool:
        """Send what one more touchpoint changes by which somebody may be another person, if that is all there is."""
        assert node.sent is not None, "asked for before the change"
        if len(cluster.events) < WHOLE_EVENTS or kept.event.event_id in node.sent.owner_of:
            return False
        untold = [*self.untold.get(node, ()), kept]
        if not self.regroup(node, cluster, set(), len(untold), cause) or not self._add(node, cluster, untold):
            return False
        self.untold.pop(node, None)
        return True

    def tell(self, node: Node) -> None:
        """Send what waited, before the node changes in another way, or goes."""
        untold = self.untold.get(node)
        if untold is not None:
            assert node.cluster is not None, "a root has a cluster"
            if not self._add(node, node.cluster, untold):
                self.emit(node, node.cluster, cause_of(untold[0].event))
            self.untold.pop(node, None)

    def tell_all(self) -> None:
        for node in list(self.untold):
            self.tell(node)

    def _add(self, node: Node, cluster: Cluster, untold: list[Kept]) -> bool:
        """Send what touchpoints change, one by one, if that is all there is to send and the shorter way."""
        assert node.sent is not None, "asked for before the change"
        if not node.sent.rows or len(cluster.events) < WHOLE_EVENTS * (len(untold) - 1):
            return False
        for kept in sorted(untold, key=lambda k: (k.event.at_ms, k.event.event_id)):
            changes = add(cluster, self.shaping, node.sent, kept)
            if changes is None:
                return False
            self.send_changes(changes)
        return True

    def emit_newcomers(
        self, node: Node, cluster: Cluster, newcomers: set[Identifier], events: list[Kept], cause: Cause, reason: str,
        theirs: Told,
    ) -> bool:
        """Send what new members and the few events that came with them change, if that is all there is to send.

        Where not, False; what was sent by then is true as far as it goes, and `emit` sends the rest.
        """
        assert node.sent is not None, "asked for before the change"
        if not self.regroup(node, cluster, newcomers, len(events), cause, reason, theirs):
            return False
        if not self._add(node, cluster, events):
            return False
        for key in theirs.keys:
            self.effects.facts[key] = (self.clock, node.sent.rows.get(key))
        self.effects.sizes.append(len(cluster.members))
        return True

    def regroup(
        self, node: Node, cluster: Cluster, newcomers: set[Identifier], waiting: int, cause: Cause, reason: str = "",
        theirs: Told | None = None,
    ) -> bool:
        """Send what changes because who is who did; False, and nothing sent, where touchpoints go to another person."""
        assert node.sent is not None, "asked for before the change"
        seen = node.sent
        whose = dict(theirs.whose) | seen.whose() if theirs else seen.whose()
        met = seen.met().union(theirs.met) if theirs else seen.met()
        resolution = seen.resolution
        changes = join(cluster, self.shaping, seen, newcomers, waiting)
        if changes is None:
            return False
        self.send_changes(changes)
        if resolution is not cluster.resolution:
            self._emit_history(whose, seen.whose(), met, cause, reason)
        return True

    def send_changes(self, changes: Changes) -> None:
        for key, row in changes.items():
            self.effects.facts[key] = (self.clock, row)

    def _emit_history(
        self, before: dict[Identifier, bytes], after: dict[Identifier, bytes], met: set[bytes], cause: Cause,
        reason: str,
    ) -> None:
        """Tell of merges and splits of persons who had been met, and of every identifier's new owner."""
        for merge in merges(before, after, reason):
            if merge.other_person_id not in met:
                continue
            self.effects.merges.append(merge)
            row = (merge.person_id, merge.other_person_id, merge.action, cause[0], cause[1], merge.reason)
            self.effects.facts["merges", *row[:4]] = (self.clock, row)
        for identifier, person_id in after.items():
            if before.get(identifier) != person_id:
                node = self.keys.node(identifier)
                owned = (node, cause[1], self.clock, person_id)
                self.effects.facts["identifier_owners", *owned[:3]] = (self.clock, owned)


def is_login(cluster: Cluster, kept: Kept) -> bool:
    """Whether an event shows a contested identifier with another one: it may decide whose other touchpoints are."""
    return len(kept.event.ids) > 1 and not cluster.resolution.contested.isdisjoint(kept.order)


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
