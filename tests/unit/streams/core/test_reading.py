"""Channel events written as JSON."""

import json
from typing import Any

import pytest

from schemas.records import CHANNEL_EVENT
from streams.core.reading import Reader
from streams.core.refusal import EVENT_BYTES_MAX, Reason, Reject
from tests.unit.streams.core.records import AT_MS, READER, VIEW, read, told


def field(name: str, **fields: Any) -> Any:
    record = read(told(**fields))
    assert isinstance(record, dict), record
    return record[name]


def refused(**fields: Any) -> tuple[str, str]:
    reject = read(told(**fields))
    assert isinstance(reject, Reject)
    return str(reject.reason), reject.detail


def test_a_record_has_every_field_of_the_schema() -> None:
    record = read(VIEW)
    assert isinstance(record, dict)
    assert list(record) == [f["name"] for f in json.loads(CHANNEL_EVENT.text)["fields"]]
    assert record["identifiers"] == [{"kind": "anonymous_id", "value": "ck-1", "confidence": 1.0}]
    assert (record["source"], record["device"], record["products"], record["traits"]) == ("", None, [], {})


def test_what_is_read_can_be_written_as_avro_and_comes_back() -> None:
    record = read(told(order={"order_id": "o", "items": [{"sku": "a"}]}, consent={"ads": True}))
    assert CHANNEL_EVENT.decode(CHANNEL_EVENT.encode(record)) == record


def test_defaults_belong_to_one_record_alone() -> None:
    first, second = read(VIEW), read(VIEW)
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    first["properties"]["a"] = "b"
    assert second["properties"] == {}


def test_null_means_absent() -> None:
    assert field("products", products=None) == []
    assert READER.read(json.dumps(VIEW | {"source": None, "cart": None}).encode()) == read(VIEW)


@pytest.mark.parametrize(("text", "expected"), [
    (AT_MS, (AT_MS, None)),
    ("2026-02-05T10:00:00Z", (AT_MS, None)),
    ("2026-02-05T10:00:00+00:00", (AT_MS, 0)),
    ("2026-02-05T12:00:00+02:00", (AT_MS, 120)),
    ("2026-02-05T05:30:00-04:30", (AT_MS, -270)),
    ("20260205T120000+0200", (AT_MS, 120)),
    ("2026-02-05T10:00:00.1239Z", (AT_MS + 123, None)),
])
def test_times_are_iso_texts_or_epoch_milliseconds(text: Any, expected: tuple[int, int | None]) -> None:
    record = read(told(occurred_at=text))
    assert isinstance(record, dict)
    assert (record["occurred_at"], record["utc_offset_min"]) == expected


def test_an_offset_told_apart_wins_over_the_texts() -> None:
    assert field("utc_offset_min", occurred_at="2026-02-05T12:00:00+02:00", utc_offset_min=60) == 60


@pytest.mark.parametrize("value", [
    "2026-02-05T10:00:00", "2026-02-05", "yesterday", "", 1.5, True, 2**63, {"ms": 1}, "2026-02-30T10:00:00Z",
])
def test_a_time_without_zone_or_sense_is_refused(value: Any) -> None:
    expected = "occurred_at: expected ISO 8601 with a zone, or epoch milliseconds"
    assert refused(occurred_at=value) == ("bad_time", expected)


def test_the_other_times_are_read_alike() -> None:
    assert field("promise", promise={"due_at": "2026-02-05T12:00:00+02:00"})["due_at"] == AT_MS


@pytest.mark.parametrize(("fields", "refusal"), [
    ({"identifers": []}, ("unknown_field", "identifers: no such field")),
    ({"order": {"order_id": "o", "items": [{"sku": "a", "colour": "red"}]}},
     ("unknown_field", "order.items[0].colour: no such field")),
    ({"identifiers": [{"kind": "email"}]}, ("missing_field", "identifiers[0].value: expected a value")),
    ({"event_id": None}, ("missing_field", "event_id: expected a value")),
    ({"order": {}}, ("missing_field", "order.order_id: expected a value")),
    ({"staff": {"role": "courier"}}, ("missing_field", "staff.id: expected a value")),
    ({"event_id": 7}, ("bad_value", "event_id: expected a text; came a number")),
    ({"products": {}}, ("bad_value", "products: expected a list; came an object")),
    ({"products": ["a"]}, ("bad_value", "products[0]: expected an object; came a text")),
    ({"place": []}, ("bad_value", "place: expected an object; came a list")),
    ({"place": {"latitude": 10**400}},
     ("bad_value", "place.latitude: expected a number that a double holds; came a number")),
    ({"place": {"latitude": "50"}}, ("bad_value", "place.latitude: expected a number; came a text")),
    ({"utc_offset_min": 2**31}, ("bad_value", "utc_offset_min: expected a whole number; came a number")),
    ({"utc_offset_min": True}, ("bad_value", "utc_offset_min: expected a whole number; came true or false")),
    ({"message": {"wait_ms": 1.5}}, ("bad_value", "message.wait_ms: expected a whole number; came a number")),
    ({"consent": {"ads": "yes"}}, ("bad_value", "consent.ads: expected true or false; came a text")),
    ({"cart": {"total": 12.5}}, ("bad_amount", 'cart.total: expected a decimal text such as "12.50"; came a number')),
    ({"products": [{"sku": "a", "quantity": 1}]},
     ("bad_amount", 'products[0].quantity: expected a decimal text such as "12.50"; came a number')),
])
def test_what_does_not_fit_the_schema_is_refused(fields: dict[str, Any], refusal: tuple[str, str]) -> None:
    assert refused(**fields) == refusal


def test_maps_of_texts_keep_other_values_as_their_json_text() -> None:
    given = {"text": "a", "number": 1.5, "yes": True, "nested": {"a": [1, None]}, "none": None}
    kept = {"text": "a", "number": "1.5", "yes": "true", "nested": '{"a":[1,null]}'}
    assert field("properties", properties=given) == kept
    assert field("traits", traits=given) == kept


@pytest.mark.parametrize(("line", "reason"), [
    (b"", Reason.EMPTY), (b" \r\n", Reason.EMPTY),
    (b"not json", Reason.BAD_JSON), (b"[]", Reason.BAD_JSON), (b"7", Reason.BAD_JSON), (b"{} {}", Reason.BAD_JSON),
    (b'{"event_id": NaN}', Reason.BAD_JSON), (b'{"event_id": "\xff"}', Reason.BAD_JSON),
    (b'{"event_id": "\\ud800"}', Reason.BAD_JSON), (b"[" * 100_000, Reason.BAD_JSON),
    (b" " * EVENT_BYTES_MAX + b"{}", Reason.MISSING_FIELD),
    (b'"' + b"x" * EVENT_BYTES_MAX + b'"', Reason.OVERSIZE),
])
def test_lines_that_are_no_event(line: bytes, reason: Reason) -> None:
    reject = READER.read(line)
    assert isinstance(reject, Reject)
    assert reject.reason == reason


def test_a_line_of_just_the_largest_size_is_read() -> None:
    empty = json.dumps(VIEW | {"query": ""}).encode()
    line = json.dumps(VIEW | {"query": "x" * (EVENT_BYTES_MAX - len(empty))}).encode()
    assert len(line) == EVENT_BYTES_MAX
    assert isinstance(READER.read(line + b"\n"), dict)
    assert isinstance(READER.read(line.replace(b'"x', b'"xx') + b"\n"), Reject)


def test_a_refusal_names_the_event_where_it_could_be_read() -> None:
    reject = READER.read(b'{"event_id": "e-9", "colour": "red"}')
    assert reject == Reject(Reason.UNKNOWN_FIELD, "colour: no such field", "e-9")


def test_a_reader_follows_any_schema() -> None:
    schema = {"type": "record", "name": "R", "fields": [
        {"name": "utc_offset_min", "type": ["null", "int"], "default": None},
        {"name": "occurred_at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    ]}
    assert Reader(schema).read(b'{"occurred_at": 5}') == {"utc_offset_min": None, "occurred_at": 5}
