"""What an event says to conversations, promises and attributes, checked and packed at its acceptance.

Rules kept here:
- `Event.talk` is empty unless the event can take part in a conversation or a promise, `Event.told` unless it carries
  traits, preferences or consents: later stages pass over all other events without a look.
- Who only wrote something down (role record) talked with nobody; what it tells of a customer counts.
- A message of a campaign is no talk unless it answers somebody or names its conversation.
- Addresses are traits, also where they came as preferences, so that the view of preferences holds none.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from streams.core import parts
from streams.core.event_types import EXPOSURE, INTERACTION, ORDER_FACT
from streams.core.refusal import Reason, Refusal

WRITTEN = frozenset({"message_received", "form_submitted", "callback_requested", "complaint_made"})
"""The customer writes, or asks, and waits for an answer."""
SENT = "message_sent"
CALLS = frozenset({"call_received", "call_answered", "call_made", "call_missed"})
SPEECH = WRITTEN | CALLS | {SENT, "consulted"}
"""What makes a conversation."""
REPORTS = frozenset({"message_delivered", "message_opened", "message_clicked", "message_failed"})
"""What becomes of a message of ours."""
PROMISES = frozenset({"callback_promised", "promise_made"})
OUTCOMES = frozenset({"callback_done", "promise_kept", "callback_cancelled", "promise_cancelled"})
ORDERS = frozenset({"order_requested", "order_placed"})
ATTACHED = REPORTS | PROMISES | OUTCOMES | ORDERS
"""What belongs to a conversation that is going on, and makes none."""
CANCELLED_ORDER = "order_cancelled"

BOT = "bot"
"""The staff role of a program."""


class Talk(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What the records `message` and `promise` say, besides the ids that the event has itself."""

    is_bot: bool = False
    topic: str | None = None
    text: str | None = None
    recording_url: str | None = None
    duration_ms: int | None = None
    wait_ms: int | None = None
    promise_id: str | None = None
    promise_kind: str | None = None
    due_ms: int | None = None


class Told(msgspec.Struct, array_like=True, frozen=True):
    """What a producer told of the customer, by key."""

    source: str
    traits: dict[str, str]
    preferences: dict[str, str]
    consents: dict[str, bool]


_encode = msgspec.msgpack.Encoder().encode
talk_of = msgspec.msgpack.Decoder(Talk).decode
told_of = msgspec.msgpack.Decoder(Told).decode

_NONE: Mapping[str, Any] = {}


def pack_talk(record: Mapping[str, Any], role: str) -> bytes:
    """`Event.talk` of an Avro record; Refusal where a name is too long or a duration negative."""
    message, promise = record["message"] or _NONE, record["promise"] or _NONE
    _check(message, promise)
    if not _takes_part(record["type"], role, message, bool(record["campaign"])):
        return b""
    text = message.get("text") or (record["feedback"] or _NONE).get("text")
    return _encode(Talk(
        is_bot=(record["staff"] or _NONE).get("role") == BOT,
        topic=message.get("topic") or None,
        text=text or None,
        recording_url=message.get("recording_url") or None,
        duration_ms=message.get("duration_ms"),
        wait_ms=message.get("wait_ms"),
        promise_id=promise.get("promise_id") or None,
        promise_kind=promise.get("kind") or None,
        due_ms=promise.get("due_at"),
    ))


def _takes_part(kind: str, role: str, message: Mapping[str, Any], is_campaign: bool) -> bool:
    if role not in (INTERACTION, EXPOSURE):
        return role == ORDER_FACT and kind == CANCELLED_ORDER
    if message.get("conversation_id"):
        return True
    if is_campaign and (kind == SENT or kind in REPORTS) and not message.get("reply_to"):
        return False
    return kind in SPEECH or kind in ATTACHED


def _check(message: Mapping[str, Any], promise: Mapping[str, Any]) -> None:
    for name in ("topic", "recording_url"):
        if message.get(name):
            parts.limited(message[name], f"message.{name}")
    for name in ("promise_id", "kind"):
        if promise.get(name):
            parts.limited(promise[name], f"promise.{name}")
    for name in ("duration_ms", "wait_ms"):
        if (message.get(name) or 0) < 0:
            raise Refusal(Reason.BAD_VALUE, f"message.{name}: expected 0 or more milliseconds")
    if promise:
        parts.instant(promise, "due_at", "promise")


def pack_told(record: Mapping[str, Any]) -> bytes:
    """`Event.told` of an Avro record; Refusal where a key or a preference is too long. Texts are stripped."""
    traits, preference, consent = record["traits"], record["preference"], record["consent"]
    if not traits and not preference and not consent:
        return b""
    for name, keys in (("traits", traits), ("preference", preference), ("consent", consent)):
        for key in keys:
            parts.limited(key, f"{name}: a key")
    for key, value in preference.items():
        parts.limited(value, f"preference.{key[:60]}")
    addresses = {key: value.strip() for key, value in preference.items() if "address" in key.lower()}
    return _encode(Told(
        record["source"],
        addresses | {key: value.strip() for key, value in traits.items()},
        {key: value.strip() for key, value in preference.items() if key not in addresses},
        dict(consent),
    ))
