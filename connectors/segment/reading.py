"""A request's body of Segment's API, read as a whole: what the contract suite and replays of dead letters call.

The collector reads bodies by itself, as it looks for the key in them.
"""

import msgspec

from connectors.incoming import Decoded, Incoming, Unreadable
from connectors.segment.calls import unbatch
from connectors.segment.decode import decode
from connectors.source import Source
from streams.core.refusal import Reason, Reject

_parse = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def read(incoming: Incoming, source: Source, received_ms: int) -> Decoded:
    """The events of a body, a batch or a single call; what is refused with its own bytes. Errors: none."""
    try:
        body = _parse(incoming.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = None
    if not isinstance(body, dict):
        return [Unreadable(Reject(Reason.BAD_JSON, "expected a JSON object"))]
    found: Decoded = []
    for call in unbatch(body):
        outcome = decode(call, source, received_ms)
        found += [Unreadable(outcome, _encode(call))] if isinstance(outcome, Reject) else outcome
    return found
