"""Bodies of requests: bounded while they come in, bounded while they are unpacked, bounded all together.

A body must come within `BODY_S_MAX`; what all requests hold at a moment is at most `HELD_BYTES_MAX`, and whoever comes
then is asked to come again. What a request held is given back when it is answered (`envelope`).
"""

import asyncio
import zlib
from typing import Any

import msgspec
from fastapi import Request
from starlette.requests import ClientDisconnect

from connectors.collector.answers import Refused
from connectors.collector.collecting import Collector
from streams.core.refusal import Reason, Reject

BODY_BYTES_MAX = 4 * 1024 * 1024
"""Also of an unpacked body. Segment's clients send at most 500 KB a batch."""

KEYLESS_BYTES_MAX = 1024 * 1024
"""Of a body that must be read before it is known whose it is: a beacon has at most 64 KiB."""

HELD_BYTES_MAX = 64 * 1024 * 1024
EVENTS_MAX = 5_000
"""Of one body: more would keep others waiting for seconds."""

BODY_S_MAX = 30.0
_MEMBERS_MAX = 16
"""Of one gzip file. Nobody sends more than one."""

BAD_JSON = Reject(Reason.BAD_JSON, "expected a JSON object, in UTF-8")

_GZIP = zlib.MAX_WBITS | 16
_decode = msgspec.json.Decoder().decode


async def read(request: Request, bytes_max: int = BODY_BYTES_MAX) -> bytes:
    """The body as the client wrote it before compressing.

    Errors: Refused (413) where it is too large, (400) where its gzip is broken or it was cut off, (408) where it takes
    too long, (415) where it is packed otherwise, (503) where others hold too much at the moment.
    """
    try:
        async with asyncio.timeout(BODY_S_MAX):
            body = await _received(request, bytes_max)
    except TimeoutError:
        raise Refused(408, "too_slow", f"expected the body within {BODY_S_MAX:g} s") from None
    except ClientDisconnect:
        raise Refused(400, "cut_off", "expected a whole body") from None
    coding = request.headers.get("content-encoding", "").strip().lower()
    if coding in ("", "identity"):
        return body
    if coding not in ("gzip", "x-gzip"):
        raise Refused(415, "bad_encoding", "expected Content-Encoding gzip, or none", {"Accept-Encoding": "gzip"})
    whole = unpacked(body, bytes_max)
    _hold(request, len(whole))
    return whole


async def _received(request: Request, bytes_max: int) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > bytes_max:
            raise _too_large(bytes_max)
        _hold(request, len(part))
        parts.append(part)
    return b"".join(parts)


def _hold(request: Request, size: int) -> None:
    """Errors: Refused (503) where all requests together hold too much."""
    collector: Collector = request.app.state.collector
    collector.held_bytes += size
    request.state.held_bytes = getattr(request.state, "held_bytes", 0) + size
    if collector.held_bytes > HELD_BYTES_MAX:
        raise Refused(503, "busy", "too much comes in at the moment", {"Retry-After": "1"})


def unpacked(body: bytes, bytes_max: int = BODY_BYTES_MAX) -> bytes:
    """What a gzip file holds; as much as is allowed is unpacked and no more. Errors: Refused, as `read`."""
    found, size, rest = list[bytes](), 0, body
    while rest and len(found) < _MEMBERS_MAX:
        stream = zlib.decompressobj(_GZIP)
        try:
            part = stream.decompress(rest, bytes_max + 1 - size)
        except zlib.error:
            raise Refused(400, "bad_encoding", "expected a body in gzip, as its header says") from None
        size += len(part)
        if size > bytes_max:
            raise _too_large(bytes_max)
        if not stream.eof:
            raise Refused(400, "bad_encoding", "expected a whole gzip file; it ends too early")
        found.append(part)
        rest = stream.unused_data  # a file may have several members (RFC 1952, section 2.2)
    if rest:
        raise Refused(400, "bad_encoding", f"expected at most {_MEMBERS_MAX} members of a gzip file")
    return b"".join(found)


def few(events: int) -> None:
    """Errors: Refused (413) where a body brings too many events."""
    if events > EVENTS_MAX:
        raise Refused(413, "too_many", f"expected at most {EVENTS_MAX} events in a request; came {events}")


def parsed(body: bytes) -> Any | Reject:
    """The JSON value of a body, whatever its content type says: sendBeacon and some clients say text or a form."""
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return BAD_JSON


def _too_large(bytes_max: int) -> Refused:
    return Refused(413, "oversize", f"expected a body of at most {bytes_max} bytes, also unpacked")
