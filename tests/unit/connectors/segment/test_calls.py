"""Calls: shape, time, id, and batches."""

from typing import Any

import pytest

from connectors.segment import decode, unbatch
from connectors.source import Source
from streams.core.refusal import Reject
from tests.unit.connectors.segment.samples import AT, AT_MS, RECEIVED_MS, SOURCE, call, decoded


def refused(given: Any) -> tuple[str, str]:
    outcome = decode(given, SOURCE, RECEIVED_MS)
    assert isinstance(outcome, Reject), outcome
    return str(outcome.reason), outcome.detail.partition(":")[0]


@pytest.mark.parametrize("given", [None, 1, "track", [], {}, {"type": "charge"}, {"type": ["track"]}])
def test_what_is_no_call_is_refused(given: Any) -> None:
    assert refused(given)[0] == "bad_value"


@pytest.mark.parametrize("part", ["context", "properties", "traits"])
def test_a_table_that_is_none_is_refused_and_null_is_none(part: str) -> None:
    assert refused(call(**{part: [1]})) == ("bad_value", part)
    assert decoded(call() | {part: None})["type"] == "song_played"


@pytest.mark.parametrize("name", [None, "", " ", 7])
def test_a_track_call_needs_a_name(name: Any) -> None:
    assert refused(call() | {"event": name}) == ("missing_field", "event")


def test_a_refusal_names_the_event() -> None:
    outcome = decode(call(timestamp="yesterday"), SOURCE, RECEIVED_MS)
    assert isinstance(outcome, Reject)
    assert (str(outcome.reason), outcome.event_id) == ("bad_time", "shop:m-1")
    assert "yesterday" not in outcome.detail


def test_a_call_nested_too_deeply_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(3000):
        deep = [deep]
    assert refused(call(properties={"a": deep}))[0] == "bad_json"


def test_half_of_a_surrogate_pair_is_refused_where_it_must_be_written() -> None:
    assert refused(call(properties={"a": ["\ud800"]}))[0] == "bad_json"


# --- time


@pytest.mark.parametrize("told", [
    AT, "2026-02-05T10:00:00Z", "2026-02-05T10:00:00", "2026-02-05T12:00:00+02:00", AT_MS, AT_MS // 1000,
    str(AT_MS // 1000), AT_MS / 1000,
])
def test_times_in_every_spelling_that_clients_use(told: Any) -> None:
    assert decoded(call(timestamp=told))["occurred_at"] == AT_MS


@pytest.mark.parametrize("told", ["yesterday", "2026-13-01T00:00:00Z", True, [1], {"a": 1}, float("inf"), 1e300])
def test_what_is_no_time_is_refused(told: Any) -> None:
    assert refused(call(timestamp=told)) == ("bad_time", "timestamp")


def test_the_local_offset_is_kept_but_not_that_of_utc() -> None:
    assert decoded(call(timestamp="2026-02-05T12:00:00+02:00"))["utc_offset_min"] == 120
    assert "utc_offset_min" not in decoded(call(timestamp="2026-02-05T10:00:00+00:00"))


def test_without_a_time_it_is_when_we_had_it() -> None:
    assert decoded(call(timestamp=None))["occurred_at"] == RECEIVED_MS
    assert decoded(call(timestamp=None, originalTimestamp=AT))["occurred_at"] == AT_MS
    assert decoded(call(timestamp=None, receivedAt=AT))["occurred_at"] == AT_MS


@pytest.mark.parametrize(("sent_at", "minutes"), [
    ("2026-02-05T10:00:00.700Z", 0), ("2026-02-05T09:59:32Z", 0), ("2026-02-05T09:59:30Z", 1),
    ("2026-02-05T09:00:00Z", 60), ("2026-02-05T11:00:00Z", -60),
])
def test_a_wrong_clock_is_set_right_in_whole_minutes(sent_at: str, minutes: int) -> None:
    assert decoded(call(sentAt=sent_at))["occurred_at"] == AT_MS + minutes * 60_000


def test_a_call_sent_again_a_moment_later_is_the_same_event() -> None:
    first = decode(call(sentAt="2026-02-05T10:00:00.9Z"), SOURCE, RECEIVED_MS)
    again = decode(call(sentAt="2026-02-05T10:00:31.2Z", _metadata={"retryCount": 1}), SOURCE, RECEIVED_MS + 30_500)
    assert first == again


def test_a_forwarded_call_has_its_time_set_right_already() -> None:
    given = call(originalTimestamp="2026-02-05T08:00:00Z", sentAt="2026-02-05T08:00:01Z", receivedAt=AT)
    assert decoded(given)["occurred_at"] == AT_MS


def test_rudderstacks_clients_tell_the_time_of_the_call_beside_the_one_they_were_given() -> None:
    given = call(originalTimestamp="2026-02-05T10:00:00.9Z", sentAt="2026-02-05T09:00:01Z")
    assert decoded(given)["occurred_at"] == AT_MS + 3_600_000


# --- id


def test_ids_are_unique_within_a_source_only() -> None:
    assert decoded(call())["event_id"] == "shop:m-1"
    assert decoded(call(), Source("till", "pos"))["event_id"] == "till:m-1"


def test_a_long_id_is_hashed_to_one_that_fits() -> None:
    one, other = (decoded(call(messageId="m" * 300 + end))["event_id"] for end in "ab")
    assert one != other
    assert len(one) <= 200
    assert len(decoded(call(messageId="m" * 190), Source("s" * 64, "web"))["event_id"]) <= 200


def test_without_an_id_it_is_a_hash_of_what_is_said() -> None:
    given = call(messageId=None, properties={"a": 1, "b": 2})
    swapped = call(messageId=None, properties={"b": 2, "a": 1}, sentAt=AT)
    assert decoded(given)["event_id"] == decoded(swapped, received_ms=RECEIVED_MS + 5)["event_id"]
    assert decoded(given)["event_id"] != decoded(call(messageId=None, properties={"a": 1}))["event_id"]


def test_without_id_and_time_every_call_is_a_new_event() -> None:
    given = call(messageId=None, timestamp=None)
    assert decoded(given)["event_id"] != decoded(given, received_ms=RECEIVED_MS + 1)["event_id"]


# --- batch


def test_a_body_without_a_batch_is_one_call() -> None:
    assert unbatch(call()) == [call()]


def test_what_a_batch_says_holds_for_calls_that_do_not_say_otherwise() -> None:
    body = {
        "batch": [{"type": "page", "context": {"ip": "10.0.0.1"}}, {"type": "page", "context": None}, {"type": "page"}],
        "context": {"ip": "10.0.0.2", "locale": "uk-UA"}, "sentAt": AT, "writeKey": "k",
    }
    assert unbatch(body) == [
        {"type": "page", "context": {"ip": "10.0.0.1", "locale": "uk-UA"}, "sentAt": AT},
        {"type": "page", "context": {"ip": "10.0.0.2", "locale": "uk-UA"}, "sentAt": AT},
        {"type": "page", "context": {"ip": "10.0.0.2", "locale": "uk-UA"}, "sentAt": AT},
    ]


def test_no_call_keeps_the_write_key() -> None:
    assert unbatch(call(writeKey="k")) == [call()]
    assert unbatch({"batch": [call(writeKey="k")], "writeKey": "k"}) == [call()]


def test_what_is_no_call_stays_in_the_batch_to_be_refused() -> None:
    assert unbatch({"batch": [1, None, {"type": "page"}], "context": {"ip": "10.0.0.2"}}) == [
        1, None, {"type": "page", "context": {"ip": "10.0.0.2"}},
    ]
