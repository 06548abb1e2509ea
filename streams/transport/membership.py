"""Who this worker is in its consumer group, in the form in which a Kafka transaction carries it.

The broker accepts the offsets of a transaction only from a present member of the present generation, so a worker that
was paused past its session cannot commit what it had in hand. The membership belongs to the batch: it is taken when
the partitions are assigned and never read again later, because a worker that wakes up joins anew before it finds out,
and would pass with its new generation.
"""

import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class Membership:
    group: str
    generation: int
    member: str
    instance: str | None = None

    def __post_init__(self) -> None:
        # A transaction with generation -1 or no member is not checked by the broker at all (KIP-447, older producers).
        assert self.generation >= 0, f"not a member: {self}"
        assert self.member, f"not a member: {self}"

    def to_bytes(self) -> bytes:
        """What librdkafka's `Consumer.consumer_group_metadata()` would give (its serialisation CGMDv2)."""
        names = self.group.encode() + b"\0" + self.member.encode() + b"\0"
        head = b"CGMDv2:" + struct.pack("<i", self.generation) + names
        if self.instance is None:
            return head + b"\x01"
        return head + b"\0" + self.instance.encode() + b"\0"
