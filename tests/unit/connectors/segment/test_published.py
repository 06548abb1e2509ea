"""Every example that the specification publishes becomes an event that is accepted, and nothing of it is lost."""

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

import pytest

from connectors.segment import decode, default, unbatch
from connectors.segment.calls import DELIVERY
from connectors.segment.mapping import plain
from streams.core.accept import Accepted, accept
from streams.core.event_types import TYPES
from streams.core.refusal import Reject
from tests.unit.connectors.segment.samples import ALL, FIXTURES, RECEIVED_MS, SOURCE, decoded, published
from tests.unit.streams.core.records import DIGEST, POSITION, RULES, read

NOW_MS = 1_790_000_000_000
"""After the examples' times."""


MEANT = frozenset({"users"})
"""The collection of an external id that is a customer's: by it the id became an identifier."""


def leaves(value: Any) -> Iterator[str]:
    """Every value in a nested one, as a text to compare by; what stands in a text as JSON too."""
    if isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif value not in (None, ""):
        yield comparable(value)
        if isinstance(value, str) and value[0] in "[{":
            yield from leaves(json.loads(value))


def comparable(value: Any) -> str:
    """Numbers by their value; currencies come in lower case too."""
    text = value if isinstance(value, str) else json.dumps(value)
    try:
        return str(Decimal(text).normalize())
    except InvalidOperation:
        return text.casefold()


def lost(call: dict[str, Any], event: dict[str, Any]) -> set[str]:
    """What the call says and the event does not; the id, the time and the kind of call have fields of their own."""
    said = {key: value for key, value in call.items() if key not in DELIVERY | {"type"}}
    return set(leaves(said)) - set(leaves(event)) - MEANT


def name_of(call: dict[str, Any]) -> str:
    return str(call.get("event", call["type"]))


@pytest.mark.parametrize("call", ALL, ids=name_of)
def test_no_value_of_a_published_example_is_lost(call: dict[str, Any]) -> None:
    event = decoded(call)
    assert event["event_id"] == f"shop:{call['messageId']}"
    assert not lost(call, event)


def test_the_walk_over_the_values_finds_a_lost_one() -> None:
    """The oracle of the test above must be able to say no."""
    call = published("ecommerce")[15]
    event = decoded(call)
    del event["order"]["items"][1]["sku"]
    assert lost(call, event) == {"46493-32"}


@pytest.mark.parametrize("call", ALL, ids=name_of)
def test_every_published_example_is_accepted(call: dict[str, Any]) -> None:
    record = read(decoded(call))
    assert not isinstance(record, Reject), record
    assert isinstance(accept(record, POSITION, NOW_MS, DIGEST, None, RULES), Accepted)


def test_every_e_commerce_event_has_a_row_of_its_own() -> None:
    assert [call["event"] for call in published("ecommerce") if plain(call["event"]) not in default().events] == []


def test_what_the_order_events_become() -> None:
    types = {name_of(call): decoded(call)["type"] for call in published("ecommerce")}
    assert {name: type_ for name, type_ in types.items() if type_ in TYPES} == {
        "Products Searched": "product_searched", "Promotion Viewed": "offer_shown", "Product Viewed": "product_viewed",
        "Product Added": "cart_updated", "Wishlist Product Added to Cart": "cart_updated",
        "Checkout Started": "checkout_started", "Order Updated": "order_updated", "Order Completed": "order_placed",
        "Order Refunded": "order_returned", "Order Cancelled": "order_cancelled", "Coupon Applied": "promo_code_used",
        "Product Reviewed": "review_left",
    }


def test_an_order_with_its_lines() -> None:
    order = decoded(published("ecommerce")[15])
    assert order["order"] == {
        "order_id": "50314b8e9bcf000000000000", "total": "27.5", "tax": "2", "shipping": "3", "discount": "2.5",
        "promo_code": "hasbros", "currency": "USD",
        "items": [
            {"sku": "45790-32", "name": "Monopoly: 3rd Edition", "category": "Games", "quantity": "1", "price": "19"},
            {"sku": "46493-32", "name": "Uno Card Game", "category": "Games", "quantity": "2", "price": "3"},
        ],
    }
    assert {key: order["properties"][key] for key in ("checkout_id", "affiliation", "subtotal", "revenue")} == {
        "checkout_id": "fksdjfsdjfisjf9sdfjsd9f", "affiliation": "Example Store", "subtotal": "22.5", "revenue": "25.0",
    }


def test_a_batch_gives_its_context_to_every_call() -> None:
    body = json.loads((FIXTURES / "batch.json").read_text())
    calls = unbatch(body)
    assert [call["type"] for call in calls] == ["identify", "track", "identify", "track"]
    events = [decode(call, SOURCE, RECEIVED_MS) for call in calls]
    assert [event[0]["device"] for event in events if isinstance(event, list)] == ["mobile"] * 4
    assert len({event[0]["event_id"] for event in events if isinstance(event, list)}) == 4


