"""What the collector refused, read again: a call of Segment's, or what a webhook brought, by the mappings of now.

A letter names its source, and the connector where one could not read its bytes or gave an event that was refused; what
it holds is one whole input of that connector, or the event.
"""

from pathlib import Path
from typing import Any

import msgspec

from connectors import again, segment
from connectors.collector.keys import Key, Keys, source_of
from connectors.incoming import Event, Unreadable
from streams.core.refusal import Reason, Reject

COLLECTOR = again.COLLECTOR


class Payloads:
    """Reads bodies under the keys and the mapping of Segment's calls of a home."""

    def __init__(self, home: Path) -> None:
        self._keys, self._segment = Keys(home), segment.load(home)

    def events(self, raw: bytes, source: str, received_ms: int) -> list[Event | Reject] | Reject:
        """The events of a body that a source sent, not checked yet.

        Shape:  source as the letter names it; received_ms is when the body came.
        """
        name, connector, topic = again.parts(source)
        keys = self._keys.of_source(name)
        if not keys:
            return Reject(Reason.BAD_VALUE, "its source has no key any more")
        value = _read(raw)
        if isinstance(value, dict) and "event_id" in value:
            return [value] if connector else _allowed(value, keys)
        if connector == "segment":
            found = segment.decode(value, source_of(keys[0]), received_ms, self._segment)
            return found if isinstance(found, Reject) else [*found]
        if not connector:
            return Reject(Reason.BAD_VALUE, "its body alone does not say what it is: send it anew from its source")
        told = again.decode(connector, topic, raw, source_of(keys[0]), received_ms)
        return [one.reject if isinstance(one, Unreadable) else one for one in told]


def _allowed(event: Event, keys: list[Key]) -> list[Event | Reject] | Reject:
    """An event that its source told by itself: of a channel that its keys are for."""
    channels = sorted({channel for key in keys for channel in key.channels})
    if not channels or event.get("channel") in channels:
        return [event]
    return Reject(Reason.CHANNEL_MISMATCH, f"channel: the keys of the source are for {', '.join(channels)}")


def _read(raw: bytes) -> Any:
    """The JSON value of the bytes, None where they are none."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
