"""Messenger of a Facebook page: messages, buttons, deliveries, reads, referrals from advertisements and m.me links.

Source: developers.facebook.com/docs/messenger-platform/reference/webhook-events.
"""

from typing import Any

from msgspec import Struct

from connectors.incoming import Decoded, Incoming
from connectors.source import Source
from connectors.webhooks import meta
from connectors.webhooks.reading import decoder, each, parsed
from connectors.webhooks.system import System
from streams.core.refusal import Reason, Refusal


class _Entry(Struct, frozen=True):
    id: str
    messaging: list[Any] = []
    standby: list[Any] = []


class _Body(Struct, frozen=True):
    object: str
    entry: list[Any]


@decoder
def decode(incoming: Incoming, source: Source, _received_ms: int) -> Decoded:
    body = parsed(incoming.body, _Body)
    if body.object != "page":
        raise Refusal(Reason.BAD_VALUE, "object: expected page")

    def read(entry: _Entry) -> Decoded:
        thread = meta.Thread("facebook", "facebook_id", entry.id, source)
        return each([*entry.messaging, *entry.standby], meta.Messaging, thread.read)

    return each(body.entry, _Entry, read)


MESSENGER = System("messenger", "Messenger (Meta)", ("facebook", "ads"), meta.verify, decode, meta.handshake)
