"""What the nodes of one partition share: policies, the clock, records, and what is to leave with the next commit."""

from streams.core.cluster import Cluster, Kept
from streams.core.effects import Effects, Merge
from streams.core.erasing import Sleep
from streams.core.event import Cause, Identifier
from streams.core.increment import add
from streams.core.messages import Message
from streams.core.newcomers import join
from streams.core.node import Node
from streams.core.nodes import Nodes, Reader
from streams.core.policies import Policies
from streams.core.policy import Policy
from streams.core.rows import Changes, Rows, View, view
from streams.core.sealing import seal
from streams.core.shaping import Shaping

TOUCHES_MAX = 50_000


class Partition:
    """The state that handlers work on. Node objects hold uncommitted changes: after a failed commit throw it away."""

    def __init__(self, number: int, policy: Policy, shaping: Shaping, reader: Reader, touches_max: int = TOUCHES_MAX):
        self.number, self.keys, self.reader = number, shaping.keys, reader
        self.policies = Policies(policy, shaping, reader)
        self.nodes = Nodes(self.policies, shaping.keys, reader, touches_max)
        self.clock = self.nodes.clock()
        self.effects = Effects()
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
        self, node: Node, cluster: Cluster, cause: Cause, reason: str = "", theirs: View | None = None,
    ) -> None:
        """Send the difference between the rows of before and after; `theirs` are sent whatever they were."""
        assert node.sent is not None, "asked for before the change"
        if cluster.marks or cluster.cuts:
            for x in seal(self.keys, cluster):
                self.send(Sleep(x, self.clock, cause), x)
                self.nodes.touch(node)
        before, after = node.sent, view(cluster, self.shaping)
        again: Rows = theirs.rows if theirs else {}
        facts, clock = self.effects.facts, self.clock
        for key, row in after.rows.items():
            if before.rows.get(key) != row:
                facts[key] = (clock, row)
        for key in before.rows:  # not the difference of both: its order would be another in each process
            if key not in after.rows:
                facts[key] = (clock, None)
        for key in again:
            facts[key] = (clock, after.rows.get(key))
        node.sent = after
        if before.resolution is not after.resolution:
            whose = {**theirs.whose(), **before.whose()} if theirs else before.whose()
            met = before.met() | theirs.met() if theirs else before.met()
            self._emit_history(whose, after.whose(), met, cause, reason)
            self.effects.sizes.append(len(cluster.members))

    def emit_newcomers(
        self, node: Node, cluster: Cluster, newcomers: set[Identifier], events: list[Kept], cause: Cause, reason: str,
        theirs: View,
    ) -> bool:
        """Send what new members and the few events that came with them change, if that is all there is to send.

        Where not, False; what was sent by then is true as far as it goes, and `emit` sends the rest.
        """
        assert node.sent is not None, "asked for before the change"
        changes = join(cluster, self.shaping, node.sent, newcomers, len(events))
        if changes is None:
            return False
        self.send_changes(changes)
        owned = {x: node.sent.people[node.sent.resolution.group_of[x]].person_id for x in newcomers}
        self._emit_history(theirs.whose(), owned, theirs.met(), cause, reason)
        for kept in sorted(events, key=lambda k: (k.event.at_ms, k.event.event_id)):
            changes = add(cluster, self.shaping, node.sent, kept)
            if changes is None:
                return False
            self.send_changes(changes)
        for key in theirs.rows:
            self.effects.facts[key] = (self.clock, node.sent.rows.get(key))
        self.effects.sizes.append(len(cluster.members))
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
