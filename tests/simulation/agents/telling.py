"""A random world's events and words as producers and operators write them: Avro records in Confluent's wire format.

Identifiers and times of `tests.strategies` are moved to where the contract accepts them; what decides the graph and
the rows stays as it was drawn. What the oracle is asked about is read back from the records as they lie in Kafka.
"""

import json
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import msgspec

from schemas.records import CHANNEL_EVENT, COMMAND
from schemas.wire import HEAD_BYTES, frame
from streams.core.accept import Outcome, Rules, accept, named_by
from streams.core.channels import CHANNELS
from streams.core.commands import ErasureDocument, settings_document
from streams.core.erasing import FOR_EVER_MS
from streams.core.event import SCALE, Event, Identifier, unpack
from streams.core.keys import Keys
from streams.core.policy import default
from streams.core.reading import Reader
from streams.core.said import BOT, Talk, talk_of, told_of
from tests.oracle.erasure import Erasure
from tests.oracle.rules import Word
from tests.simulation.agents.kafka import Record
from tests.simulation.broker import PEPPER
from tests.simulation.policy_file import to_toml
from tests.strategies import DAY_MS, Change

FIRST_MS = 20_454 * DAY_MS
"""2026-01-01"""
KAFKA_MS = FIRST_MS + 4 * DAY_MS
RULES = Rules(default(), CHANNELS, default_region="", reporting_zone="UTC")

EVENT_ID, COMMAND_ID, UNKNOWN_ID = 1, 2, 404
"""Ids of schemas."""

_FORMS = {
    "phone": "+38067123450{}", "email": "p{}@example.com", "loyalty_card": "100{}", "wifi_mac": "00:11:22:33:44:0{}",
}
_read = Reader(json.loads(CHANNEL_EVENT.text)).read


def identifier(named: Identifier) -> Identifier:
    """A world's v0, v1 … and n, in the normal form of their kind."""
    kind, value = named
    return kind, _FORMS.get(kind, kind[0] + "-{}").format(value.removeprefix("v").replace("n", "9"))


def event_record(e: Event) -> bytes:
    """An event as its producer sends it."""
    told = unpack(e.order) if e.order else {}
    record: dict[str, Any] = {
        "event_id": e.event_id, "channel": e.channel, "type": e.type, "role": e.role,
        "occurred_at": FIRST_MS + e.at_ms, "device": e.device,
        "identifiers": [
            {"kind": kind, "value": identifier((kind, value))[1], "confidence": confidence}
            for kind, value, confidence in e.ids if kind not in ("order_id", "email_sha256", "click_id")
        ],
    }
    if e.store_id or e.city:
        record["place"] = {"store_id": e.store_id, "city": e.city}
    if e.referrer:
        record["properties"] = {"referrer": e.referrer}
    if e.type == "cart_updated":
        record["cart"] = {}
    if e.unavailable:
        record["products"] = [{"sku": "u", "available": False}]
    record |= _talk(e)
    if e.told:
        said = told_of(e.told)
        record |= {"source": said.source, "traits": said.traits, "preference": said.preferences,
                   "consent": said.consents}
    clicks = [identifier((kind, value))[1] for kind, value, _ in e.ids if kind == "click_id"]
    if e.campaign or clicks:
        record["campaign"] = {"name": e.campaign, "click_id": clicks[0] if clicks else None}
        record["identifiers"] += [{"kind": "click_id", "value": value} for value in clicks[1:]]
    if "order" in told:
        record["order"] = {"currency": "EUR"} | _amounts(told["order"])
    if "return" in told:
        record["return"] = {"currency": "EUR"} | _amounts(told["return"])
    if "points_spent" in told:
        record["loyalty"] = {"points_spent": _text(told["points_spent"])}
    read = _read(msgspec.json.encode(record))
    assert isinstance(read, dict), read
    return frame(EVENT_ID, CHANNEL_EVENT.encode(read))


def plain_event(event_id: str) -> Callable[..., bytes]:
    """Makes records of a page view, changed in some fields."""

    def record(**fields: Any) -> bytes:
        told = {"event_id": event_id, "channel": "web", "type": "page_viewed", "occurred_at": FIRST_MS,
                "identifiers": [{"kind": "device_id", "value": "d-0"}]}
        read = _read(msgspec.json.encode(told | fields))
        assert isinstance(read, dict), read
        return frame(EVENT_ID, CHANNEL_EVENT.encode(read))

    return record


def _talk(e: Event) -> dict[str, Any]:
    """What an event says to conversations and promises."""
    talk = talk_of(e.talk) if e.talk else Talk()
    record: dict[str, Any] = {"message": {
        "message_id": e.message_id, "conversation_id": e.conversation_id, "topic": talk.topic, "text": talk.text,
        "duration_ms": talk.duration_ms, "wait_ms": talk.wait_ms,
    }}
    if e.staff:
        record["staff"] = {"id": e.staff, "role": BOT if talk.is_bot else None}
    if talk.promise_id or talk.promise_kind or talk.due_ms is not None:
        due_at = None if talk.due_ms is None else FIRST_MS + talk.due_ms
        record["promise"] = {"promise_id": talk.promise_id, "kind": talk.promise_kind, "due_at": due_at}
    return record


_PLAIN = {
    "order_id", "receipt_id", "currency", "promo_code", "return_id", "outcome", "reason", "sku", "line_id", "name",
    "unit", "method", "shipment_id", "status", "carrier", "store_id",
}


def _amounts(part: dict[str, Any]) -> dict[str, Any]:
    """A part of an event with its scaled numbers as decimal texts."""
    out: dict[str, Any] = {}
    for name, value in part.items():
        if name == "promised_at":
            out[name] = FIRST_MS + value
        elif isinstance(value, int):
            out[name] = _text(value)
        elif name in _PLAIN:
            out[name] = value
        elif name in ("items", "payments"):
            out[name] = [_amounts(one) for one in value]
        elif name == "delivery":
            out[name] = _amounts(value)
        else:
            raise AssertionError(f"{name} of a part that no record has")
    return out


def _text(scaled: int) -> str:
    return f"{scaled // SCALE}.{scaled % SCALE:04}"


def word_record(word: Word) -> bytes:
    """A command on a pair of identifiers."""
    a, b = ({"kind": kind, "value": value} for kind, value in word.pair)
    return _command(word.command, word.verb, word.reason, a=a, b=b)


def erasure_record(erasure: Erasure) -> bytes:
    """A command to forget a person; one that is for ever suppresses it."""
    node = Keys(PEPPER, 1).node(erasure.identifier)
    document = ErasureDocument(node.hex(), erasure.until_ms == FOR_EVER_MS)
    return _command(erasure.command, "erase", "asked for", document=msgspec.json.encode(document).decode())


def change_records(change: Change, number: int) -> list[bytes]:
    """A policy, some durations, or both, one after the other."""
    found = []
    if change.policy is not None:
        found.append(_command(f"p{number}", "policy", "", document=to_toml(change.policy)))
    if change.durations:
        found.append(_command(f"s{number}", "settings", "", document=settings_document(change.durations)))
    return found


def _command(command_id: str, verb: str, reason: str, **fields: Any) -> bytes:
    record = {"command_id": command_id, "at": KAFKA_MS, "verb": verb, "reason": reason, "a": None, "b": None,
              "document": None}
    return frame(COMMAND_ID, COMMAND.encode(record | fields))


def outcome(record: Record, channel: str) -> tuple[Outcome | None, set[Identifier]]:
    """What the contract makes of a record of an events topic, None where it cannot be read; and whom it names."""
    if not record.value or record.value[:HEAD_BYTES] != frame(EVENT_ID, b""):
        return None, set()
    try:
        told, plain = CHANNEL_EVENT.read(record.value, HEAD_BYTES)
    except ValueError:
        return None, set()
    digest = blake2b(plain, digest_size=16).digest()
    position = (record.topic, record.partition, record.offset)
    return accept(told, position, record.timestamp, digest, channel, RULES), set(named_by(told, RULES))

