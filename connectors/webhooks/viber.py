"""Viber bots: messages, deliveries, reads, subscriptions.

Rules kept here:
- Signature: X-Viber-Content-Signature is the hex HMAC-SHA256 of the body under the bot's authentication token.
- `message_token` names a message in all its callbacks; one token of a broadcast goes to many, so the ids of what became
  of it carry a digest of the user too.
- A contact card may be anybody's: its number identifies nobody.

Source: developers.viber.com/docs/api/rest-bot-api (Callbacks).
"""

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from connectors.incoming import Decoded, Event, Incoming
from connectors.source import Source
from connectors.webhooks.reading import Number, decoder, digest, event, event_id, ms, parsed, who
from connectors.webhooks.system import System, hex_sha256, same
from streams.core.refusal import Reason, Refusal

_REPORTS = {"delivered": "message_delivered", "seen": "message_opened", "failed": "message_failed"}


class _User(Struct, frozen=True):
    id: str
    name: str | None = None
    language: str | None = None
    country: str | None = None


class _Place(Struct, frozen=True):
    lat: float | None = None
    lon: float | None = None


class _Message(Struct, frozen=True):
    type: str
    text: str | None = None
    media: str | None = None
    file_name: str | None = None
    tracking_data: str | None = None
    location: _Place | None = None


class _Callback(Struct, frozen=True):
    event: str
    timestamp: Number
    message_token: int | str | None = None
    user_id: str | None = None
    user: _User | None = None
    sender: _User | None = None
    message: _Message | None = None
    context: str | None = None
    subscribed: bool | None = None
    desc: str | None = None


def verify(incoming: Incoming, secret: str) -> bool:
    return same(incoming.headers.get("x-viber-content-signature", "").lower(), hex_sha256(secret, incoming.body))


@decoder
def decode(incoming: Incoming, source: Source, _received_ms: int) -> Decoded:
    told = parsed(incoming.body, _Callback)
    read: Callable[[_Callback, Source], Iterable[Event]] | None = {
        "message": _message, "subscribed": _subscription, "unsubscribed": _subscription,
        "conversation_started": _started, "webhook": _nothing, "client_status": _nothing, "action": _nothing,
        **dict.fromkeys(_REPORTS, _report),
    }.get(told.event)
    if read is None:
        raise Refusal(Reason.BAD_VALUE, "event: expected message, delivered, seen, failed, subscribed, unsubscribed …")
    return [*read(told, source)]


def _nothing(_told: _Callback, _source: Source) -> Iterable[Event]:
    """The address is being checked; a device came online."""
    return []


def _message(told: _Callback, source: Source) -> Iterable[Event]:
    if told.sender is None or told.message is None:
        raise Refusal(Reason.MISSING_FIELD, "sender and message: expected both")
    said, place = told.message, told.message.location or _Place()
    yield _event(
        "message_received", told, told.sender, source, told.message_token,
        message={"message_id": _mid(told), "text": said.text},
        properties={
            "message_type": said.type, "media": said.media, "file_name": said.file_name,
            "tracking_data": said.tracking_data, "latitude": place.lat, "longitude": place.lon,
        },
    )


def _report(told: _Callback, source: Source) -> Iterable[Event]:
    user = _User(told.user_id or "")
    yield _event(_REPORTS[told.event], told, user, source, told.message_token, digest(user.id),
                 message={"message_id": _mid(told)}, properties={"error": told.desc})


def _subscription(told: _Callback, source: Source) -> Iterable[Event]:
    user = told.user or _User(told.user_id or "")
    yield _event(told.event, told, user, source, told.message_token or digest(user.id, told.timestamp),
                 consent={"viber": told.event == "subscribed"})


def _started(told: _Callback, source: Source) -> Iterable[Event]:
    """The chat was opened, perhaps by a link that says where it stood."""
    if told.user is None:
        raise Refusal(Reason.MISSING_FIELD, "user: expected the one who opened the chat")
    yield _event(told.event, told, told.user, source, told.message_token or digest(told.user.id, told.timestamp),
                 properties={"context": told.context, "subscribed": told.subscribed})


def _event(kind: str, told: _Callback, user: _User, source: Source, *name: object, **fields: Any) -> Event:
    return event(
        event_id=event_id("viber", source.name, kind, *name), channel="viber", type=kind,
        occurred_at=ms(told.timestamp, "timestamp"), source=source.name, device=source.device, language=user.language,
        identifiers=who("viber_id", user.id), traits={"name": user.name}, place={"country": user.country}, **fields,
    )


def _mid(told: _Callback) -> str | None:
    return f"viber:{told.message_token}" if told.message_token is not None else None


VIBER = System("viber", "Viber bot", ("viber",), verify, decode)
