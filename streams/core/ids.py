"""Ids that are a function of what they name: UUIDs of version 8, so that a replay of the log gives the same bytes.

Layout: RFC 9562, section 5.8: 122 bits of our own, the version nibble 8 and the variant bits 10.
"""

from functools import lru_cache
from hashlib import blake2b

_STAMP = (8 << 76) | (2 << 62)
_FREE = ~((15 << 76) | (3 << 62))


def _uuid(data: bytes) -> bytes:
    return (int.from_bytes(data, "big") & _FREE | _STAMP).to_bytes(16, "big")


@lru_cache(1 << 14)
def session_id(event_id: str) -> bytes:
    """The id of the session that begins with this event."""
    return _uuid(blake2b(b"session\0" + event_id.encode(), digest_size=16).digest())


@lru_cache(1 << 14)
def visit_id(event_id: str) -> bytes:
    """The id of the visit that begins with this event."""
    return _uuid(blake2b(b"visit\0" + event_id.encode(), digest_size=16).digest())


def conversation_id(event_id: str) -> bytes:
    """The id of the conversation without a name of its own that begins with this event."""
    return _uuid(blake2b(b"conversation\0" + event_id.encode(), digest_size=16).digest())


def promise_id(event_id: str) -> bytes:
    """The id of the promise without a name of its own that this event opens."""
    return _uuid(blake2b(b"promise\0" + event_id.encode(), digest_size=16).digest())


@lru_cache(1 << 14)
def journey_id(event_id: str) -> bytes:
    """The id of the journey that begins with this event."""
    return _uuid(blake2b(b"journey\0" + event_id.encode(), digest_size=16).digest())


@lru_cache(1 << 14)
def person_id(node_key: bytes) -> bytes:
    """The id of the person whose senior identifier has this node key: the key itself, stamped as a UUID.

    Its first four bytes stay as they are, so a person's partition can be told from the id.
    """
    return _uuid(node_key)


def uuid_text(data: bytes) -> str:
    """The 36 characters of an id of 16 bytes."""
    text = data.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
