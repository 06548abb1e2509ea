"""What shops tell of an order, folded as the streams fold it: the same order, however its webhooks come."""

import json
import random
from collections.abc import Iterable
from typing import Any

from connectors.incoming import Incoming
from connectors.source import Source
from connectors.webhooks.systems import SYSTEMS
from schemas.records import CHANNEL_EVENT
from streams.core.accept import Accepted, Rules, accept
from streams.core.channels import CHANNELS
from streams.core.event import SCALE, Event
from streams.core.facts import TABLES
from streams.core.order import order_rows
from streams.core.policy import default
from streams.core.reading import Reader
from streams.core.refusal import Reject

SHOP = Source("shop", "web")
READER = Reader(json.loads(CHANNEL_EVENT.text))
RULES = Rules(default(), CHANNELS, "", "UTC")
COLUMNS = [column.name for column in TABLES["orders"].columns]


def events(system: str, topic: str, document: dict[str, Any]) -> list[Event]:
    header = {"shopify": "x-shopify-topic", "woocommerce": "x-wc-webhook-topic"}[system]
    found = []
    for told in SYSTEMS[system].decode(Incoming(json.dumps(document).encode(), {header: topic}), SHOP, 1):
        assert isinstance(told, dict)
        record = READER.read_object(told)
        assert not isinstance(record, Reject), record
        accepted = accept(record, ("", 0, 0), 1_790_000_000_000, b"", None, RULES)
        assert isinstance(accepted, Accepted), accepted
        found.append(accepted.event)
    return found


def order(told: Iterable[Event], seed: int = 0) -> dict[str, Any]:
    """The order's row; the events in any order, each once, as a touchpoint is kept once."""
    once = list({event.event_id: event for event in told}.values())
    random.Random(seed).shuffle(once)
    (order_id,) = {event.order_id for event in once}
    assert order_id is not None
    rows = order_rows(order_id, once, lambda _: (b"p" * 16, False), lambda _: "email")
    return dict(zip(COLUMNS, rows.order, strict=False))


SHOPIFY: dict[str, Any] = {
    "id": 1, "name": "#1001", "email": "a.person@example.com", "created_at": "2026-02-04T10:00:00Z",
    "updated_at": "2026-02-04T10:00:00Z", "currency": "EUR", "total_price": "30.00", "total_tax": "5.00",
    "taxes_included": True, "source_name": "web", "payment_gateway_names": ["shopify_payments"],
    "line_items": [{"id": 7, "sku": "garland", "quantity": 2, "price": "15.00"}],
}
REFUND: dict[str, Any] = {
    "id": 5, "order_id": 1, "processed_at": "2026-02-06T10:00:00Z",
    "refund_line_items": [
        {"quantity": 1, "subtotal": 15.0, "total_tax": 2.5, "line_item": {"id": 7, "sku": "garland"}},
    ],
    "transactions": [{"kind": "refund", "status": "success", "amount": "15.00", "currency": "EUR"}],
}


def shopify_told() -> list[Event]:
    def step(topic: str, **changed: Any) -> list[Event]:
        return events("shopify", topic, {**SHOPIFY, **changed})

    return [
        *step("orders/create"),
        *step("orders/paid", updated_at="2026-02-04T10:01:00Z", financial_status="paid"),
        *step("orders/updated", updated_at="2026-02-04T10:01:00Z", financial_status="paid"),
        *step("orders/fulfilled", updated_at="2026-02-05T09:00:00Z",
              fulfillments=[{"id": 3, "created_at": "2026-02-05T08:59:00Z"}]),
        *events("shopify", "refunds/create", REFUND),
        *step("orders/updated", updated_at="2026-02-06T10:00:01Z", financial_status="partially_refunded"),
    ]


def test_an_order_of_shopify_from_placing_to_a_refund() -> None:
    for seed in range(5):
        row = order([*shopify_told(), *shopify_told()], seed)
        assert (row["status"], row["total"], row["revenue"], row["returned_amount"]) == (
            "partly_returned", 30 * SCALE, 15 * SCALE, 15 * SCALE)
        assert (row["placed_channel"], row["receipt_ids"]) == ("web", ["#1001"])
        assert row["payment_methods"] == ["card_online"]
        assert row["paid_at"] - row["placed_at"] == 60_000
        assert row["fulfilled_at"] - row["placed_at"] == 22 * 3_600_000 + 59 * 60_000


def test_a_change_of_a_cancelled_order_of_shopify_does_not_revive_it() -> None:
    off = {"cancelled_at": "2026-02-04T11:00:00Z"}
    told = [
        *events("shopify", "orders/create", SHOPIFY),
        *events("shopify", "orders/cancelled", {**SHOPIFY, **off, "updated_at": "2026-02-04T11:00:00Z"}),
        *events("shopify", "orders/updated", {**SHOPIFY, **off, "updated_at": "2026-02-04T11:00:00Z"}),
        *events("shopify", "orders/updated", {**SHOPIFY, **off, "updated_at": "2026-02-04T11:00:09Z"}),
    ]
    row = order(told)
    assert (row["status"], row["revenue"]) == ("cancelled", 0)
    assert row["cancelled_at"] - row["placed_at"] == 3_600_000


def test_a_till_of_shopify_hands_over_what_it_sells() -> None:
    till = {**SHOPIFY, "source_name": "pos", "location_id": 655, "user_id": 799, "financial_status": "paid",
            "payment_gateway_names": ["cash"]}
    row = order(events("shopify", "orders/create", till))
    assert (row["status"], row["fulfilment_method"]) == ("fulfilled", "carry_out")
    assert (row["placed_channel"], row["placed_store_id"], row["placed_staff"]) == ("pos", "655", "799")
    owed = order(events("shopify", "orders/create", {**till, "financial_status": "pending"}))
    assert owed["status"] == "placed"


def test_a_price_of_shopify_is_with_tax_and_without_its_discount() -> None:
    line = {"id": 7, "sku": "garland", "quantity": 2, "price": "10.00", "discount_allocations": [{"amount": "2.00"}],
            "tax_lines": [{"price": "3.60"}]}
    for included, price in ((True, "9.00"), (False, "10.80")):
        document = {**SHOPIFY, "taxes_included": included, "line_items": [line]}
        incoming = Incoming(json.dumps(document).encode(), {"x-shopify-topic": "orders/create"})
        found = SYSTEMS["shopify"].decode(incoming, SHOP, 1)
        assert isinstance(found[0], dict)
        assert found[0]["order"]["items"] == [{
            "sku": "garland", "quantity": "2.00", "price": price, "discount": "2.00", "tax": "3.60", "line_id": "7",
        }]


def test_who_pays_is_known_and_not_who_receives() -> None:
    document = {**SHOPIFY, "email": None, "billing_address": {"phone": "+14155550101"},
                "shipping_address": {"phone": "+14155550100"}}
    assert [event.ids for event in events("shopify", "orders/create", document)] == [
        (("order_id", "shopify:1", 1.0), ("phone", "+14155550101", 1.0)),
    ]
    known = events("shopify", "orders/create", {**document, "email": "a.person@example.com"})
    assert [kind for kind, _, _ in known[0].ids] == ["email", "email_sha256", "order_id"]


WOO: dict[str, Any] = {
    "id": 727, "number": "727", "status": "pending", "currency": "EUR", "date_created_gmt": "2026-03-22T10:00:00",
    "date_modified_gmt": "2026-03-22T10:00:00", "total": "30.00", "total_tax": "5.00",
    "billing": {"email": "a.person@example.com"}, "payment_method": "stripe",
    "line_items": [{"id": 7, "sku": "garland", "quantity": 2, "total": "25.00", "total_tax": "5.00"}],
}
PAID = {"status": "processing", "date_paid_gmt": "2026-03-22T10:01:00", "date_modified_gmt": "2026-03-22T10:01:00"}
DONE = {**PAID, "status": "completed", "date_completed_gmt": "2026-03-23T10:00:00",
        "date_modified_gmt": "2026-03-23T10:00:00"}
BACK = {**DONE, "date_modified_gmt": "2026-03-24T10:00:00", "refunds": [{"id": 9, "reason": "late", "total": "-10.00"}]}


def woo(topic: str, **changed: Any) -> list[Event]:
    return events("woocommerce", topic, {**WOO, **changed})


def test_an_order_of_woocommerce_from_placing_to_a_refund() -> None:
    later = {**BACK, "date_modified_gmt": "2026-03-25T10:00:00"}
    told = woo("order.created")
    for step in (PAID, DONE, BACK, later):
        told += woo("order.updated", **step)
    for seed in range(5):
        row = order(told, seed)
        assert (row["status"], row["total"], row["revenue"], row["returns"]) == (
            "partly_returned", 30 * SCALE, 20 * SCALE, 1)
        assert (row["paid_at"] - row["placed_at"], row["fulfilled_at"] - row["placed_at"]) == (60_000, 86_400_000)


def test_steps_of_woocommerce_are_the_same_in_every_delivery() -> None:
    """An event told again with other content would count as a conflict."""
    told: dict[str, Event] = {}
    for changed in (PAID, DONE, BACK):
        for event in woo("order.updated", **changed):
            if event.type in ("order_paid", "order_fulfilled"):
                assert told.setdefault(event.event_id, event) == event
    assert sorted(event.type for event in told.values()) == ["order_fulfilled", "order_paid"]


def test_a_payment_that_fails_is_no_sale_until_it_is_tried_again() -> None:
    failed = [*woo("order.created"),
              *woo("order.updated", status="failed", date_modified_gmt="2026-03-22T10:00:30")]
    assert {event.type for event in failed} == {"order_placed", "order_cancelled", "payment_failed"}
    assert order(failed)["status"] == "cancelled"
    assert order([*failed, *woo("order.updated", **PAID)])["status"] == "paid"


def test_what_is_null_is_absent_and_what_plugins_add_is_passed_over() -> None:
    odd = {"refunds": None, "coupon_lines": None, "shipping_total": None, "customer_id": None,
           "billing": {**WOO["billing"], "phone": None}, "meta_data": [{"key": 7, "value": {}}, {"key": None}, {}]}
    assert woo("order.created", **odd) == woo("order.created")


def test_an_order_of_woocommerce_that_is_still_a_draft_is_nothing() -> None:
    assert woo("order.created", status="checkout-draft") == []
