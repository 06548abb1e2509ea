"""The state of a deployment on more partitions: where each record belongs, and what every partition has to have.

Rules kept, with nothing on its way between partitions:
- A record of a node goes where the node key says; so its order among the node's other records stays.
- Books stay with the partition of the events topic that they are of, and the last policy with the commands.
- The clock of every partition becomes the largest of all, or a node that moved would send rows that lose to those it
  sent before.
- Policies, what is known of shared identifiers and who is suppressed stand in every partition, so in new ones too.
Partitions are only ever added, as in Kafka: records of events topics stay where they are, and keep their positions.
"""

import struct
from dataclasses import dataclass, field

from streams.core.event import NodeKey, pack, unpack
from streams.core.keys import Keys
from streams.core.nodes import CLOCK, SHARED
from streams.core.policies import PREFIX as POLICY
from streams.core.traces import SUPPRESSED

_OF_NODES = frozenset(b"nopfermd")
"""First bytes of records whose key goes on with a node key; what each is: streams.core.nodes, streams.core.traces."""

NODE_KEY_BYTES = 16


def owner(key: bytes, keys: Keys) -> int | None:
    """The partition that a record of the state belongs to; None where it is of its partition and stays."""
    if key[0] not in _OF_NODES:
        return None
    return keys.partition(NodeKey(key[1 : 1 + NODE_KEY_BYTES]))


@dataclass
class Common:
    """What every partition has to know, gathered from the records of all."""

    clock: int = 0
    policies: dict[bytes, bytes] = field(default_factory=dict)
    claims: dict[bytes, int] = field(default_factory=dict)
    """Of shared identifiers, by node key; the larger number is the later word."""
    suppressed: set[bytes] = field(default_factory=set)

    def learn(self, key: bytes, value: bytes) -> None:
        """One record of one partition; those of other kinds are passed over."""
        table = key[:1]
        if key == CLOCK:
            self.clock = max(self.clock, int(value))
        elif table == POLICY:
            self.policies[key] = value
        elif table == SHARED:
            node, n = unpack(value)
            self.claims[node] = max(n, self.claims.get(node, 0))
        elif table == SUPPRESSED:
            self.suppressed.add(value)

    def records(self, is_new: bool) -> dict[bytes, bytes]:
        """What a partition is to hold: an old one knows the claims already, in the order in which it heard them."""
        found = {**self.policies, CLOCK: b"%d" % self.clock}
        if is_new:
            # Every claim took the old partitions a tick, so these come before whatever comes next.
            assert len(self.claims) <= self.clock, "a claim takes a tick of the clock"
            for tick, (node, n) in enumerate(sorted(self.claims.items()), 1):
                found[SHARED + struct.pack(">Q", tick)] = pack((node, n))
            found.update((SUPPRESSED + struct.pack(">Q", 0) + x, x) for x in sorted(self.suppressed))
        return found
