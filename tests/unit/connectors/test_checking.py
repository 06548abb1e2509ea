"""One set of rules before Kafka: lines and objects alike, whatever they hold."""

import json
from typing import Any

import pytest

from connectors.checking import Checked, Checker
from schemas.records import CHANNEL_EVENT
from streams.core.policy import default
from streams.core.refusal import EVENT_BYTES_MAX, Reject
from streams.settings import Settings
from tests.unit.streams.core.records import KAFKA_MS, named, read, told

CHECKER = Checker(Settings(), default())


def reason(given: Any) -> str:
    checked = CHECKER.check(given, KAFKA_MS)
    assert isinstance(checked, Reject), checked
    return str(checked.reason)


def test_a_line_and_its_object_become_the_same() -> None:
    event = told(properties={"a": 1, "b": {"c": [True, None]}})
    checked = CHECKER.check(event, KAFKA_MS)
    assert checked == CHECKER.check(json.dumps(event).encode(), KAFKA_MS)
    assert isinstance(checked, Checked)
    assert (checked.channel, checked.event_id) == ("web", "e-1")
    assert CHANNEL_EVENT.decode(checked.payload) == read(event)


def test_what_ingest_counts_as_unidentifiable_is_known_here() -> None:
    seen = told(channel="wifi", type="wifi_seen", identifiers=[named("wifi_mac", "DA:A1:19:00:00:01")])
    for event, is_unidentifiable in ((seen, True), (seen | {"identifiers": []}, True), (told(), False)):
        checked = CHECKER.check(event, KAFKA_MS)
        assert isinstance(checked, Checked)
        assert checked.is_unidentifiable is is_unidentifiable


def test_what_ingest_refuses_is_refused_here() -> None:
    assert reason(told(channel="nowhere")) == "unknown_channel"
    assert reason(told(occurred_at=KAFKA_MS + 25 * 3_600_000)) == "too_late"
    assert reason(told(identifiers=[named("payment_token", "4111111111111111")])) == "card_number"
    assert reason(b"{") == "bad_json"
    assert reason(told(products=[{"sku": "s" * EVENT_BYTES_MAX}])) in ("oversize", "bad_value")


@pytest.mark.parametrize("event", [
    told(event_id="\ud800"), told(type="\ud800"), told(source="\ud800"), told(properties={"\ud800": "a"}),
    told(properties={"a": "\ud800"}), told(identifiers=[named("anonymous_id", "\ud800")]), told(channel="\ud800"),
    told(identifiers=[named("\ud800", "a")]), told(order={"order_id": "\ud800"}), told(**{"\ud800": 1}),
])
def test_half_a_surrogate_pair_is_refused_wherever_it_stands(event: dict[str, Any]) -> None:
    assert reason(event) in ("bad_value", "unknown_channel", "unknown_field", "no_identifier")
