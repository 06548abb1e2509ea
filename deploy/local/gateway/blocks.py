"""ClickHouse's own compressed blocks, which `compress=1` and `decompress=1` ask for and JDBC drivers use.

Rules kept: a block is checksum (CityHash128 of all that follows), method, size with this header, plain size, data; a
block whose checksum is wrong is refused; memory is that of one block.
"""

import struct

import lz4.block
import zstandard
from clickhouse_cityhash.cityhash import CityHash128

from deploy.local.gateway.errors import ClickHouseError

_CHECKSUM = 16
_HEADER = struct.Struct("<BII")
_NONE, _LZ4, _ZSTD = 0x02, 0x82, 0x90
PLAIN_BYTES = 1 << 20  # of the blocks written here, as the server writes them
PLAIN_BYTES_MAX = 1 << 30  # the server's own limit of a block read


class Decoder:
    """Blocks to plain bytes, in pieces of any size."""

    def __init__(self) -> None:
        self._waiting = b""

    @property
    def eof(self) -> bool:
        """True between blocks."""
        return not self._waiting

    def decompress(self, data: bytes) -> bytes:
        """The plain bytes of the blocks that `data` completes."""
        self._waiting += data
        plain = []
        while (block := self._block()) is not None:
            plain.append(_plain(block))
        return b"".join(plain)

    def _block(self) -> bytes | None:
        if len(self._waiting) < _CHECKSUM + _HEADER.size:
            return None
        _, size, plain_size = _HEADER.unpack_from(self._waiting, _CHECKSUM)
        if size < _HEADER.size or max(size, plain_size) > PLAIN_BYTES_MAX:
            raise ClickHouseError(271, "CANNOT_DECOMPRESS", "Size of a compressed block is out of bounds")
        end = _CHECKSUM + int(size)
        if len(self._waiting) < end:
            return None
        block, self._waiting = self._waiting[:end], self._waiting[end:]
        return block


class Encoder:
    """Plain bytes to LZ4 blocks."""

    def compress(self, data: bytes) -> bytes:
        """Blocks that hold `data`."""
        return b"".join(_packed(data[at : at + PLAIN_BYTES]) for at in range(0, len(data), PLAIN_BYTES))

    def flush(self) -> bytes:
        """Nothing: every block is complete."""
        return b""


def _packed(plain: bytes) -> bytes:
    data = bytes(lz4.block.compress(plain, store_size=False))
    block = _HEADER.pack(_LZ4, _HEADER.size + len(data), len(plain)) + data
    return _checksum(block) + block


def _plain(block: bytes) -> bytes:
    if _checksum(block[_CHECKSUM:]) != block[:_CHECKSUM]:
        raise ClickHouseError(40, "CHECKSUM_DOESNT_MATCH", "Checksum of a compressed block doesn't match")
    method, _, plain_size = _HEADER.unpack_from(block, _CHECKSUM)
    data = block[_CHECKSUM + _HEADER.size :]
    if method == _NONE:
        return data
    if method == _LZ4:
        return bytes(lz4.block.decompress(data, uncompressed_size=plain_size))
    if method == _ZSTD:
        return bytes(zstandard.ZstdDecompressor().decompress(data, max_output_size=plain_size))
    raise ClickHouseError(89, "UNKNOWN_COMPRESSION_METHOD", f"Unknown compression method: {method}")


def _checksum(block: bytes) -> bytes:
    # The library gives the pair as one number, first half high; ClickHouse writes each half in little-endian order.
    high, low = divmod(CityHash128(block), 1 << 64)
    return struct.pack("<QQ", high, low)
