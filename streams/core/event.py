"""A channel event as the stages pass it on: accepted, normalised, split into what the core reads and what it carries.

The core needs few fields to stitch and to cut sessions; the rest of a touchpoint's row travels as encoded bytes
(`content`, `order`) and is decoded only where it is read. Amounts and quantities are whole numbers of 1/10,000
(`SCALE`), instants are epoch milliseconds (UTC).
"""

from typing import Any, NewType, TypeAlias

import msgspec

SCALE = 10_000

Identifier: TypeAlias = tuple[str, str]
"""(kind, value), normalised."""

NodeKey = NewType("NodeKey", bytes)
"""Keyed 128-bit BLAKE2b of `kind\\0value`: what addresses an identifier without naming it."""

Position: TypeAlias = tuple[str, int, int]
"""(topic, partition, offset) of a record in Kafka."""

Cause: TypeAlias = tuple[str, int]
"""(event_id, received_ms) of the event that set a message going: what `merges` names."""


class Event(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One accepted event; a touchpoint to be.

    `ids` are (kind, value, confidence), distinct, in text order. `digest` is the 16-byte BLAKE2b of the event's
    bytes re-encoded in the reader's schema: it tells a repeat from a conflicting copy. `content` is a msgpack array
    in the order of `facts.CONTENT`; `order` is a msgpack map of the Avro records `order` and `return` (amounts
    scaled, absent values left out) with `points_spent`, or empty where the event is not about an order.
    """

    event_id: str
    at_ms: int
    received_ms: int
    position: Position
    digest: bytes
    ids: tuple[tuple[str, str, float], ...]
    channel: str
    type: str
    role: str
    device: str | None
    store_id: str | None
    staff: str | None
    order_id: str | None
    campaign: str | None
    """campaign.name, else campaign.source."""
    referrer: str | None
    click_id: str | None
    message_id: str | None
    conversation_id: str | None
    content: bytes
    order: bytes = b""
    talk: bytes = b""
    """`said.Talk`, or empty where the event has no part in a conversation or a promise."""
    told: bytes = b""
    """`said.Told`, or empty where the event tells no trait, preference or consent."""
    unavailable: bool = False
    """A line of products, cart or order was told as not available."""
    city: str | None = None
    """`place.city` as it is compared (`alert.plain`)."""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


def pack(value: Any) -> bytes:
    """Msgpack of plain values."""
    return _encode(value)


def unpack(data: bytes) -> Any:
    return _decode(data)
