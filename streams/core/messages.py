"""What nodes of the identity graph tell each other, and how it travels.

A message is addressed to an identifier's node (`to`), goes to the partition that owns it, and carries the Lamport
clock of its sender. Messages converge under repeats, reordering and replay; none needs an answer.
"""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple, TypeAlias

import msgspec

from streams.core.anchor import anchor_order
from streams.core.erasing import (
    Ask,
    Drop,
    Erase,
    Forget,
    Mark,
    Remind,
    Retell,
    Retract,
    Ruled,
    Sleep,
    Suppress,
    Wake,
    Wipe,
)
from streams.core.event import Cause, Event, Identifier, Position
from streams.core.policy import Policy

Edge: TypeAlias = tuple[Identifier, Identifier]
"""Two identifiers in text order."""

Claim: TypeAlias = tuple[Identifier, int]
"""(x, n): x is shared when n is odd; of two claims about x the larger n is the later word."""

Ruling: TypeAlias = tuple[int, str, str, str]
"""(received_ms, command id, verb, reason) of a rule; the largest is the last word."""

Copy: TypeAlias = tuple[Position, int]
"""Where a copy of an event lies in Kafka, and its received_ms."""


class Observe(msgspec.Struct, frozen=True, array_like=True, tag="o", gc=False):
    """An event on its way to the node of its anchor."""

    to: Identifier
    clock: int
    event: Event
    copies: tuple[Copy, ...]
    claims: tuple[Claim, ...]
    is_moved: bool = False
    """It was kept somewhere already: it does not come to us now."""


class Keep(msgspec.Struct, frozen=True, array_like=True, tag="k", gc=False):
    """The same event on its way along pointers from the anchor's node to its root, which keeps it."""

    to: Identifier
    clock: int
    event: Event
    copies: tuple[Copy, ...]
    claims: tuple[Claim, ...]
    anchor: Identifier
    path: tuple[Identifier, ...]
    is_moved: bool = False


class Sighting(msgspec.Struct, frozen=True, array_like=True, tag="s", gc=False):
    """To an identifier's own node: what it was seen with, and when first."""

    to: Identifier
    clock: int
    partners: tuple[Identifier, ...]
    at_ms: int
    claim: int
    """What the sender believes of `to`."""
    cause: Cause


class Seen(msgspec.Struct, frozen=True, array_like=True, tag="f", gc=False):
    """To the root of x: x was seen as early as this."""

    to: Identifier
    clock: int
    x: Identifier
    at_ms: int | None
    """None: in no event with another identifier any more."""
    cause: Cause
    epoch: int = 0
    """Of two epochs the later counts, of two times of one epoch the earlier."""


class Status(msgspec.Struct, frozen=True, array_like=True, tag="c", gc=False):
    """To a root: a newer claim about x."""

    to: Identifier
    clock: int
    x: Identifier
    n: int
    cause: Cause


class Evidence(msgspec.Struct, frozen=True, array_like=True, tag="w", gc=False):
    """To the root of a weak edge's first end, where such evidence is counted, once for each distinct copy."""

    to: Identifier
    clock: int
    edge: Edge
    digest: bytes
    at_ms: int
    confidence: float
    cause: Cause


class Link(msgspec.Struct, frozen=True, array_like=True, tag="l", gc=False):
    """Unite the clusters of `to` and `other`. `checked` counts the ends whose own node has agreed."""

    to: Identifier
    clock: int
    other: Identifier
    edge: Edge
    checked: int
    cause: Cause


class Rule(msgspec.Struct, frozen=True, array_like=True, tag="r", gc=False):
    """To the root of a pair's first end: somebody's word on the pair; the last one holds.

    `verb` is link, unlink or drop (as if nothing had been said); `cause` is the command's id and received_ms.
    """

    to: Identifier
    clock: int
    edge: Edge
    verb: str
    reason: str
    cause: Cause


class PolicyChange(msgspec.Struct, frozen=True, array_like=True, tag="y", gc=False):
    """To a partition: a policy from now on, as text, and other durations; what it leaves out is as it was.

    It stands in every partition's log before what was made under it: all of them leave in one transaction, so nobody
    reads one before every log has it.
    """

    clock: int
    version: int
    text: str
    received_ms: int
    session_gap_ms: int = 0
    """As the first release sent it; by now one of the durations."""
    durations: dict[str, int] = {}
    """By the names of `shaping.DURATIONS`."""

    def changes(self) -> dict[str, int]:
        """The durations that it changes."""
        return {"session_gap_ms": self.session_gap_ms, **self.durations} if self.session_gap_ms else self.durations


class Sweep(msgspec.Struct, frozen=True, array_like=True, tag="q", gc=False):
    """From a partition to itself: go on bringing nodes to the policy, from this record key on."""

    clock: int
    version: int
    after: bytes
    done: int


class Shared(msgspec.Struct, frozen=True, array_like=True, tag="x", gc=False):
    """To a partition: a newer claim about the identifier with this node key, for ingest there to route around it."""

    clock: int
    node: bytes
    n: int


class Rebuild(msgspec.Struct, frozen=True, array_like=True, tag="b", gc=False):
    """To a partition: send every row there is once more. It stands in every log as a PolicyChange does."""

    clock: int
    name: str
    """Of two the later one is greater."""


class Resend(msgspec.Struct, frozen=True, array_like=True, tag="d", gc=False):
    """From a partition to itself: go on sending rows again, from this record key on."""

    clock: int
    name: str
    after: bytes


class Chunk(msgspec.Struct, frozen=True, array_like=True, tag="h", gc=False):
    """A piece of a message that is too large for one record: number of count. `name` is a hash of the whole message."""

    to: Identifier
    clock: int
    name: bytes
    number: int
    count: int
    data: bytes


class Part(msgspec.Struct, frozen=True, array_like=True):
    """A cluster's state as it moves from one root to another; without `events` also as it is stored."""

    members: list[Identifier]
    claims: list[Claim]
    seen: list[tuple[Identifier, int]]
    sighted: list[tuple[Edge, int, str]]
    busy: list[tuple[Edge, int]]
    linked: list[Edge]
    told: list[tuple[bytes, Edge]]
    weak: list[tuple[Edge, bytes, int, float, str]]
    events: list[tuple[Event, Identifier, tuple[Copy, ...]]]
    rules: list[tuple[Edge, Ruling]] = []
    forced: list[Edge] = []
    marks: list[tuple[bytes, int]] = []
    cuts: list[bytes] = []
    epochs: list[tuple[Identifier, int]] = []


class Told(NamedTuple):
    """What the sinks have heard of a cluster: the keys of its rows, whose each identifier is, and who had been met."""

    keys: list[tuple[Any, ...]]
    whose: list[tuple[Identifier, bytes]]
    met: list[bytes]


class Absorb(msgspec.Struct, frozen=True, array_like=True, tag="a", gc=False):
    """A whole cluster, to the root that takes it in."""

    to: Identifier
    clock: int
    part: Part
    policy_version: int
    """Under which the rows of this cluster were sent so far."""
    edge: Edge
    cause: Cause
    told: Told | None = None
    """None from an older release: then the rows are made anew, to know their keys."""


class Compress(msgspec.Struct, frozen=True, array_like=True, tag="p", gc=False):
    """To a node that is no root: a shorter way to its root."""

    to: Identifier
    clock: int
    root: Identifier


Message: TypeAlias = (
    Observe | Keep | Sighting | Seen | Status | Evidence | Link | Absorb | Compress | Rule
    | Chunk | PolicyChange | Sweep | Shared | Rebuild | Resend
    | Erase | Mark | Forget | Wipe | Remind | Retract | Drop | Retell | Wake | Sleep | Ask | Ruled | Suppress
)

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Message])
_one_decoder = msgspec.msgpack.Decoder(Message)

RECORD_MESSAGES_MAX = 200
RECORD_BYTES_MAX = 400_000
"""Of one Kafka record; a longer message travels in chunks of this size."""


def observe(event: Event, policy: Policy, claims: Sequence[Claim] = ()) -> Observe:
    """The message with which an accepted event enters the graph.

    Shape: an event with at least one identifier -> Observe to its anchor: the first identifier in anchor order that
    is not claimed as shared, or the first of all where every one is.
    """
    return Observe(
        address(anchor_order(policy, event.ids), dict(claims)), 0, event, ((event.position, event.received_ms),),
        tuple(claims),
    )


def address(order: Sequence[Identifier], claims: dict[Identifier, int]) -> Identifier:
    """Where an event belongs: the first identifier not claimed as shared, else the first."""
    if claims:
        for identifier in order:
            if not claims.get(identifier, 0) & 1:
                return identifier
    return order[0]


def pack(messages: Iterable[Message]) -> bytes:
    return _encoder.encode(list(messages))


def records(messages: Iterable[Message]) -> Iterator[bytes]:
    """Messages to one partition as values of Kafka records, in order, as many together as a record should hold.

    Chunks of two messages may lie mixed in a log, for several workers write it at once: a hash tells them apart.
    """
    batch: list[msgspec.Raw] = []
    size = 0
    for message in messages:
        for data in _pieces(message, _encoder.encode(message)):
            if batch and (len(batch) == RECORD_MESSAGES_MAX or size + len(data) > RECORD_BYTES_MAX):
                yield _encoder.encode(batch)
                batch, size = [], 0
            batch.append(msgspec.Raw(data))
            size += len(data)
    if batch:
        yield _encoder.encode(batch)


def _pieces(message: Message, data: bytes) -> list[bytes]:
    if len(data) <= RECORD_BYTES_MAX or not isinstance(message, Absorb | Observe | Keep):
        return [data]
    count = -(-len(data) // RECORD_BYTES_MAX)
    name = blake2b(data, digest_size=16).digest()
    parts = (data[n * RECORD_BYTES_MAX : (n + 1) * RECORD_BYTES_MAX] for n in range(count))
    return [_encoder.encode(Chunk(message.to, message.clock, name, n, count, p)) for n, p in enumerate(parts)]


def whole(chunks: Iterable[bytes]) -> Message:
    """The message of all its chunks' data, in order."""
    message: Message = _one_decoder.decode(b"".join(chunks))
    return message


def unpack(data: bytes) -> list[Message]:
    """Errors: msgspec.DecodeError on bytes that `pack` did not make; that is a bug, not bad input."""
    return _decoder.decode(data)
