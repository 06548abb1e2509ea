"""Literal events in one line, for tests.

An id is written `kind:value` or `kind:value@confidence`; an `email` brings no hash here, an order brings its order_id.
"""

import hashlib
from typing import Any

from streams.core.event import SCALE, Event, pack
from streams.core.said import ATTACHED, CANCELLED_ORDER, SPEECH, Talk

CONTENT: list[Any] = [0, "", None, [], *10 * [None], {}, [], None, None]


def identifier(text: str) -> tuple[str, str, float]:
    kind, _, rest = text.partition(":")
    value, _, last = rest.rpartition("@")
    is_told = bool(value) and last.replace(".", "", 1).isdigit()  # else the @ is the value's own
    return (kind, value, float(last)) if is_told else (kind, rest, 1.0)


def event(event_id: str, at_ms: int, *ids: str, offset: int | None = None, **fields: Any) -> Event:
    """An accepted event: a page view on the web unless `fields` say otherwise.

    `order`, `returned` and `points_spent` are maps as told by a producer, amounts already scaled; so are `traits`,
    `preferences` and `consents`. Of a type that talk is made of, what it says is given as fields of `Talk`.
    """
    names = [name for name in Talk.__struct_fields__ if name in fields]
    talk = Talk(**{name: fields.pop(name) for name in names})
    attributes = [fields.pop(name, {}) for name in ("traits", "preferences", "consents")]
    source = fields.pop("source", "crm")
    told = {
        "order": fields.pop("order", None), "return": fields.pop("returned", None),
        "points_spent": fields.pop("points_spent", None),
    }
    told = {name: value for name, value in told.items() if value is not None}
    order_id = told["order"]["order_id"] if "order" in told else None
    named = {identifier(i)[:2]: identifier(i) for i in ids}
    if order_id is not None:
        named["order_id", order_id] = "order_id", order_id, 1.0
    values: dict[str, Any] = {
        "event_id": event_id, "at_ms": at_ms, "ids": tuple(sorted(named.values())), "channel": "web",
        "type": "page_viewed", "role": "interaction", "device": None, "store_id": None, "staff": None, "city": None,
        "order_id": order_id, "campaign": None, "referrer": None, "click_id": None, "message_id": None,
        "conversation_id": None, "content": pack([at_ms, *CONTENT[1:]]), "order": pack(told) if told else b"",
        "talk": pack(talk) if is_talk(fields) else b"", "told": pack([source, *attributes]) if any(attributes) else b"",
    } | fields
    digest = hashlib.blake2b(pack(values), digest_size=16).digest()
    position = (f"events.{values['channel']}", 0, offset if offset is not None else int.from_bytes(digest[:5], "big"))
    return Event(received_ms=at_ms + 1000, position=position, digest=digest, **values)


def is_talk(fields: dict[str, Any]) -> bool:
    """As the acceptance of an event decides, but for messages of campaigns."""
    kind, role = fields.get("type", "page_viewed"), fields.get("role", "interaction")
    if role not in ("interaction", "exposure"):
        return bool(role == "order_fact" and kind == CANCELLED_ORDER)
    return kind in SPEECH | ATTACHED or fields.get("conversation_id") is not None


def money(amount: float) -> int:
    return round(amount * SCALE)
