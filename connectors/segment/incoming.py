"""A body of Segment's HTTP API as a `Decode`: one call, or a batch of them."""

from typing import Any

import msgspec

from connectors.incoming import Decoded, Incoming, Unreadable
from connectors.segment.calls import unbatch
from connectors.segment.decode import decode
from connectors.source import Source
from streams.core.refusal import Reason, Reject


def decode_body(incoming: Incoming, source: Source, received_ms: int) -> Decoded:
    """What the calls of a body say, by the mapping that comes with the product."""
    try:
        body = msgspec.json.decode(incoming.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return [Unreadable(Reject(Reason.BAD_JSON, "expected a JSON object"))]
    calls: list[Any] = [body]
    if isinstance(body, dict) and isinstance(body.get("batch"), list):
        calls = unbatch(body)
    found: Decoded = []
    for call in calls:
        events = decode(call, source, received_ms)
        if isinstance(events, Reject):
            found.append(Unreadable(events, msgspec.json.encode(call)))
        else:
            found += events
    return found
