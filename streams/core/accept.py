"""Which events are accepted, and what an accepted one becomes. The same rules before Kafka and after it.

A record is the Avro record `onethread.ChannelEvent` with every field present. The checks go from the whole to the
parts; the first that fails names the reason. A bad identifier alone does not refuse an event: it is dropped and noted.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from streams.core import parts, said
from streams.core.alert import CITY_LENGTH_MAX, plain
from streams.core.channels import Channel
from streams.core.event import Event, Identifier, Position
from streams.core.event_types import INTERACTION, OBSERVATION, ROLES, TYPES, EventType
from streams.core.identifiers import CARD_NUMBER, UNKNOWN_KIND, Refused, email_sha256, normalise
from streams.core.parts import Record
from streams.core.policy import Policy
from streams.core.refusal import EVENT_BYTES_MAX, Reason, Refusal, Reject

EVENT_ID_LENGTH_MAX = 200
TYPE_LENGTH_MAX = 100
IDENTIFIERS_MAX = 20
"""Every two identifiers of an event are an edge: 20 make 190."""

PACKED_BYTES_MAX = 2 * EVENT_BYTES_MAX
"""Of what is packed of an event, together: names of fields repeated over thousands of lines must not make a record that
Kafka does not take."""

AHEAD_MS_MAX = 24 * 3_600_000
"""A clock may be wrong by a day; what lies further in the future is a fault."""

EARLIEST_MS = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp() * 1000)
_OFFSET_MIN_MAX = 18 * 60

Note: TypeAlias = tuple[str, str]
"""(kind, note) of an identifier that was dropped."""

_is_kind = re.compile("[a-z][a-z0-9_]{0,63}").fullmatch


@dataclass(frozen=True)
class Rules:
    """What acceptance depends on."""

    policy: Policy
    channels: Mapping[str, Channel]
    default_region: str
    reporting_zone: str


@dataclass(frozen=True, slots=True)
class Accepted:
    event: Event
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Unidentifiable:
    """A sensor saw somebody and cannot say whom; counted, not refused."""

    event_id: str
    channel: str
    type: str
    occurred_ms: int
    reason: str
    notes: tuple[Note, ...]


Outcome: TypeAlias = Accepted | Unidentifiable | Reject


def accept(
    record: Record, position: Position, kafka_ms: int, digest: bytes, channel_of_topic: str | None, rules: Rules,
) -> Outcome:
    """What becomes of one record.

    Shape:  position, kafka_ms and digest (see `Event`) go into the event; channel_of_topic None: no topic yet.
    Errors: none; what is wrong with the record is a `Reject`.
    Cost:   9 µs for a page view, 20 µs for an order of four lines (716 bytes), identifiers seen before.
    """
    try:
        return _accept(record, position, kafka_ms, digest, channel_of_topic, rules)
    except Refusal as refusal:
        if refusal.reason != Reason.CARD_NUMBER and _names_card(record, rules):
            # Whatever else is wrong, the bytes must not be kept.
            refusal = _card_number()
        return refusal.reject(record["event_id"][:EVENT_ID_LENGTH_MAX] or None)


def _accept(
    record: Record, position: Position, kafka_ms: int, digest: bytes, channel_of_topic: str | None, rules: Rules,
) -> Outcome:
    kind = _head(record, channel_of_topic, rules)
    at_ms = _time(record, kafka_ms)
    _details(record)
    _needs(record, kind)
    order_id = _order_id(record, rules)
    ids, notes, click_id = _identify(record, order_id, rules)
    lacking = parts.unavailable(record)
    content, order = _pack(record, order_id, at_ms, lacking, rules)
    role = record["role"] or kind.role
    talk, told = said.pack_talk(record, role), said.pack_told(record)
    if len(content) + len(order) + len(talk) + len(told) > PACKED_BYTES_MAX:
        raise Refusal(Reason.OVERSIZE, f"expected at most {PACKED_BYTES_MAX} bytes when packed")
    if not ids:
        reason = notes[0][1] if notes else "no identifier"
        if role != OBSERVATION:
            raise Refusal(Reason.NO_IDENTIFIER, f"expected an identifier or order.order_id; came {reason}")
        return Unidentifiable(record["event_id"], record["channel"], record["type"], at_ms, reason, notes)
    campaign, message = record["campaign"] or _NONE, record["message"] or _NONE
    return Accepted(
        Event(
            event_id=record["event_id"],
            at_ms=at_ms,
            received_ms=kafka_ms,
            position=position,
            digest=digest,
            ids=ids,
            channel=record["channel"],
            type=record["type"],
            role=role,
            device=record["device"] or None,
            store_id=(record["place"] or _NONE).get("store_id") or None,
            staff=(record["staff"] or _NONE).get("id"),
            order_id=order_id,
            campaign=campaign.get("name") or campaign.get("source") or None,
            referrer=(record["properties"].get("referrer") or "")[: parts.NAME_LENGTH_MAX] or None,
            click_id=click_id,
            message_id=message.get("message_id") or None,
            conversation_id=message.get("conversation_id") or None,
            content=content,
            order=order,
            talk=talk,
            told=told,
            unavailable=bool(lacking),
            city=plain((record["place"] or _NONE).get("city") or "")[:CITY_LENGTH_MAX] or None,
        ),
        notes,
    )


_NONE: dict[str, Any] = {}


def _head(record: Record, channel_of_topic: str | None, rules: Rules) -> EventType:
    for name in ("event_id", "channel", "type"):
        if not record[name]:
            raise Refusal(Reason.MISSING_FIELD, f"{name}: expected a text")
    if len(record["event_id"]) > EVENT_ID_LENGTH_MAX:
        raise Refusal(Reason.BAD_VALUE, f"event_id: expected at most {EVENT_ID_LENGTH_MAX} characters")
    if len(record["type"]) > TYPE_LENGTH_MAX:
        raise Refusal(Reason.BAD_VALUE, f"type: expected at most {TYPE_LENGTH_MAX} characters")
    channel = record["channel"]
    if channel not in rules.channels:
        raise Refusal(Reason.UNKNOWN_CHANNEL, f"channel: expected one of the registry; came {channel[:60]!r}")
    if channel_of_topic is not None and channel != channel_of_topic:
        raise Refusal(Reason.CHANNEL_MISMATCH, f"channel: the topic is of {channel_of_topic!r}; came {channel!r}")
    if record["role"] is not None and record["role"] not in ROLES:
        raise Refusal(Reason.BAD_VALUE, f"role: expected one of {', '.join(sorted(ROLES))}")
    return TYPES.get(record["type"]) or EventType(record["type"], INTERACTION)


def _time(record: Record, kafka_ms: int) -> int:
    at_ms: int = record["occurred_at"]
    if at_ms < EARLIEST_MS:
        raise Refusal(Reason.TOO_EARLY, "occurred_at: expected 2000 or later, as ISO 8601 or epoch milliseconds")
    if at_ms > kafka_ms + AHEAD_MS_MAX:
        raise Refusal(Reason.TOO_LATE, "occurred_at: expected at most 24 hours after the record's Kafka time")
    offset_min = record["utc_offset_min"]
    if offset_min is not None and abs(offset_min) > _OFFSET_MIN_MAX:
        raise Refusal(Reason.BAD_VALUE, f"utc_offset_min: expected at most {_OFFSET_MIN_MAX} minutes either way")
    return at_ms


_NAMES = (
    ("place", ("store_id", "terminal_id")), ("staff", ("id", "role", "team")),
    ("message", ("message_id", "conversation_id")),
    ("campaign", ("source", "medium", "name", "term", "content", "click_id")),
)


def _details(record: Record) -> None:
    for part, names in _NAMES:
        row = record[part]
        for name in names if row is not None else ():
            if row[name]:
                parts.limited(row[name], f"{part}.{name}")
    if record["device"]:
        parts.limited(record["device"], "device")
    place, staff, feedback = record["place"], record["staff"], record["feedback"]
    if place is not None:
        if place["zone"] and not parts.is_zone(place["zone"]):
            raise Refusal(Reason.BAD_VALUE, "place.zone: expected an IANA time zone such as Europe/Kyiv")
        for name, limit in (("latitude", 90), ("longitude", 180)):
            if place[name] is not None and not abs(place[name]) <= limit:
                raise Refusal(Reason.BAD_VALUE, f"place.{name}: expected -{limit} to {limit}")
    if staff is not None and not staff["id"]:
        raise Refusal(Reason.MISSING_FIELD, "staff.id: expected a text")
    if feedback is not None:
        for name in ("score", "scale_max"):
            if feedback[name] is not None and not math.isfinite(feedback[name]):
                raise Refusal(Reason.BAD_VALUE, f"feedback.{name}: expected a number")


def _needs(record: Record, kind: EventType) -> None:
    for need in kind.needs:
        if need == "return.amount":
            row = record["return"] or {"outcome": None, "amount": None}
            if row["amount"] is None and row["outcome"] not in ("asked", "refused"):
                raise Refusal(Reason.MISSING_FIELD, f"return.amount: {kind.name} needs it")
        elif record[need] is None:
            path = "order.order_id" if need == "order" else need
            raise Refusal(Reason.MISSING_FIELD, f"{path}: {kind.name} needs it")


def _order_id(record: Record, rules: Rules) -> str | None:
    """The normal form of order.order_id; Refusal where it names no order, as all such would become one order."""
    if record["order"] is None:
        return None
    value: str = record["order"]["order_id"]
    if not value.strip():
        raise Refusal(Reason.MISSING_FIELD, "order.order_id: expected a text")
    named = normalise("order_id", value, rules.policy, rules.default_region)
    if isinstance(named, Refused):
        raise Refusal(Reason.BAD_VALUE, f"order.order_id: expected the id of one order; came {named.note}")
    return named[1]


def _identify(
    record: Record, order_id: str | None, rules: Rules,
) -> tuple[tuple[tuple[str, str, float], ...], tuple[Note, ...], str | None]:
    """The identifiers in text order, the notes on those that were dropped, and campaign.click_id."""
    policy, region = rules.policy, rules.default_region
    found: dict[Identifier, float] = {}
    notes: list[Note] = []
    for row in record["identifiers"]:
        confidence = row["confidence"]
        if not 0 < confidence <= 1:
            raise Refusal(Reason.BAD_VALUE, "identifiers.confidence: expected above 0, at most 1")
        _add(found, notes, row["kind"], row["value"], confidence, rules)
    if order_id is not None:
        found["order_id", order_id] = 1.0
    click_id = None
    if (campaign := record["campaign"]) is not None and campaign["click_id"]:
        named = normalise("click_id", campaign["click_id"], policy, region)
        if isinstance(named, Refused):
            notes.append(("click_id", named.note))
        else:
            found[named] = 1.0
            click_id = named[1]
    if len(found) > IDENTIFIERS_MAX and sum(kind != "email_sha256" for kind, _ in found) > IDENTIFIERS_MAX:
        raise Refusal(Reason.TOO_MANY_IDENTIFIERS, f"identifiers: expected at most {IDENTIFIERS_MAX}")
    ids = tuple(sorted((kind, value, confidence) for (kind, value), confidence in found.items()))
    return ids, tuple(notes), click_id


def named_by(record: Record, rules: Rules) -> Iterator[Identifier]:
    """Whom a record names, as far as it can be read: also one that is refused."""
    rows = [(row["kind"], row["value"]) for row in record["identifiers"]]
    rows += [("order_id", record["order"]["order_id"])] if record["order"] is not None else []
    rows += [("click_id", record["campaign"]["click_id"])] if record["campaign"] is not None else []
    for kind, value in rows:
        named = normalise(kind, value or "", rules.policy, rules.default_region)
        if not isinstance(named, Refused):
            yield named
            if named[0] == "email":
                yield "email_sha256", email_sha256(named[1])


def _add(
    found: dict[Identifier, float], notes: list[Note], kind: str, value: str, confidence: float, rules: Rules,
) -> None:
    """Adds one identifier and what is derived from it; of one named twice the higher confidence stays."""
    named = normalise(kind, value, rules.policy, rules.default_region)
    if isinstance(named, Refused):
        if named.note == CARD_NUMBER:
            raise _card_number()
        # A text that is no kind's name may be a value in the wrong place: it is not repeated.
        notes.append((kind if named.note != UNKNOWN_KIND or _is_kind(kind) else "", named.note))
        return
    if confidence > found.get(named, 0.0):
        found[named] = confidence
    if named[0] == "email" and "email_sha256" in rules.policy.kinds:
        derived = ("email_sha256", email_sha256(named[1]))
        if confidence > found.get(derived, 0.0):
            found[derived] = confidence


def _card_number() -> Refusal:
    return Refusal(Reason.CARD_NUMBER, "identifiers: expected a token in place of a card's number")


def _names_card(record: Record, rules: Rules) -> bool:
    named = (normalise(row["kind"], row["value"], rules.policy, rules.default_region) for row in record["identifiers"])
    return Refused(CARD_NUMBER) in named


def _pack(
    record: Record, order_id: str | None, at_ms: int, lacking: list[str], rules: Rules,
) -> tuple[bytes, bytes]:
    """`Event.content` and `Event.order`; Refusal at the first bad amount, currency or time of any part."""
    products, cart = parts.products(record), parts.cart(record)
    order, returned = parts.order(record, order_id), parts.returned(record)
    loyalty = parts.points(record)
    campaign_cost, message_cost = parts.cost(record, "campaign"), parts.cost(record, "message")
    shown = _shown(record["type"], products, (returned, order, cart))
    place = record["place"]
    zone = place["zone"] if place is not None else None
    local_ms = parts.local_ms(at_ms, record["utc_offset_min"], zone, rules.reporting_zone)
    content = parts.pack_content(
        record, local_ms, shown, _money(returned, order, cart), campaign_cost or message_cost, lacking,
    )
    return content, parts.pack_order(order, returned, loyalty)


def _shown(type_: str, products: list[parts.Part], told: tuple[parts.Part | None, ...]) -> list[parts.Part]:
    """The lines the touchpoint shows: its products, else the first lines told; `told` ends with the cart.

    Of a cart_updated always the cart's, which may be none: its products are what was put in or taken out.
    """
    if type_ == "cart_updated":
        products, told = [], told[-1:]
    return products or next((part["items"] for part in told if part and part.get("items")), [])


def _money(returned: parts.Part | None, order: parts.Part | None, cart: parts.Part | None) -> parts.Part:
    """What the touchpoint is about in money: what is returned, else the order's total, else the cart's total."""
    for part, name in ((returned, "amount"), (order, "total"), (cart, "total")):
        if part is not None and name in part:
            return {"amount": part[name], "currency": part["currency"]}
    return _NONE
