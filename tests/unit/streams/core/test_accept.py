"""Which events are accepted, and what an accepted one becomes."""

from typing import Any

import pytest

from streams.core.accept import AHEAD_MS_MAX, EARLIEST_MS, Accepted, Unidentifiable
from streams.core.event import SCALE, Event, unpack
from streams.core.facts import CONTENT
from streams.core.identifiers import email_sha256
from streams.core.refusal import Reason, Reject
from tests.unit.streams.core.records import (
    AT_MS,
    DIGEST,
    KAFKA_MS,
    POSITION,
    accepted,
    judged,
    named,
    refused,
)

CARD = named("payment_token", "4111 1111 1111 1111")
ORDER = {"order_id": "o-1", "total": "12.50", "currency": "EUR"}


def money(units: float) -> int:
    return round(units * SCALE)


def content(event: Event) -> dict[str, Any]:
    """The content's values that tell something."""
    values = dict(zip((column.name for column in CONTENT), unpack(event.content), strict=True))
    return {name: value for name, value in values.items() if value not in (None, [], {}, "")}


def with_order(**fields: Any) -> dict[str, Any]:
    return {"channel": "pos", "type": "order_placed", "order": ORDER | fields}


def test_an_accepted_event_keeps_what_the_core_reads() -> None:
    event = accepted(
        device="desktop", place={"store_id": "S1", "city": " New  YORK"}, staff={"id": "op-7"},
        campaign={"source": "news", "name": "spring", "click_id": "g-1"},
        message={"message_id": "m-1", "conversation_id": "c-1"}, properties={"referrer": "https://example.com/"},
    )
    assert event == Event(
        event_id="e-1", at_ms=AT_MS, received_ms=KAFKA_MS, position=POSITION, digest=DIGEST,
        ids=(("anonymous_id", "ck-1", 1.0), ("click_id", "g-1", 1.0)), channel="web", type="page_viewed",
        role="interaction", device="desktop", store_id="S1", staff="op-7", order_id=None, campaign="spring",
        referrer="https://example.com/", click_id="g-1", message_id="m-1", conversation_id="c-1",
        content=event.content, order=b"", talk=event.talk, told=b"", city="new york",
    )


@pytest.mark.parametrize(("fields", "refusal"), [
    ({"event_id": ""}, ("missing_field", "event_id")),
    ({"event_id": None}, ("missing_field", "event_id")),
    ({"event_id": "x" * 201}, ("bad_value", "event_id")),
    ({"channel": ""}, ("missing_field", "channel")),
    ({"channel": "radio"}, ("unknown_channel", "channel")),
    ({"channel_of_topic": "app"}, ("channel_mismatch", "channel")),
    ({"type": ""}, ("missing_field", "type")),
    ({"type": "x" * 101}, ("bad_value", "type")),
    ({"role": "bystander"}, ("bad_value", "role")),
    ({"occurred_at": EARLIEST_MS - 1}, ("too_early", "occurred_at")),
    ({"occurred_at": AT_MS // 1000}, ("too_early", "occurred_at")),
    ({"occurred_at": KAFKA_MS + AHEAD_MS_MAX + 1}, ("too_late", "occurred_at")),
    ({"utc_offset_min": 1081}, ("bad_value", "utc_offset_min")),
    ({"place": {"zone": "Europe/Nowhere"}}, ("bad_value", "place.zone")),
    ({"place": {"zone": "Europe"}}, ("bad_value", "place.zone")),
    ({"place": {"latitude": 90.5}}, ("bad_value", "place.latitude")),
    ({"staff": {"id": ""}}, ("missing_field", "staff.id")),
    ({"identifiers": [named("email", "a@example.com", 0)]}, ("bad_value", "identifiers.confidence")),
    ({"identifiers": [named("email", "a@example.com", 1.01)]}, ("bad_value", "identifiers.confidence")),
    ({"identifiers": []}, ("no_identifier", "expected an identifier or order.order_id; came no identifier")),
    ({"identifiers": [named("email", "null")]},
     ("no_identifier", "expected an identifier or order.order_id; came blocked")),
    ({"identifiers": [named("device_id", f"d-{n}") for n in range(21)]}, ("too_many_identifiers", "identifiers")),
    ({"identifiers": [CARD]}, ("card_number", "identifiers")),
    ({"type": "cart_updated"}, ("missing_field", "cart")),
    ({"type": "order_placed"}, ("missing_field", "order.order_id")),
    ({"type": "payment_received"}, ("missing_field", "order.order_id")),
    ({"type": "order_returned"}, ("missing_field", "return.amount")),
    ({"type": "order_returned", "return": {"reason": "small"}}, ("missing_field", "return.amount")),
    ({"return": {"outcome": "perhaps"}}, ("bad_value", "return.outcome")),
    ({"return": {"amount": "5"}}, ("missing_field", "return.currency")),
    (with_order(order_id=" "), ("missing_field", "order.order_id")),
    (with_order(order_id="null"), ("bad_value", "order.order_id")),
    (with_order(total="-1"), ("bad_amount", "order.total")),
    (with_order(total=12.5), ("bad_amount", "order.total")),
    (with_order(currency=None), ("missing_field", "order.currency")),
    (with_order(currency="EURO"), ("bad_value", "order.currency")),
    (with_order(currency="XYZ"), ("bad_value", "order.currency")),
    (with_order(items=[{"sku": "a", "price": "1,5"}]), ("bad_amount", "order.items[0].price")),
    (with_order(items=[{"sku": "a"}, {"sku": ""}]), ("missing_field", "order.items[1].sku")),
    (with_order(items=[{"sku": "a", "quantity": "-1"}]), ("bad_amount", "order.items[0].quantity")),
    (with_order(payments=[{"method": ""}]), ("missing_field", "order.payments[0].method")),
    (with_order(payments=[{"method": "cash", "amount": "x"}]), ("bad_amount", "order.payments[0].amount")),
    (with_order(delivery={"promised_at": 0}), ("bad_time", "order.delivery.promised_at")),
    ({"promise": {"due_at": 1}}, ("bad_time", "promise.due_at")),
    ({"promise": {"promise_id": "x" * 1001}}, ("bad_value", "promise.promise_id")),
    ({"message": {"topic": "x" * 1001}}, ("bad_value", "message.topic")),
    ({"message": {"duration_ms": -1}}, ("bad_value", "message.duration_ms")),
    ({"traits": {"x" * 1001: "v"}}, ("bad_value", "traits")),
    ({"preference": {"language": "x" * 1001}}, ("bad_value", "preference.language")),
    ({"campaign": {"cost": "1"}}, ("missing_field", "campaign.currency")),
    ({"message": {"cost": "1", "currency": "eur"}}, ("bad_value", "message.currency")),
    ({"cart": {"items": [{"sku": "a", "price": "1"}]}}, ("missing_field", "cart.items[0].currency")),
    ({"products": [{"sku": "a", "price": "free"}]}, ("bad_amount", "products[0].price")),
    ({"loyalty": {"points_spent": "-5"}}, ("bad_amount", "loyalty.points_spent")),
    ({"device": "x" * 1001}, ("bad_value", "device")),
    ({"place": {"store_id": "x" * 1001}}, ("bad_value", "place.store_id")),
    (with_order(receipt_id="x" * 1001), ("bad_value", "receipt_id")),
    (with_order(payments=[{"method": "x" * 1001}]), ("bad_value", "order.payments[0].method")),
    (with_order(items=[{"sku": "x" * 1001}]), ("bad_value", "order.items[0].sku")),
])
def test_what_is_wrong_is_refused_with_its_reason_and_place(fields: dict[str, Any], refusal: tuple[str, str]) -> None:
    assert refused(**fields) == refusal


@pytest.mark.parametrize("fields", [
    {"event_id": "x" * 200},
    {"channel_of_topic": "web"},
    {"type": "x" * 100},
    {"device": "x" * 1000},
    {"occurred_at": EARLIEST_MS},
    {"occurred_at": KAFKA_MS + AHEAD_MS_MAX},
    {"utc_offset_min": -1080},
    {"identifiers": [named("device_id", f"d-{n}") for n in range(20)]},
    {"identifiers": [named("device_id", f"d-{n}") for n in range(19)] + [named("email", "a@example.com")]},
    {"type": "cart_updated", "cart": {}},
    {"type": "order_returned", "return": {"outcome": "refused"}},
    {"type": "order_returned", "return": {"amount": "0", "currency": "EUR"}},
    {"type": "order_returned", "order": {"order_id": "o-1", "currency": "EUR"}, "return": {"amount": "5"}},
    {"products": [{"sku": "a", "price": "249.00"}]},
    {"loyalty": {"points_spent": "5"}},
])
def test_the_edge_of_each_rule_is_accepted(fields: dict[str, Any]) -> None:
    assert isinstance(judged(**fields), Accepted)


def test_a_refusal_names_the_event() -> None:
    assert judged(channel="radio") == Reject(
        Reason.UNKNOWN_CHANNEL, "channel: expected one of the registry; came 'radio'", "e-1")


def test_a_cards_number_is_the_reason_whatever_else_is_wrong() -> None:
    bad = {"identifiers": [named("email", "a@example.com", 7), CARD], "occurred_at": 0}
    assert refused(**bad) == ("card_number", "identifiers")


def test_an_unknown_type_is_an_interaction() -> None:
    assert accepted(type="garland_hung").role == "interaction"


def test_a_role_of_its_own_overrides_the_types() -> None:
    assert accepted(role="record").role == "record"


def test_a_bad_identifier_is_dropped_and_noted() -> None:
    outcome = judged(identifiers=[
        named("email", "null"), named("wifi_mac", "02:00:00:00:00:01"), named("device_id", "d-1"), named("pass", "x"),
    ])
    assert isinstance(outcome, Accepted)
    assert outcome.event.ids == (("device_id", "d-1", 1.0),)
    assert outcome.notes == (("email", "blocked"), ("wifi_mac", "randomised"), ("pass", "unknown_kind"))


def test_a_value_in_the_place_of_a_kind_is_not_repeated() -> None:
    outcome = judged(identifiers=[named("device_id", "d-1"), named("a.person@example.com", "email")])
    assert isinstance(outcome, Accepted)
    assert outcome.notes == (("", "unknown_kind"),)


def test_an_observation_without_identifier_is_counted_not_refused() -> None:
    seen = judged(channel="wifi", type="wifi_seen", identifiers=[named("wifi_mac", "02:00:00:00:00:01")])
    assert seen == Unidentifiable("e-1", "wifi", "wifi_seen", AT_MS, "randomised", (("wifi_mac", "randomised"),))


def test_an_order_alone_identifies_its_event() -> None:
    event = accepted(**with_order(), identifiers=[])
    assert (event.ids, event.order_id) == ((("order_id", "o-1", 1.0),), "o-1")


def test_an_email_names_its_hash_with_the_same_confidence() -> None:
    event = accepted(identifiers=[named("email", "A@example.com", 0.8)])
    assert event.ids == (("email", "a@example.com", 0.8), ("email_sha256", email_sha256("a@example.com"), 0.8))


def test_of_one_identifier_named_twice_the_higher_confidence_stays() -> None:
    phones = (("0671234567", 0.5), ("+380671234567", 0.9), ("0671234567", 0.7))
    event = accepted(identifiers=[named("phone", value, confidence) for value, confidence in phones])
    assert event.ids == (("phone", "+380671234567", 0.9),)


def test_identifiers_stand_in_text_order() -> None:
    event = accepted(identifiers=[named("phone", "+380671234567"), named("device_id", "b"), named("device_id", "a")])
    assert [value for _, value, _ in event.ids] == ["a", "b", "+380671234567"]


def test_a_blocked_click_is_no_click() -> None:
    outcome = judged(campaign={"click_id": "null"})
    assert isinstance(outcome, Accepted)
    assert (outcome.event.click_id, outcome.notes) == (None, (("click_id", "blocked"),))


def test_a_campaign_without_name_is_called_by_its_source() -> None:
    assert accepted(campaign={"source": "news"}).campaign == "news"


@pytest.mark.parametrize(("fields", "hours"), [
    ({"utc_offset_min": -300, "place": {"zone": "Asia/Tokyo"}}, -5),
    ({"place": {"zone": "Asia/Tokyo"}}, 9),
    ({}, 2),
])
def test_local_time_is_by_offset_else_zone_else_the_reporting_zone(fields: dict[str, Any], hours: int) -> None:
    assert content(accepted(**fields))["local_at"] == AT_MS + hours * 3_600_000


def test_local_time_follows_daylight_saving() -> None:
    """Kyiv went from UTC+2 to UTC+3 on 2025-03-30 at 01:00 UTC."""
    change_ms = 1_743_296_400_000
    before, after = (content(accepted(occurred_at=ms))["local_at"] - ms for ms in (change_ms - 1, change_ms))
    assert (before, after) == (2 * 3_600_000, 3 * 3_600_000)


def test_content_holds_what_the_row_shows() -> None:
    event = accepted(
        source="shop", language="uk", query="garland", properties={"n": 1, "nested": {"a": [True]}},
        products=[{"sku": "b", "available": False}, {"sku": "a", "available": True}, {"sku": "b", "available": False}],
        feedback={"score": 4, "scale_max": 5, "text": "Good."},
        campaign={
            "source": "s", "medium": "m", "name": "n", "term": "t", "content": "c", "cost": "0.1", "currency": "USD",
        },
    )
    assert content(event) == {
        "local_at": AT_MS + 7_200_000, "source": "shop", "language": "uk", "skus": ["b", "a"], "query": "garland",
        "campaign_source": "s", "campaign_medium": "m", "campaign_name": "n", "campaign_term": "t",
        "campaign_content": "c", "cost": money(0.1), "cost_currency": "USD",
        "properties": {"n": "1", "nested": '{"a":[true]}'}, "unavailable": ["b"], "score": 4.0, "scale_max": 5.0,
    }
    assert event.unavailable


CART = {"total": "9", "currency": "EUR", "items": [{"sku": "cart"}]}
BACK = {"amount": "5", "currency": "USD"}


@pytest.mark.parametrize(("fields", "expected"), [
    ({"order": ORDER, "return": BACK, "cart": CART}, (money(5), "USD")),
    ({"order": ORDER, "cart": CART}, (money(12.5), "EUR")),
    ({"order": {"order_id": "o-1"}, "cart": CART}, (money(9), "EUR")),
    ({"cart": CART}, (money(9), "EUR")),
    ({}, (None, None)),
])
def test_money_is_the_returns_else_the_orders_else_the_carts(fields: dict[str, Any], expected: tuple[Any, Any]) -> None:
    told = content(accepted(**fields))
    assert (told.get("amount"), told.get("currency")) == expected


@pytest.mark.parametrize(("fields", "skus"), [
    ({"products": [{"sku": "shown"}], "order": ORDER | {"items": [{"sku": "sold"}]}, "cart": CART}, ["shown"]),
    ({"order": ORDER | {"items": [{"sku": "sold"}]}, "cart": CART}, ["sold"]),
    ({"return": BACK | {"items": [{"sku": "back"}]}, "order": ORDER | {"items": [{"sku": "sold"}]}}, ["back"]),
    ({"order": ORDER, "cart": CART}, ["cart"]),
    ({"type": "cart_updated", "products": [{"sku": "added"}], "cart": CART}, ["cart"]),
    ({"type": "cart_updated", "products": [{"sku": "taken"}], "order": ORDER | {"items": [{"sku": "draft"}]},
      "cart": {"items": []}}, None),
    ({"type": "checkout_started", "products": [{"sku": "shown"}], "cart": CART}, ["shown"]),
])
def test_skus_are_those_shown_returned_ordered_or_in_the_cart(fields: dict[str, Any], skus: list[str] | None) -> None:
    """Of a cart_updated those in the cart, none when it was emptied."""
    assert content(accepted(**fields)).get("skus") == skus


def test_a_message_tells_the_cost_where_the_campaign_does_not() -> None:
    event = accepted(campaign={"name": "n"}, message={"cost": "0.05", "currency": "EUR"})
    assert (content(event)["cost"], content(event)["cost_currency"]) == (money(0.05), "EUR")


def test_an_order_travels_scaled_and_without_what_is_absent() -> None:
    event = accepted(
        channel="pos", type="order_placed", loyalty={"points_spent": "30"}, order={
            **ORDER, "receipt_id": "r-1", "tax": "2", "promo_code": "SPRING",
            "items": [
                {"sku": "a", "quantity": "0.456", "unit": "kg", "price": "4"},
                {"sku": "b", "currency": "USD", "line_id": "x"},
            ],
            "payments": [{"method": "cash", "amount": "12.50"}, {"method": "points"}],
            "delivery": {"method": "courier", "promised_at": AT_MS, "cost": "1"},
        },
    )
    assert unpack(event.order) == {"points_spent": money(30), "order": {
        "order_id": "o-1", "total": money(12.5), "currency": "EUR", "receipt_id": "r-1", "tax": money(2),
        "promo_code": "SPRING",
        "items": [
            {"line_id": "1", "sku": "a", "quantity": 4560, "unit": "kg", "price": money(4), "currency": "EUR"},
            {"line_id": "x", "sku": "b", "quantity": SCALE, "currency": "USD"},
        ],
        "payments": [{"method": "cash", "amount": money(12.5)}, {"method": "points"}],
        "delivery": {"method": "courier", "promised_at": AT_MS, "cost": money(1)},
    }}


def test_an_order_without_items_is_not_one_emptied_of_them() -> None:
    without, emptied = (unpack(accepted(**with_order(items=items)).order)["order"] for items in (None, []))
    assert ("items" in without, emptied["items"]) == (False, [])


@pytest.mark.parametrize(("type_", "fields", "expected"), [
    ("return_asked", {}, {"return_id": "e-1", "outcome": "asked"}),
    ("order_returned", BACK, {"return_id": "e-1", "outcome": "accepted", "amount": money(5), "currency": "USD"}),
    ("order_returned", {"return_id": "r", "outcome": "refused", "items": [{"sku": "a"}]},
     {"return_id": "r", "outcome": "refused", "items": [{"sku": "a", "quantity": SCALE}]}),
])
def test_a_return_has_an_id_and_an_outcome(type_: str, fields: dict[str, Any], expected: dict[str, Any]) -> None:
    assert unpack(accepted(type=type_, **{"return": fields}).order) == {"return": expected}


def test_an_event_about_no_order_carries_none() -> None:
    assert accepted(loyalty={"points_spent": "30"}).order == b""


def test_a_part_that_packs_to_more_than_a_kafka_record_takes_is_oversize() -> None:
    outcome = judged(**with_order(items=[{"sku": "s" + "x" * 40, "name": "n" * 20}] * 2900))
    assert isinstance(outcome, Accepted)
    record = {"sku": "a"}
    assert refused(**with_order(items=[record] * 12_000))[0] == "oversize"
