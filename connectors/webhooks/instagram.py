"""Instagram: Direct messages as on Messenger, and comments under posts, reels and live videos.

Source: developers.facebook.com/docs/instagram-platform/webhooks/examples.
"""

from typing import Any

from msgspec import Struct

from connectors.incoming import Decoded, Event, Incoming
from connectors.source import Source
from connectors.webhooks import meta
from connectors.webhooks.reading import Number, decoder, digest, each, event, event_id, ms, ms_of_seconds, parsed, who
from connectors.webhooks.system import System
from streams.core.refusal import Reason, Refusal

_SECONDS_MAX = 10**11
"""Above this a number of seconds would lie in the year 5138: it counts milliseconds. Entries of messages have these."""


class _Entry(Struct, frozen=True):
    id: str
    time: Number = None
    messaging: list[Any] = []
    standby: list[Any] = []
    changes: list[Any] = []
    field: str | None = None
    value: Any = None
    """A comment comes in `changes`; to apps with Business Login for Instagram as `field` and `value` right here."""


class _From(Struct, frozen=True):
    id: str
    username: str | None = None


class _Media(Struct, frozen=True):
    id: str | None = None
    media_product_type: str | None = None
    ad_id: str | None = None


class _Comment(Struct, frozen=True, rename={"sender": "from"}):
    id: str
    sender: _From
    text: str | None = None
    parent_id: str | None = None
    media: _Media = _Media()


@decoder
def decode(incoming: Incoming, source: Source, _received_ms: int) -> Decoded:
    body = parsed(incoming.body, meta.Body)
    if body.object != "instagram":
        raise Refusal(Reason.BAD_VALUE, "object: expected instagram")

    def read(entry: _Entry) -> Decoded:
        thread = meta.Thread("instagram", "instagram_id", entry.id, source)
        change = {"field": entry.field, "value": entry.value} if entry.value is not None else {"field": entry.field}
        changes = [*entry.changes, *([change] if entry.field else [])]
        return [
            *each([*entry.messaging, *entry.standby], meta.Messaging, thread.read,
                  lambda part: {"id": entry.id, "messaging": [part]}),
            *each(changes, meta.Change, lambda change: _change(change, entry, source),
                  lambda part: {"id": entry.id, "time": entry.time, "changes": [part]}),
        ]

    return each(body.entry, _Entry, read, lambda part: {"object": body.object, "entry": [part]})


def _change(change: meta.Change, entry: _Entry, source: Source) -> Decoded:
    if change.field not in ("comments", "live_comments"):
        raise Refusal(Reason.BAD_VALUE, "field: expected comments or live_comments")
    return each([change.value], _Comment, lambda comment: _commented(comment, entry, source),
                lambda part: {"field": change.field, "value": part})


def _commented(comment: _Comment, entry: _Entry, source: Source) -> list[Event]:
    if comment.sender.id == entry.id:  # our own answer under our own post
        return []
    ad_id = comment.media.ad_id
    seconds = isinstance(entry.time, int | float) and entry.time < _SECONDS_MAX
    return [event(
        event_id=event_id("instagram", "commented", digest(comment.id)),
        channel="instagram",
        type="commented",
        occurred_at=ms_of_seconds(entry.time, "time") if seconds else ms(entry.time, "time"),
        source=source.name,
        device=source.device,
        identifiers=who("instagram_id", f"{entry.id}:{comment.sender.id}"),
        message={
            "message_id": f"instagram:{digest(comment.id)}", "text": comment.text,
            "reply_to": f"instagram:{digest(comment.parent_id)}" if comment.parent_id else None,
        },
        campaign={"source": "instagram", "medium": "cpc", "content": ad_id} if ad_id else None,
        properties={"media_id": comment.media.id, "media_type": comment.media.media_product_type},
        traits={"instagram_username": comment.sender.username},
    )]


INSTAGRAM = System(
    "instagram", "Instagram Direct and comments (Meta)", ("instagram", "ads"), meta.verify, decode, meta.handshake,
)
