"""Node keys and ids, written apart from the product's."""

import hashlib

from streams.core.event import Identifier


def uuid8(data: bytes) -> bytes:
    """16 bytes with the version nibble 8 and the variant of RFC 9562."""
    out = bytearray(data)
    out[6] = 0x80 | (out[6] & 0x0F)
    out[8] = 0x80 | (out[8] & 0x3F)
    return bytes(out)


def node_key(identifier: Identifier, pepper: bytes) -> bytes:
    return hashlib.blake2b("\0".join(identifier).encode(), key=pepper, digest_size=16).digest()
