"""The SDKs of Segment and RudderStack for Python, unmodified: given another address, they send to the collector."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from rudderstack.analytics.client import Client as Rudder
from segment.analytics.client import Client as Segment

from tests.unit.connectors.segment.serving import Served, serving

AT = datetime(2026, 2, 5, 10, 0, tzinfo=UTC)
ORDER = {
    "order_id": "o-1", "total": 27.5, "currency": "EUR",
    "products": [{"sku": "A", "name": "Mug", "price": 13.75, "quantity": 2, "position": 1}],
}


@pytest.fixture
def served(tmp_path: Any) -> Iterator[Served]:
    with serving(tmp_path) as site:
        yield site


def test_segments_client_sends_every_call(served: Served) -> None:
    failed: list[Any] = []
    client = Segment(served.key, host=served.url, gzip=True, on_error=lambda error, _: failed.append(error))
    client.identify("u-1", {"email": "ann@example.com", "firstName": "Ann"}, timestamp=AT)
    client.track("u-1", "Order Completed", ORDER, timestamp=AT, anonymous_id="a-1")
    client.page("u-1", "Shop", "Home", {"url": "https://shop.example/?gclid=G1"}, timestamp=AT)
    client.screen("u-1", "Shop", "Home", timestamp=AT)
    client.group("u-1", "g-1", {"name": "X"}, timestamp=AT)
    client.alias("a-0", "u-1", timestamp=AT)
    client.shutdown()
    assert failed == []
    events = served.events()
    assert [event["type"] for event in events] == [
        "identified", "order_placed", "page_viewed", "page_viewed", "grouped", "identified",
    ]
    assert {event["occurred_at"] for event in events} == {round(AT.timestamp() * 1000)}
    assert served.letters() == []
    order = events[1]
    assert (order["order"]["total"], order["order"]["items"][0]["price"]) == ("27.5", "13.75")
    assert order["properties"]["products"] == '[{"position":1}]'
    assert [(row["kind"], row["value"]) for row in order["identifiers"]] == [
        ("customer_id", "u-1"), ("anonymous_id", "a-1"),
    ]
    assert order["properties"]["context.library.name"] == "analytics-python"


def test_rudderstacks_client_sends_gzip(served: Served) -> None:
    failed: list[Any] = []
    client = Rudder(served.key, host=served.url, on_error=lambda error, _: failed.append(error))
    assert client.gzip
    client.identify("u-1", {"email": "ann@example.com"}, timestamp=AT)
    client.track("u-1", "Product Viewed", {"sku": "A", "price": 5}, timestamp=AT)
    client.shutdown()
    assert failed == []
    events = served.events()
    assert [(event["type"], event["occurred_at"]) for event in events] == [
        ("identified", round(AT.timestamp() * 1000)), ("product_viewed", round(AT.timestamp() * 1000)),
    ]
    assert events[1]["properties"]["segment.channel"] == "server"


def test_a_client_with_a_wrong_key_is_told(served: Served) -> None:
    failed: list[Any] = []
    client = Segment("ot_wrong", host=served.url, on_error=lambda error, _: failed.append(error), max_retries=0)
    client.track("u-1", "Song Played")
    client.shutdown()
    assert [error.status for error in failed] == [401]
    assert served.kept() == []


def test_a_refused_call_of_a_batch_does_not_hold_up_the_others(served: Served) -> None:
    failed: list[Any] = []
    client = Segment(served.key, host=served.url, on_error=lambda error, _: failed.append(error))
    client.track("u-1", "Order Completed", {"total": 5})
    client.track("u-1", "Song Played")
    client.shutdown()
    assert failed == []
    assert [event["type"] for event in served.events()] == ["song_played"]
    assert [reason for reason, _ in served.letters()] == ["missing_field"]
