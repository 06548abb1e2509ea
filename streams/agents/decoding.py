"""What a record in Confluent's wire format says, in our own schema, or why it cannot be read."""

from typing import Any

from schemas.records import Record, Undecodable
from schemas.registry import SchemaCache
from schemas.wire import HEAD_BYTES, schema_id
from streams.core.refusal import Reason, Refusal


def decoded(value: bytes, schema: Record, schemas: SchemaCache) -> tuple[Any, bytes]:
    """The value, and its bytes as `schema` writes them.

    Shape:  `schemas` has learnt the value's schema id, if the registry knows it.
    Errors: Refusal (bad_avro, unknown_schema).
    """
    number = schema_id(value)
    if number is None:
        raise Refusal(Reason.BAD_AVRO, "expected Confluent's wire format: a zero byte and four of a schema's id")
    writer = schemas.writer(number)
    if writer is None:
        raise Refusal(Reason.UNKNOWN_SCHEMA, f"the registry knows no Avro schema {number}")
    try:
        return schema.read(value, HEAD_BYTES, writer)
    except Undecodable as error:
        raise Refusal(Reason.BAD_AVRO, str(error)) from None
