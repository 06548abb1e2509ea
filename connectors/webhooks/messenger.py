"""Messenger of a Facebook page, and comments under the page's posts.

Rules kept here: of what happens on the page (`feed`) only comments of others are told; the page's own posts and
answers, reactions, edits and removals are nothing.

Source: developers.facebook.com/docs/messenger-platform/reference/webhook-events,
developers.facebook.com/docs/graph-api/webhooks/reference/page (feed).
"""

from typing import Any

from msgspec import Struct

from connectors.incoming import Decoded, Event, Incoming
from connectors.source import Source
from connectors.webhooks import meta
from connectors.webhooks.reading import Number, decoder, digest, each, event, event_id, ms_of_seconds, parsed, who
from connectors.webhooks.system import System
from streams.core.refusal import Reason, Refusal


class _Entry(Struct, frozen=True):
    id: str
    messaging: list[Any] = []
    standby: list[Any] = []
    changes: list[Any] = []


class _From(Struct, frozen=True):
    id: str | None = None
    name: str | None = None


class _Feed(Struct, frozen=True, rename={"sender": "from"}):
    item: str
    verb: str | None = None
    sender: _From = _From()
    comment_id: str | None = None
    parent_id: str | None = None
    post_id: str | None = None
    message: str | None = None
    created_time: Number = None


@decoder
def decode(incoming: Incoming, source: Source, _received_ms: int) -> Decoded:
    body = parsed(incoming.body, meta.Body)
    if body.object != "page":
        raise Refusal(Reason.BAD_VALUE, "object: expected page")

    def read(entry: _Entry) -> Decoded:
        thread = meta.Thread("facebook", "facebook_id", entry.id, source)
        return [
            *each([*entry.messaging, *entry.standby], meta.Messaging, thread.read,
                  lambda part: {"id": entry.id, "messaging": [part]}),
            *each(entry.changes, meta.Change, lambda change: _change(change, entry, source),
                  lambda part: {"id": entry.id, "changes": [part]}),
        ]

    return each(body.entry, _Entry, read, lambda part: {"object": body.object, "entry": [part]})


def _change(change: meta.Change, entry: _Entry, source: Source) -> Decoded:
    if change.field != "feed":
        raise Refusal(Reason.BAD_VALUE, "field: expected feed")
    return each([change.value], _Feed, lambda feed: _commented(feed, entry, source),
                lambda part: {"field": change.field, "value": part})


def _commented(feed: _Feed, entry: _Entry, source: Source) -> list[Event]:
    if feed.item != "comment" or feed.verb != "add" or feed.sender.id == entry.id:
        return []
    # The answer to a comment names that comment, a comment on a post the post itself.
    answered = feed.parent_id if feed.parent_id != feed.post_id else None
    return [event(
        event_id=event_id("facebook", "commented", digest(feed.comment_id)),
        channel="facebook",
        type="commented",
        occurred_at=ms_of_seconds(feed.created_time, "created_time"),
        source=source.name,
        device=source.device,
        identifiers=who("facebook_id", f"{entry.id}:{feed.sender.id}" if feed.sender.id else None),
        message={
            "message_id": f"facebook:{digest(feed.comment_id)}", "text": feed.message,
            "reply_to": f"facebook:{digest(answered)}" if answered else None,
        },
        properties={"post_id": feed.post_id},
        traits={"name": feed.sender.name},
    )]


MESSENGER = System(
    "messenger", "Messenger and comments on a page (Meta)", ("facebook", "ads"), meta.verify, decode, meta.handshake,
)
