"""A call of a Segment SDK: its shape, its time and its id. A batch taken apart.

Rules kept here (docs/decisions/0105):
- The id is the call's messageId behind the source's name: ids are unique within one producer only. A call without one
  gets the hash of what it says, so that a repeat stays one event; a call that says no time either is new every time.
- The time is the call's `timestamp`, or `originalTimestamp`. A device's clock is set right by the difference between
  `sentAt` and the reception, in whole minutes: what is sent again gets the same time.
- What tells of the delivery and not of the customer is no part of the event, as it differs from attempt to attempt.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec

from connectors.segment import values
from streams.core.accept import EVENT_ID_LENGTH_MAX
from streams.core.refusal import Reason, Refusal

TYPES = ("identify", "track", "page", "screen", "group", "alias")
DELIVERY = frozenset({"sentAt", "receivedAt", "originalTimestamp", "timestamp", "messageId", "writeKey", "_metadata"})
"""Keys of a call that are no part of what it says; the time and the id have fields of their own."""

_MINUTE_MS = 60_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_canonical = msgspec.json.Encoder(order="sorted").encode


def unbatch(body: Mapping[str, Any]) -> list[Any]:
    """The calls of a request's body: of its `batch`, else the body itself.

    What a batch says beside its calls (context, integrations, sentAt) holds for each call that does not say otherwise.
    No call keeps a write key: a call that is refused is stored for others to read.
    Errors: none; what is no call stays among them, for `decode` to refuse.
    """
    batch = body.get("batch")
    if not isinstance(batch, list):
        return [keyless(body)]
    common = {key: body[key] for key in ("context", "integrations", "sentAt") if body.get(key)}
    return [_with(common, keyless(call)) if isinstance(call, dict) else call for call in batch]


def keyless(call: Mapping[str, Any]) -> dict[str, Any]:
    """A call without the write key that came with it."""
    return {key: value for key, value in call.items() if key != "writeKey"}


def _with(common: Mapping[str, Any], call: dict[str, Any]) -> dict[str, Any]:
    merged = {**common, **call}
    for key in ("context", "integrations"):
        ours, theirs = common.get(key), call.get(key)
        if isinstance(ours, dict) and isinstance(theirs, dict):
            merged[key] = ours | theirs
        elif ours is not None and theirs is None:
            merged[key] = ours
    return merged


def check(call: Any) -> Mapping[str, Any]:
    """The call, if it has the shape of one; Refusal else."""
    if not isinstance(call, dict):
        raise Refusal(Reason.BAD_VALUE, "expected a call, which is a JSON object")
    if call.get("type") not in TYPES:
        raise Refusal(Reason.BAD_VALUE, f"type: expected one of {', '.join(TYPES)}")
    for key in ("context", "properties", "traits"):
        if call.get(key) is not None and not isinstance(call[key], dict):
            raise Refusal(Reason.BAD_VALUE, f"{key}: expected an object")
    if call["type"] == "track" and not (isinstance(call.get("event"), str) and call["event"].strip()):
        raise Refusal(Reason.MISSING_FIELD, "event: a track call needs the name of what was done")
    return call


def id_of(call: Mapping[str, Any], source: str, received_ms: int) -> str:
    """The event_id; see the head of this module."""
    message_id = values.name(call.get("messageId"))
    if message_id is None:
        said: dict[str, Any] = {key: value for key, value in call.items() if key not in DELIVERY}
        said["timestamp"] = call.get("timestamp") or call.get("originalTimestamp") or received_ms
        message_id = blake2b(_canonical(said), digest_size=16).hexdigest()
    name = f"{source}:{message_id}"
    if len(name) <= EVENT_ID_LENGTH_MAX:
        return name
    digest = blake2b(message_id.encode(), digest_size=16).hexdigest()
    return f"{source[: EVENT_ID_LENGTH_MAX - len(digest) - 1]}:{digest}"


def time_of(call: Mapping[str, Any], received_ms: int) -> tuple[int, int | None]:
    """(occurred_ms, utc_offset_min); Refusal where a time is none.

    A call that says when it was received was forwarded, with its time set right already. An offset of zero is a
    server's way to write, not a place.
    """
    text, received = call.get("timestamp") or call.get("originalTimestamp"), call.get("receivedAt")
    if not text:
        return _instant("receivedAt", received) if received else (received_ms, None)
    at_ms, offset_min = _instant("timestamp", text)
    if call.get("sentAt") and not received:
        minutes = round((received_ms - _instant("sentAt", call["sentAt"])[0]) / _MINUTE_MS)
        at_ms += minutes * _MINUTE_MS
    return at_ms, offset_min


_seconds_below = 100_000_000_000
"""Epoch seconds until the year 5138; in milliseconds that is March 1973."""

_is_epoch = re.compile(r"\d{9,14}").fullmatch


def _instant(key: str, value: Any) -> tuple[int, int | None]:
    if isinstance(value, str) and _is_epoch(value):
        value = int(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**53:
        return int(value * 1000 if abs(value) < _seconds_below else value), None
    if isinstance(value, str):
        try:
            at = datetime.fromisoformat(value.strip())
        except ValueError:
            at = None
        if at is not None:
            offset = at.utcoffset() or timedelta()
            at = at if at.tzinfo else at.replace(tzinfo=UTC)
            return (at - _EPOCH) // timedelta(milliseconds=1), int(offset.total_seconds()) // 60 or None
    raise Refusal(Reason.BAD_TIME, f"{key}: expected ISO 8601 such as 2026-03-01T10:00:00.000Z")
