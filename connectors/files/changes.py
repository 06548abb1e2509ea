"""Records of a foreign topic as rows: JSON or Avro, plain, or the changes that Debezium tells of a database's table.

Of a change the row is its state after it, of a deletion the one before. What is told beside it is named as Debezium's
own ExtractNewRecordState names it, so that one mapping reads both: `__op` (c create, u update, d delete, r read in a
snapshot), `__deleted`, and besides `__ts_ms`, `__source`, and of an update `__before`.
Source: debezium.io, "Data change events" of the connectors, and "New Record State Extraction".
"""

from typing import Any

import msgspec

from schemas.records import Undecodable
from schemas.registry import SchemaCache
from schemas.wire import HEAD_BYTES, schema_id
from streams.core.refusal import EVENT_BYTES_MAX, Reason, Refusal

VALUE_BYTES_MAX = 4 * EVENT_BYTES_MAX
"""A change holds its row twice, and with JSON's schema more than that."""

_decode = msgspec.json.Decoder(float_hook=str).decode
_NO_ROW = frozenset({"t", "m"})
"""A table was emptied; a message of the log. Neither is about a row."""


def row(value: bytes | None, schemas: SchemaCache) -> dict[str, Any] | None:
    """The row that a record tells of; None where it tells of none, as a tombstone does.

    Shape:  `schemas` has learnt the value's schema id, if it is in Confluent's wire format.
    Errors: Refusal (oversize, bad_json, bad_avro, unknown_schema).
    """
    if not value:
        return None
    if len(value) > VALUE_BYTES_MAX:
        raise Refusal(Reason.OVERSIZE, f"expected at most {VALUE_BYTES_MAX} bytes; came {len(value)}")
    number = schema_id(value)
    told = _json(value) if number is None else _avro(value, number, schemas)
    if told.keys() == {"schema", "payload"}:  # Kafka Connect's JsonConverter with schemas.enable
        if told["payload"] is None:
            return None
        told = _object(told["payload"])
    return _unwrapped(told) if "op" in told and ("after" in told or "before" in told) else told


def _unwrapped(told: dict[str, Any]) -> dict[str, Any] | None:
    operation = told["op"]
    if operation in _NO_ROW:
        return None
    before, after = told.get("before"), told.get("after")
    found = _object(before if operation == "d" else after)
    return {
        **found, "__op": operation, "__deleted": operation == "d", "__ts_ms": told.get("ts_ms"),
        "__source": told.get("source"), "__before": None if operation == "d" else before,
    }


def _object(value: Any) -> dict[str, Any]:
    """A row; MongoDB's come as the text of one."""
    if isinstance(value, str):
        value = _json(value.encode())
    if not isinstance(value, dict):
        raise Refusal(Reason.BAD_VALUE, "expected a row in the change, before or after it; does the table keep both?")
    return value


def _json(value: bytes) -> dict[str, Any]:
    try:
        told = _decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise Refusal(Reason.BAD_JSON, "expected a JSON object, or Avro in Confluent's wire format")
    return told


def _avro(value: bytes, number: int, schemas: SchemaCache) -> dict[str, Any]:
    writer = schemas.writer(number)
    if writer is None:
        raise Refusal(Reason.UNKNOWN_SCHEMA, f"the registry knows no Avro schema {number}")
    try:
        told = writer.decode_as_written(value, HEAD_BYTES)
    except Undecodable as error:
        raise Refusal(Reason.BAD_AVRO, str(error)) from None
    if not isinstance(told, dict):
        raise Refusal(Reason.BAD_AVRO, "expected a record of Avro")
    return told
