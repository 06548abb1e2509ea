"""Content-Encoding in both directions, streaming, with the codecs a ClickHouse server knows.

Rule kept: memory is that of one chunk; a damaged body is an error with ClickHouse's code, never a shorter body.
"""

import zlib
from collections.abc import Callable
from typing import Any, Protocol

import lz4.frame
import zstandard

from deploy.local.gateway.errors import ClickHouseError


class Decoder(Protocol):
    """Takes compressed pieces, gives plain ones; `eof` once the compressed stream is complete."""

    eof: bool

    def decompress(self, data: bytes) -> bytes:
        """The plain bytes that `data` completes."""
        ...


# gzip and deflate go through zlib, whose window bits say which: 31 gzip, 15 zlib as HTTP's deflate means it.
DECODERS: dict[str, Callable[[], Any]] = {
    "gzip": lambda: zlib.decompressobj(31),
    "deflate": lambda: zlib.decompressobj(15),
    "zstd": lambda: zstandard.ZstdDecompressor().decompressobj(),
    "lz4": lz4.frame.LZ4FrameDecompressor,
}
ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "lz4": lambda data: bytes(lz4.frame.compress(data)),
    "zstd": lambda data: zstandard.ZstdCompressor(level=1).compress(data),
    "gzip": lambda data: _deflated(data, 31),
    "deflate": lambda data: _deflated(data, 15),
}


def decoder(encoding: str) -> Decoder:
    """The decoder of a request's Content-Encoding; ClickHouseError 89 for an unknown one."""
    if encoding not in DECODERS:
        raise ClickHouseError(89, "UNKNOWN_COMPRESSION_METHOD", f"Unknown compression method: {encoding}")
    made: Decoder = DECODERS[encoding]()
    return made


def damaged(encoding: str) -> ClickHouseError:
    """The error for a body that is not what its Content-Encoding says, or ends too early."""
    return ClickHouseError(271, "CANNOT_DECOMPRESS", f"Body is not complete {encoding} data")


def accepted(header: str) -> str | None:
    """The encoding to answer with: the first in Accept-Encoding that is known and not refused with q=0."""
    for part in header.split(","):
        name, _, quality = part.strip().partition(";")
        if name.strip().lower() in ENCODERS and quality.replace(" ", "") not in ("q=0", "q=0.0"):
            return name.strip().lower()
    return None


def _deflated(data: bytes, window_bits: int) -> bytes:
    packer = zlib.compressobj(level=3, wbits=window_bits)
    return packer.compress(data) + packer.flush()
