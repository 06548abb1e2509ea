"""Bodies of requests: bounded while they come in, bounded while they are unpacked."""

import zlib
from typing import Any

import msgspec
from fastapi import Request

from connectors.collector.answers import Refused
from streams.core.refusal import Reason, Reject

BODY_BYTES_MAX = 4 * 1024 * 1024
"""Also of an unpacked body. Segment's clients send at most 500 KB a batch."""

BAD_JSON = Reject(Reason.BAD_JSON, "expected a JSON object, in UTF-8")

_GZIP = zlib.MAX_WBITS | 16
_decode = msgspec.json.Decoder().decode


async def read(request: Request) -> bytes:
    """The body as the client wrote it before compressing.

    Errors: Refused (413) where it is too large, (400) where its gzip is broken, (415) where it is packed otherwise.
    """
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > BODY_BYTES_MAX:
            raise _too_large()
        parts.append(part)
    body = b"".join(parts)
    coding = request.headers.get("content-encoding", "").strip().lower()
    if coding in ("", "identity"):
        return body
    if coding not in ("gzip", "x-gzip"):
        raise Refused(415, "bad_encoding", "expected Content-Encoding gzip, or none", {"Accept-Encoding": "gzip"})
    return unpacked(body)


def unpacked(body: bytes) -> bytes:
    """What a gzip file holds; as much as is allowed is unpacked and no more. Errors: Refused, as `read`."""
    found, size, rest = list[bytes](), 0, body
    while rest:
        stream = zlib.decompressobj(_GZIP)
        try:
            part = stream.decompress(rest, BODY_BYTES_MAX + 1 - size)
        except zlib.error:
            raise Refused(400, "bad_encoding", "expected a body in gzip, as its header says") from None
        size += len(part)
        if size > BODY_BYTES_MAX:
            raise _too_large()
        if not stream.eof:
            raise Refused(400, "bad_encoding", "expected a whole gzip file; it ends too early")
        found.append(part)
        rest = stream.unused_data  # a file may have several members (RFC 1952, section 2.2)
    return b"".join(found)


def parsed(body: bytes) -> Any | Reject:
    """The JSON value of a body, whatever its content type says: sendBeacon and some clients say text or a form."""
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return BAD_JSON


def _too_large() -> Refused:
    return Refused(413, "oversize", f"expected a body of at most {BODY_BYTES_MAX} bytes, also unpacked")
