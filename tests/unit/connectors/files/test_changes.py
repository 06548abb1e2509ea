"""Records of foreign topics as rows: JSON, Avro, and the changes that Debezium tells of."""

import io
import json
from types import SimpleNamespace
from typing import Any

import fastavro
import pytest

from connectors.files import changes
from schemas.registry import SchemaCache
from schemas.wire import frame
from streams.core.refusal import Refusal

ROW = {"id": 7, "phone": "+380670001201"}
OLD = {"id": 7, "phone": None}

VALUE: dict[str, Any] = {"type": "record", "name": "Value", "fields": [
    {"name": "id", "type": "long"}, {"name": "phone", "type": ["null", "string"], "default": None},
]}
ENVELOPE = {"type": "record", "name": "Envelope", "namespace": "crm.public.contacts", "fields": [
    {"name": "before", "type": ["null", VALUE], "default": None},
    {"name": "after", "type": ["null", "Value"], "default": None},
    {"name": "op", "type": "string"},
    {"name": "ts_ms", "type": ["null", "long"], "default": None},
    {"name": "level", "type": {"type": "enum", "name": "Level", "symbols": ["LOW", "HIGH"]}, "default": "LOW"},
]}


def avro(value: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(ENVELOPE), {"level": "HIGH", **value})
    return frame(3, out.getvalue())


def read(value: bytes | None) -> dict[str, Any] | None:
    found = SimpleNamespace(schema_type="AVRO", schema_str=json.dumps(ENVELOPE))
    schemas = SchemaCache(SimpleNamespace(get_schema=lambda _number: found))
    schemas.learn([3])
    return changes.row(value, schemas)


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def change(op: str, before: Any, after: Any) -> dict[str, Any]:
    return {"before": before, "after": after, "op": op, "ts_ms": 1_770_285_600_000}


BESIDE = {"__deleted": False, "__ts_ms": 1_770_285_600_000, "__source": None}


def test_a_plain_record_is_its_row_and_keeps_the_text_of_numbers() -> None:
    assert read(b'{"id": 7, "total": 12.50}') == {"id": 7, "total": "12.50"}


@pytest.mark.parametrize("written", [as_json, lambda value: as_json({"schema": {"type": "struct"}, "payload": value})])
def test_of_a_change_the_row_is_its_state_after_it_of_a_deletion_before(written: Any) -> None:
    assert read(written(change("c", None, ROW))) == {**ROW, **BESIDE, "__op": "c", "__before": None}
    assert read(written(change("u", OLD, ROW))) == {**ROW, **BESIDE, "__op": "u", "__before": OLD}
    assert read(written(change("d", OLD, None))) == {**OLD, **BESIDE, "__op": "d", "__deleted": True, "__before": None}


def test_avro_in_the_wire_format_with_whatever_types() -> None:
    assert read(avro(change("u", OLD, ROW))) == {**ROW, **BESIDE, "__op": "u", "__before": OLD}


def test_a_document_of_mongodb_comes_as_text() -> None:
    assert (read(as_json(change("c", None, json.dumps(ROW)))) or {})["phone"] == ROW["phone"]


@pytest.mark.parametrize("value", [
    None, b"", as_json(change("t", None, None)), as_json({"schema": {}, "payload": None}),
])
def test_what_is_about_no_row_gives_none(value: bytes | None) -> None:
    assert read(value) is None


def test_a_table_with_columns_of_those_names_is_no_change() -> None:
    assert read(b'{"op": "x", "id": 1}') == {"op": "x", "id": 1}


@pytest.mark.parametrize(("value", "reason"), [
    (b"junk", "bad_json"), (b"[1]", "bad_json"), (b'{"a": "\xff"}', "bad_json"), (frame(9, b"x"), "unknown_schema"),
    (frame(3, b"\x02"), "bad_avro"), (as_json(change("d", None, None)), "bad_value"),
    (as_json({"schema": {}, "payload": 5}), "bad_value"), (b"[" * 100_000, "bad_json"),
    (b" " * (changes.VALUE_BYTES_MAX + 1), "oversize"),
])
def test_what_cannot_be_read_is_refused(value: bytes, reason: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(value)
    assert str(refused.value.reason) == reason
