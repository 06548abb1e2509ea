"""A node of the identity graph: what one identifier knows of itself, and the cluster that it may be the root of.

Its own part never moves: partners, whether it is shared, links it refused. Partners and refused links are records of
their own beside it, for a till's e-mail may have hundreds of thousands; here are only their numbers.
"""

from typing import Any

import msgspec

from streams.core.cluster import Cluster
from streams.core.event import Identifier
from streams.core.keys import SEALED
from streams.core.messages import Part
from streams.core.policy import Policy
from streams.core.rows import View

DAY_MS = 86_400_000


class Partner(msgspec.Struct, array_like=True):
    """What an identifier knows of one partner: when they were first seen together; for orders also the UTC days."""

    identifier: Identifier
    at_ms: int
    event_id: str
    days: list[int] = []
    received_ms: int = 0
    """Of that event."""
    days_received: list[int] = []
    """When the events were received that told of `days`, in the same order."""

    def since(self, until_ms: int) -> "Partner | None":
        """What is left of it without events received up to then; None where the first was one of them."""
        if self.received_ms <= until_ms:
            return None
        left = [(day, at) for day, at in zip(self.days, self.days_received, strict=True) if at > until_ms]
        days, received = [day for day, _ in left], [at for _, at in left]
        return Partner(self.identifier, self.at_ms, self.event_id, days, self.received_ms, received)


class NodeRecord(msgspec.Struct, array_like=True):
    """A node as it is stored; events and partners are records of their own."""

    identifier: Identifier
    parent: Identifier | None
    shared: int
    partners: dict[str, int]
    busy_days: dict[int, int]
    first_ms: int | None
    part: Part | None
    policy_version: int
    """What it knows and the rows it sent are under this policy."""
    erased_ms: int | None = None
    """What was received up to then was erased; the identifier may be sealed (streams.core.forgetting)."""
    epoch: int = 0
    """How often partners were lost: a first time told later counts, though it be later itself."""
    has_traces: bool = False
    """Whether there are records of what was erased around it (streams.core.traces)."""


class Node:
    """One identifier's node. `shared` counts the changes, odd is shared; `sent` is what a root's rows were so far."""

    __slots__ = (
        "busy_days", "cluster", "epoch", "erased_ms", "first_ms", "has_traces", "identifier", "parent", "partners",
        "pieces", "policy_version", "sent", "shared", "used",
    )

    def __init__(self, record: NodeRecord, cluster: Cluster | None, pieces: int = 0) -> None:
        self.identifier = record.identifier
        self.parent = record.parent
        self.shared = record.shared
        self.partners = record.partners
        self.busy_days = record.busy_days
        self.first_ms = record.first_ms
        self.policy_version = record.policy_version
        self.erased_ms, self.epoch, self.has_traces = record.erased_ms, record.epoch, record.has_traces
        self.cluster = cluster
        self.sent: View | None = None
        self.used = 0
        self.pieces = pieces
        """In how many records this one is stored, when it is too long for one."""

    @classmethod
    def new(cls, policy: Policy, version: int, identifier: Identifier) -> "Node":
        """A node nobody has heard of: its own root, alone; everybody's from the start if its value is blocked."""
        shared = int(identifier[0] != SEALED and policy.is_blocked(*identifier))
        cluster = Cluster.of(policy, identifier)
        if shared:
            cluster.claim(identifier, shared)
        return cls(NodeRecord(identifier, None, shared, {}, {}, None, None, version), cluster)

    def record(self) -> NodeRecord:
        part = self.cluster.part(with_events=False) if self.cluster else None
        return NodeRecord(
            self.identifier, self.parent, self.shared, self.partners, self.busy_days, self.first_ms,
            part, self.policy_version, self.erased_ms, self.epoch, self.has_traces,
        )

    @property
    def is_shared(self) -> bool:
        return self.shared & 1 == 1

    def meet(
        self, other: Identifier, partner: Partner | None, at_ms: int, event_id: str, received_ms: int,
    ) -> Partner | None:
        """Count one sighting with a partner; the partner's new record, or None where nothing is new.

        Everything is counted, whatever the present policy asks for: a later one may ask for more.
        """
        kind, day = other[0], at_ms // DAY_MS
        news = kind == "order_id" and (partner is None or day not in partner.days)
        if partner is None:
            partner = Partner(other, at_ms, event_id, [], received_ms)
            self.partners[kind] = self.partners.get(kind, 0) + 1
        elif (at_ms, event_id) < (partner.at_ms, partner.event_id):
            partner = Partner(other, at_ms, event_id, partner.days, received_ms, partner.days_received)
        elif not news:
            return None
        if news:
            partner.days = [*partner.days, day]
            partner.days_received = [*partner.days_received, received_ms]
            self.busy_days[day] = self.busy_days.get(day, 0) + 1
        return partner

    def lose(self, partner: Partner, left: Partner | None = None) -> None:
        """Count a partner no more, or without some of its days."""
        kind = partner.identifier[0]
        if left is None:
            self.partners[kind] -= 1
            if not self.partners[kind]:
                del self.partners[kind]
        for day in partner.days if left is None else set(partner.days) - set(left.days):
            self.busy_days[day] -= 1
            if not self.busy_days[day]:
                del self.busy_days[day]

    def should_be_shared(self, policy: Policy) -> bool:
        """Step 1, from the numbers of partners; only erasure takes some away. A value blocked since is everybody's too.

        Of a sealed identifier nothing can be said; what was said before holds.
        """
        if self.identifier[0] == SEALED:
            return self.is_shared
        mine = policy.kinds[self.identifier[0]]
        if policy.is_blocked(*self.identifier):
            return True
        if mine.busy_above is not None and any(n > mine.busy_above for n in self.busy_days.values()):
            return True
        return mine.shared_above is not None and any(
            n > mine.shared_above
            and (kind in mine.shared_by or (kind != mine.name and policy.kinds[kind].personal))
            for kind, n in self.partners.items()
        )


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(NodeRecord)
_count_decoder = msgspec.msgpack.Decoder(int)
_partner_decoder = msgspec.msgpack.Decoder(Partner)


def encode(record: Any) -> bytes:
    return _encoder.encode(record)


def decode(data: bytes) -> NodeRecord:
    return _decoder.decode(data)


def decode_count(data: bytes) -> int:
    count: int = _count_decoder.decode(data)
    return count


def decode_partner_record(data: bytes) -> Partner:
    partner = _partner_decoder.decode(data)
    # An older release did not note when days were told: long ago.
    partner.days_received += [0] * (len(partner.days) - len(partner.days_received))
    return partner


def decode_partner(data: bytes | None) -> Partner | None:
    return None if data is None else decode_partner_record(data)
