"""Compressed bodies in both directions, streaming, with the codecs a ClickHouse server knows.

Rule kept: memory is that of one piece; a damaged or shortened body is an error with ClickHouse's code, never less data.
"""

import zlib
from collections.abc import Callable
from typing import Any, Protocol

import lz4.frame
import zstandard

from deploy.local.gateway import blocks
from deploy.local.gateway.errors import ClickHouseError


class Decoder(Protocol):
    """Compressed pieces to plain ones."""

    @property
    def eof(self) -> bool:
        """True when the compressed stream is complete."""
        ...

    def decompress(self, data: bytes) -> bytes:
        """The plain bytes that `data` completes."""
        ...


class Encoder(Protocol):
    """Plain pieces to compressed ones."""

    def compress(self, data: bytes) -> bytes:
        """What can be sent after `data`."""
        ...

    def flush(self) -> bytes:
        """The end of the stream."""
        ...


class _Members:
    """One decoder after another, since a gzip, zstd or lz4 body may be several members in a row."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._member = make()

    @property
    def eof(self) -> bool:
        return bool(self._member.eof)

    def decompress(self, data: bytes) -> bytes:
        plain = []
        while data:
            if self._member.eof:
                self._member = self._make()
            plain.append(self._member.decompress(data))
            data = (self._member.eof and self._member.unused_data) or b""
        return b"".join(plain)


class _Frames:
    """LZ4 frames behind the interface the other encoders have."""

    def __init__(self) -> None:
        self._frame = lz4.frame.LZ4FrameCompressor()
        self._begun = False

    def compress(self, data: bytes) -> bytes:
        start = b"" if self._begun else self._frame.begin()
        self._begun = True
        return bytes(start + self._frame.compress(data))

    def flush(self) -> bytes:
        start = b"" if self._begun else self._frame.begin()
        return bytes(start + self._frame.flush())


BLOCKS = "clickhouse"  # no Content-Encoding: what compress=1 and decompress=1 mean
# gzip and deflate go through zlib, whose window bits say which: 31 gzip, 15 zlib, which HTTP's deflate means.
_DECODERS: dict[str, Callable[[], Any]] = {
    "gzip": lambda: _Members(lambda: zlib.decompressobj(31)),
    "deflate": lambda: _Members(lambda: zlib.decompressobj(15)),
    "zstd": lambda: _Members(lambda: zstandard.ZstdDecompressor().decompressobj()),
    "lz4": lambda: _Members(lz4.frame.LZ4FrameDecompressor),
    BLOCKS: blocks.Decoder,
}
# The level of http_zlib_compression_level's default is 3; zstd is as cheap at 1.
_ENCODERS: dict[str, Callable[[], Any]] = {
    "lz4": _Frames,
    "zstd": lambda: zstandard.ZstdCompressor(level=1).compressobj(),
    "gzip": lambda: zlib.compressobj(level=3, wbits=31),
    "deflate": lambda: zlib.compressobj(level=3, wbits=15),
    BLOCKS: blocks.Encoder,
}


def decoder(encoding: str) -> Decoder:
    """The decoder of a request's body; ClickHouseError 89 for an unknown encoding."""
    if encoding not in _DECODERS:
        raise ClickHouseError(89, "UNKNOWN_COMPRESSION_METHOD", f"Unknown compression method: {encoding}")
    made: Decoder = _DECODERS[encoding]()
    return made


def encoder(encoding: str) -> Encoder:
    """The encoder of an answer, for a name that `accepted` gave or BLOCKS."""
    made: Encoder = _ENCODERS[encoding]()
    return made


def damaged(encoding: str) -> ClickHouseError:
    """The error for a body that is not what its encoding says, or ends too early."""
    return ClickHouseError(271, "CANNOT_DECOMPRESS", f"Body is not complete {encoding} data")


def accepted(header: str) -> str | None:
    """The encoding to answer with: the first in Accept-Encoding that is known and not refused with q=0."""
    for part in header.lower().split(","):
        name, _, quality = part.strip().partition(";")
        if name.strip() in ("lz4", "zstd", "gzip", "deflate") and quality.replace(" ", "") not in ("q=0", "q=0.0"):
            return name.strip()
    return None
