"""Orders, carts and lines."""

from typing import Any

import pytest

from connectors.source import Source
from streams.core.accept import Accepted, accept
from streams.core.refusal import Reject
from tests.unit.connectors.segment.samples import call, decoded, track
from tests.unit.streams.core.records import DIGEST, KAFKA_MS, POSITION, RULES, read

EURO = Source("shop", "web", currency="EUR")


def order(**properties: Any) -> dict[str, Any]:
    told: dict[str, Any] = decoded(track("Order Completed", order_id="o-1", **properties))["order"]
    return told


@pytest.mark.parametrize(("told", "total"), [
    ({"total": 27.5, "revenue": 25}, "27.5"),
    ({"subtotal": 22.5, "shipping": 3, "tax": 2}, "27.5"),
    ({"revenue": 25, "shipping": 3, "tax": 2, "discount": 2.5}, "27.5"),
    ({"revenue": 19.99}, "19.99"),
    ({"value": "19.99"}, "19.99"),
    ({"revenue": 1, "discount": 2}, None),
    ({}, None),
])
def test_what_an_order_comes_to(told: dict[str, Any], total: str | None) -> None:
    assert order(currency="EUR", **told).get("total") == total


@pytest.mark.parametrize(("told", "amount"), [
    (0.1 + 0.2, "0.3"), (19.989999999999998, "19.99"), (1e-7, "0"), ("12.50", "12.5"), (0, "0"), (12345.5, "12345.5"),
])
def test_amounts_of_binary_fractions(told: Any, amount: str) -> None:
    assert order(currency="EUR", total=told)["total"] == amount


@pytest.mark.parametrize("told", [-1, "12,50", "$5", True, [5], 1e20, "1.23456"])
def test_what_is_no_amount_stays_a_property(told: Any) -> None:
    event = decoded(track("Order Completed", order_id="o-1", currency="EUR", tax=told))
    assert event["order"] == {"order_id": "o-1"}
    assert "tax" in event["properties"]
    assert event["properties"]["currency"] == "EUR"


def test_an_amount_of_no_currency_is_none() -> None:
    given = track("Order Completed", order_id="o-1", total=5, products=[{"sku": "A", "price": 5, "quantity": 2}])
    event = decoded(given)
    assert event["order"] == {"order_id": "o-1", "items": [{"sku": "A", "quantity": "2"}]}
    assert (event["properties"]["total"], event["properties"]["products"]) == ("5", '[{"price":5}]')
    told = decoded(given, EURO)["order"]
    assert told == {
        "order_id": "o-1", "total": "5", "currency": "EUR", "items": [{"sku": "A", "quantity": "2", "price": "5"}],
    }


def test_an_order_without_a_number_is_refused_when_it_is_checked() -> None:
    record = read(decoded(track("Order Completed", total=5, currency="EUR")))
    assert isinstance(record, Reject)
    assert record.detail.startswith("order.order_id")


def test_a_line_without_a_number_goes_by_its_name_and_without_both_is_none() -> None:
    event = decoded(track("Order Completed", order_id="o-1", products=[{"name": "Mug"}, {"url": "x"}, "odd", None]))
    assert event["order"]["items"] == [{"sku": "Mug", "name": "Mug"}]
    assert event["properties"]["products"] == '[{},{"url":"x"},"odd",null]'


def test_how_it_was_paid_and_comes_to_the_customer() -> None:
    told = order(payment_method="Visa", shipping_method="Click & Collect")
    assert told["payments"] == [{"method": "card_online", "provider": "Visa"}]
    assert told["delivery"] == {"method": "pickup"}
    assert order(payment_method="Apple Pay")["payments"] == [{"method": "wallet", "provider": "Apple Pay"}]
    assert order(payment_method="card_online")["payments"] == [{"method": "card_online"}]
    assert order(payment_method="Barter")["payments"] == [{"method": "other", "provider": "Barter"}]
    assert order(shipping_method="Store Pickup")["delivery"] == {"method": "pickup"}
    fedex = decoded(track("Order Completed", order_id="o-1", shipping_method="Fedex"))
    assert ("delivery" in fedex["order"], fedex["properties"]["shipping_method"]) == (False, "Fedex")


def test_a_product_put_into_the_cart_is_in_it_and_one_taken_out_empties_nothing() -> None:
    added = decoded(track("Product Added", cart_id="c-1", sku="A", price=5, currency="EUR"))
    assert (added["type"], added["cart"]) == (
        "cart_updated", {"cart_id": "c-1", "items": [{"sku": "A", "price": "5"}], "currency": "EUR"})
    removed = decoded(track("Product Removed", sku="A"))
    assert (removed["type"], removed["products"], "cart" in removed) == ("product_removed", [{"sku": "A"}], False)


def test_an_emptied_cart_has_no_items() -> None:
    assert decoded(track("Cart Updated", products=[]))["cart"] == {"items": []}


def test_a_refund_is_a_return_of_its_own() -> None:
    event = decoded(track("Order Refunded", order_id="o-1", total=30, currency="usd", products=[{"sku": "A"}]))
    assert (event["type"], event["order"]) == ("order_returned", {"order_id": "o-1"})
    assert event["return"] == {"amount": "30", "currency": "USD", "items": [{"sku": "A"}]}


@pytest.mark.parametrize(("products", "amount"), [
    ([{"sku": "A", "price": 19}, {"sku": "B", "price": 3.5, "quantity": 2}], "26"),
    ([{"sku": "A"}, "odd"], None), ([], None),
])
def test_a_refund_without_an_amount_is_worth_its_products(products: list[Any], amount: str | None) -> None:
    event = decoded(track("Order Refunded", order_id="o-1", currency="EUR", products=products))
    assert event.get("return", {}).get("amount") == amount
    assert len(event.get("return", {}).get("items", [])) == sum(isinstance(item, dict) for item in products)


def test_a_cancelled_order_keeps_the_amounts_it_was_placed_with() -> None:
    event = decoded(track("Order Cancelled", order_id="o-1", total=30, currency="USD"))
    assert (event["order"], event["properties"]["total"]) == ({"order_id": "o-1"}, "30")


def test_an_order_begun_is_known_by_its_number_and_is_none_yet() -> None:
    event = decoded(track("Checkout Started", order_id="o-1", value=30, currency="USD", products=[{"sku": "A"}]))
    assert {"kind": "order_id", "value": "o-1"} in event["identifiers"]
    assert event["cart"] == {"items": [{"sku": "A"}], "total": "30", "currency": "USD"}
    assert "order" not in event


def test_the_currency_of_a_view_is_its_lines() -> None:
    event = decoded(track("Product Viewed", sku="A", price=5, currency="usd"))
    assert event["products"] == [{"sku": "A", "price": "5", "currency": "USD"}]
    assert decoded(track("Product Viewed", sku="A", price=5))["products"] == [{"sku": "A", "price": "5"}]


@pytest.mark.parametrize("name", ["Order Completed", "order_completed", "orderCompleted", "Completed Order"])
def test_an_event_is_known_in_every_spelling(name: str) -> None:
    event = decoded(track(name, order_id="o-1"))
    assert (event["type"], event["properties"]["event"]) == ("order_placed", name)


@pytest.mark.parametrize(("name", "type_"), [
    ("Course Clicked", "course_clicked"), ("courseClicked", "course_clicked"), ("UTMSeen 2x!", "utmseen_2x"),
    ("Придбано  курс", "придбано_курс"), ("!!!", "event"), ("x" * 150, "x" * 100), ("page_viewed", "page_viewed"),
])
def test_an_event_without_a_row_keeps_its_name(name: str, type_: str) -> None:
    event = decoded(track(name, grade="A", tags=["x"]))
    assert event["type"] == type_
    assert event["properties"] == {"event": name, "grade": "A", "tags": '["x"]'}
    record = read(event)
    assert not isinstance(record, Reject)
    assert isinstance(accept(record, POSITION, KAFKA_MS, DIGEST, None, RULES), Accepted)


def test_a_message_of_a_chat_is_the_customers_when_it_was_sent() -> None:
    event = decoded(track("Live Chat Message Sent", conversation_id="k-1", message_id="m-1", message_body="Hello",
                          agent_id="s-1"))
    assert (event["channel"], event["type"], event["staff"]) == ("chat", "message_received", {"id": "s-1"})
    assert event["message"] == {"conversation_id": "k-1", "message_id": "m-1", "text": "Hello"}


def test_unsubscribing_takes_the_consent_back() -> None:
    assert decoded(track("Unsubscribed", list_id="7"))["consent"] == {"email_marketing": False}


def test_a_name_among_the_properties_does_not_hide_the_events() -> None:
    event = decoded(call(properties={"event": "concert"}))
    assert (event["properties"]["event"], event["properties"]["segment.event"]) == ("concert", "Song Played")


def test_the_call_is_not_changed() -> None:
    given = call(event="Order Completed", context={"page": {"url": "x"}, "traits": {"a": 1}},
                 properties={"order_id": "o-1", "products": [{"sku": "A", "position": 1}]})
    before = str(given)
    decoded(given)
    assert str(given) == before
