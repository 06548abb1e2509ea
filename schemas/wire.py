"""Confluent's wire format: a zero byte, the schema's id in four bytes (big-endian), then the Avro bytes."""

import struct
from collections.abc import Iterable

_HEAD = struct.Struct(">bi")
_MAGIC = 0
HEAD_BYTES = _HEAD.size
assert HEAD_BYTES == 5


def frame(schema_id: int, payload: bytes) -> bytes:
    return _HEAD.pack(_MAGIC, schema_id) + payload


def schema_id(data: bytes) -> int | None:
    """The id of the schema `data` was written with, None where it is not in the wire format.

    Ids of registries are positive numbers of 31 bits; what has a larger one in its place is something else.
    """
    if len(data) < HEAD_BYTES:
        return None
    magic, number = _HEAD.unpack_from(data)
    return int(number) if magic == _MAGIC and number >= 0 else None


def schema_ids(values: Iterable[bytes | None]) -> set[int]:
    """The ids that values in the wire format were written with."""
    return {number for value in values if value and (number := schema_id(value)) is not None}
