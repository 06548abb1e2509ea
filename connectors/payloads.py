"""What the collector refused, read again: a call of Segment's, or what a webhook brought, by the mappings of now.

A letter keeps the body and the source, not the request. A body whose system told half of it in headers cannot be read
again; nor can one that several systems of a source would read.
"""

from pathlib import Path
from typing import Any

import msgspec

from connectors import segment
from connectors.collector.collecting import source_of
from connectors.collector.keys import Keys
from connectors.incoming import Event, Incoming
from connectors.segment.calls import TYPES
from connectors.source import Source
from connectors.webhooks.systems import SYSTEMS
from streams.core.refusal import Reason, Reject

COLLECTOR = "collector:"
"""Before the name of a source, in a dead letter."""


class Payloads:
    """Reads bodies under the keys and the mapping of Segment's calls of a home."""

    def __init__(self, home: Path) -> None:
        self._keys, self._segment = Keys(home), segment.load(home)

    def events(self, raw: bytes, source: str, received_ms: int) -> list[Event] | Reject:
        """The events of a body that a source sent, not checked yet.

        Shape:  source as the letter names it; received_ms is when the body came.
        """
        try:
            value = msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            value = None
        keys = self._keys.of_source(source.removeprefix(COLLECTOR))
        if not keys:
            return Reject(Reason.BAD_VALUE, "its source has no key any more")
        if isinstance(value, dict) and "event_id" in value:
            channels = sorted({channel for key in keys for channel in key.channels})
            if not channels or value.get("channel") in channels:
                return [value]
            return Reject(Reason.CHANNEL_MISMATCH, f"channel: the keys of the source are for {', '.join(channels)}")
        if isinstance(value, dict) and value.get("type") in TYPES:
            return segment.decode(value, source_of(keys[0]), received_ms, self._segment)
        systems = sorted({name for key in keys for name in key.secrets} & SYSTEMS.keys())
        read = [found for name in systems if (found := _read(name, raw, source_of(keys[0]), received_ms))]
        if len(read) != 1:
            return Reject(Reason.BAD_VALUE, "its body alone does not say what it is: send it anew from its source")
        return read[0]


def _read(system: str, raw: bytes, source: Source, received_ms: int) -> list[Any]:
    """The events of a body as one system reads it; none where any of it cannot be read."""
    found = SYSTEMS[system].decode(Incoming(raw), source, received_ms)
    return found if all(isinstance(one, dict) for one in found) else []
