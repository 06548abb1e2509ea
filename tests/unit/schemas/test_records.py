"""Avro codecs: the fast decoder against fastavro, and schemas older and newer than the reader's."""

import io
import json
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.records import CHANNEL_EVENT, DEAD_LETTER, MERGE, PERSON, Record, Undecodable

SHARED = ("onethread.ChannelEvent", "onethread.DeadLetter", "onethread.Person", "onethread.Merge")
VIEW = {"event_id": "e-1", "channel": "web", "type": "page_viewed", "occurred_at": 1}


def whole(**fields: Any) -> dict[str, Any]:
    """An event with the schema's defaults, as it comes out of a decoder."""
    encoded = CHANNEL_EVENT.encode(VIEW | fields)
    value: dict[str, Any] = fastavro.schemaless_reader(io.BytesIO(encoded), CHANNEL_EVENT.parsed, None)
    return value


def values(schema: Any, names: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Any value of an Avro schema."""
    if isinstance(schema, list):
        return st.one_of([values(branch, names) for branch in schema])
    if isinstance(schema, str):
        return names[schema] if schema in names else SIMPLE[schema]
    if schema["type"] == "record":
        fields = {field["name"]: values(field["type"], names) for field in schema["fields"]}
        names[schema["name"]] = st.fixed_dictionaries(fields)
        return names[schema["name"]]
    if schema["type"] == "array":
        return st.lists(values(schema["items"], names), max_size=2)
    if schema["type"] == "map":
        return st.dictionaries(st.text(max_size=4), values(schema["values"], names), max_size=2)
    return values(schema["type"], names)


SIMPLE: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(), "boolean": st.booleans(), "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1), "double": st.floats(allow_nan=False), "string": st.text(max_size=80),
    "bytes": st.binary(max_size=80),
}
RECORDS = {record.name: record for record in (CHANNEL_EVENT, DEAD_LETTER, PERSON, MERGE)}


@given(st.data(), st.sampled_from(SHARED))
def test_the_fast_decoder_says_what_fastavro_says(data: st.DataObject, name: str) -> None:
    record = RECORDS[name]
    value = data.draw(values(json.loads(record.text), {}))
    encoded = b"head!" + record.encode(value)
    assert record._plain(encoded, 5) == record._decode_any(encoded, 5, None) == value
    assert record.read(encoded, 5) == (value, encoded[5:])


@given(st.data(), st.sampled_from(SHARED))
def test_the_fast_encoder_writes_what_fastavro_writes(data: st.DataObject, name: str) -> None:
    record = RECORDS[name]
    value = data.draw(values(json.loads(record.text), {}))
    lacking = [f["name"] for f in record.parsed["fields"] if "default" in f and data.draw(st.booleans())]
    given = {key: part for key, part in value.items() if key not in lacking}
    assert record._writing(given) == record._encode_any(given)


@pytest.mark.parametrize("wrong", [
    {"event_id": None}, {"event_id": 5}, {"occurred_at": "now"}, {"occurred_at": 2**63}, {"occurred_at": True},
    {"utc_offset_min": 2**31}, {"products": {"sku": "a"}}, {"products": [{}]}, {"traits": [("a", "b")]},
    {"traits": {"a": 1}}, {"traits": {1: "a"}}, {"consent": {"a": 1}}, {"place": "S1"}, {"place": {"latitude": "50"}},
    {"identifiers": [{"kind": "phone", "value": "1", "confidence": True}]}, {"event_id": "\ud800"},
])
def test_a_value_that_does_not_fit_is_for_fastavro_to_judge(wrong: dict[str, Any]) -> None:
    def outcome(encode: Any) -> Any:
        try:
            return encode(VIEW | wrong)
        except Exception as error:  # whatever it raises
            return type(error)

    assert outcome(CHANNEL_EVENT.encode) == outcome(CHANNEL_EVENT._encode_any)


def test_a_schema_of_other_kinds_is_written_too() -> None:
    schema = {"type": "record", "name": "R", "fields": [
        {"name": "a", "type": ["int", "string"]},
        {"name": "b", "type": {"type": "enum", "name": "E", "symbols": ["X"]}},
    ]}
    record = Record("R", json.dumps(schema))
    assert record.decode_as_written(record.encode({"a": "text", "b": "X"})) == {"a": "text", "b": "X"}


@given(st.binary(max_size=60), st.integers(0, 200))
def test_broken_bytes_are_undecodable_or_what_fastavro_says(noise: bytes, cut: int) -> None:
    encoded = CHANNEL_EVENT.encode(VIEW | {"traits": {"a": "b"}, "products": [{"sku": "s"}]})
    broken = encoded[:cut] + noise
    try:
        value, written = CHANNEL_EVENT.read(broken)
    except Undecodable:
        return
    assert value == CHANNEL_EVENT._decode_any(broken, 0, None)
    assert written == CHANNEL_EVENT.encode(value)


@pytest.mark.parametrize("end", range(len(CHANNEL_EVENT.encode(VIEW))))
def test_an_event_cut_short_is_undecodable(end: int) -> None:
    with pytest.raises(Undecodable):
        CHANNEL_EVENT.decode(CHANNEL_EVENT.encode(VIEW)[:end])


def test_bytes_left_over_are_undecodable() -> None:
    with pytest.raises(Undecodable, match="1 bytes are left over"):
        CHANNEL_EVENT.decode(CHANNEL_EVENT.encode(VIEW) + b"\0")


def test_another_way_of_writing_a_value_is_read_and_named_alike() -> None:
    """A list in two blocks, one of them with its size, is the same list."""
    schema = {"type": "record", "name": "R", "fields": [{"name": "a", "type": {"type": "array", "items": "int"}}]}
    record = Record("R", json.dumps(schema))
    plain, blocks = bytes([4, 2, 4, 0]), bytes([2, 2, 1, 2, 4, 0])
    assert record.read(plain) == record.read(blocks) == ({"a": [1, 2]}, plain)


def changed(*fields: dict[str, Any], without: str = "") -> Record:
    """The event's schema with more fields in front, and one taken away."""
    schema = json.loads(CHANNEL_EVENT.text)
    schema["fields"] = [*fields, *(field for field in schema["fields"] if field["name"] != without)]
    return Record(CHANNEL_EVENT.name, json.dumps(schema))


def test_an_older_writer_leaves_a_field_to_its_default() -> None:
    older = changed(without="query")
    assert CHANNEL_EVENT.read(older.encode(VIEW), 0, older) == (whole(), CHANNEL_EVENT.encode(VIEW))


def test_a_newer_writers_field_is_passed_over() -> None:
    newer = changed({"name": "mood", "type": "string", "default": ""})
    assert CHANNEL_EVENT.read(newer.encode(VIEW | {"mood": "merry"}), 0, newer) == (whole(), CHANNEL_EVENT.encode(VIEW))


def test_a_schema_that_differs_in_words_alone_is_the_same() -> None:
    schema = json.loads(CHANNEL_EVENT.text)
    for field in schema["fields"]:
        field.pop("doc", None)
    same = Record(CHANNEL_EVENT.name, json.dumps(schema))
    assert same.canonical == CHANNEL_EVENT.canonical
    assert CHANNEL_EVENT.read(same.encode(VIEW), 0, same) == (whole(), CHANNEL_EVENT.encode(VIEW))


def test_a_writer_of_something_else_is_undecodable() -> None:
    merge = {"at": 1, "action": "merged", "person_id": "a", "other_person_id": "b", "event_id": "e", "reason": "r"}
    with pytest.raises(Undecodable):
        CHANNEL_EVENT.decode(MERGE.encode(merge), 0, MERGE)


@pytest.mark.parametrize("name", SHARED)
def test_a_records_name_is_its_schemas(name: str) -> None:
    schema = json.loads(RECORDS[name].text)
    assert f"{schema['namespace']}.{schema['name']}" == name


def test_instants_are_told_to_others_as_such() -> None:
    occurred_at = next(f for f in json.loads(CHANNEL_EVENT.text)["fields"] if f["name"] == "occurred_at")
    assert occurred_at["type"] == {"type": "long", "logicalType": "timestamp-millis"}
