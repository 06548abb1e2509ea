"""Addresses of identifiers: a keyed hash that names nobody, and the partition that owns it."""

from functools import lru_cache
from hashlib import blake2b

from streams.core.event import Identifier, NodeKey

SEALED = "#"
"""Kind of an identifier that tells its node key and nothing else: what is left of one that was erased."""

_CACHED_KEYS = 200_000  # some 400 bytes each: what is seen again within minutes costs a look-up instead of a hash


def sealed(key: bytes) -> Identifier:
    """An identifier of which only the node key is known."""
    return SEALED, key.hex()


class Keys:
    """Node keys and partitions of one deployment.

    A node key is the 128-bit BLAKE2b of `kind\\0value`, keyed with the deployment's pepper, so that neither the key
    nor a log of keys tells the value to somebody without the pepper.
    Source: RFC 7693, section 2.9 (keyed hashing).
    """

    def __init__(self, pepper: bytes, partitions: int) -> None:
        self.partitions = partitions
        pepper = pepper if len(pepper) <= 64 else blake2b(pepper).digest()

        self.token = blake2b(b"reads the state", digest_size=32, key=pepper).hexdigest()
        """What a program of this deployment shows to a worker that it asks for state."""

        @lru_cache(_CACHED_KEYS)
        def node(identifier: Identifier) -> NodeKey:
            if identifier[0] == SEALED:
                return NodeKey(bytes.fromhex(identifier[1]))
            text = f"{identifier[0]}\0{identifier[1]}".encode()
            return NodeKey(blake2b(text, digest_size=16, key=pepper).digest())

        self.node = node

    def event(self, event_id: str) -> NodeKey:
        """What is kept of the id of an event that was erased: a hash of the same making."""
        return self.node(("event", event_id))

    def sealed(self, identifier: Identifier) -> Identifier:
        """The address of an identifier's node, without the identifier."""
        return sealed(self.node(identifier))

    def partition(self, key: NodeKey) -> int:
        return int.from_bytes(key[:4], "big") % self.partitions

    def owner(self, identifier: Identifier) -> int:
        """The partition that owns an identifier's node."""
        return self.partition(self.node(identifier))
