"""The oracle's orders on literal stories."""

from typing import Any

from streams.core.event import Event
from tests.oracle.build import event, money
from tests.oracle.read import person_of, rows, table


def order(type_: str, at_ms: int, *ids: str, returned: Any = None, **told: Any) -> Event:
    channel, store = told.pop("channel", "web"), told.pop("store_id", None)
    role = "interaction" if type_ in ("order_placed", "order_requested") else "order_fact"
    return event(f"{type_}{at_ms}", at_ms, *ids, type=type_, role=role, channel=channel, store_id=store,
                 order={"order_id": "o", **told}, returned=returned)


def one(*events: Event) -> dict[str, Any]:
    (row,) = table("orders", *events)
    return row


def test_asked_in_direct_agreed_by_phone_taken_in_the_store() -> None:
    row = one(
        order("order_requested", 1, "instagram_id:i", channel="instagram"),
        order("order_placed", 2, "phone:p", channel="call_centre", total=money(100), currency="UAH"),
        order("order_fulfilled", 3, channel="pos", store_id="S1", receipt_id="417"),
    )
    assert (row["requested_at"], row["requested_channel"]) == (1, "instagram")
    assert (row["placed_at"], row["placed_channel"]) == (2, "call_centre")
    assert (row["fulfilled_at"], row["fulfilled_channel"], row["fulfilled_store_id"]) == (3, "pos", "S1")
    assert (row["status"], row["revenue"], row["receipt_ids"]) == ("fulfilled", money(100), ["417"])
    assert (row["anonymous"], row["identified_by"]) == (False, "phone")


def test_sale_at_the_till_is_paid_and_carried_out() -> None:
    sale = {"channel": "pos", "store_id": "S1", "payments": [{"method": "cash"}, {"method": "points"}], "total": 5}
    row = one(order("order_placed", 1, "payment_token:t", **sale))
    assert (row["paid_at"], row["fulfilled_at"], row["status"]) == (1, 1, "fulfilled")
    assert row["payment_methods"] == ["cash", "points"]
    assert (row["anonymous"], row["identified_by"]) == (True, None)
    assert one(order("order_placed", 1, **sale, delivery={"method": "courier"}))["status"] == "paid"
    assert one(order("order_placed", 1, **sale | {"payments": []}))["status"] == "placed"


def test_earliest_payment_places_an_order_that_was_never_placed() -> None:
    row = one(order("order_paid", 5, "email:a"), order("order_updated", 3, "phone:p"))
    assert (row["placed_at"], row["status"], row["identified_by"]) == (5, "paid", "email")


def test_absent_total_is_the_sum_of_lines_rounded_half_to_even() -> None:
    lines = [{"sku": "a", "quantity": 5_000, "price": 1}, {"sku": "b", "quantity": money(0.456), "price": money(400)}]
    assert one(order("order_placed", 1, items=lines))["total"] == money(182.4)
    assert one(order("order_placed", 1, items=[lines[0] | {"price": 3}]))["total"] == 2


def test_returns_lower_revenue_and_margin_and_count_once_each() -> None:
    placed = order("order_placed", 1, total=money(100), margin=money(30))
    first = order("order_returned", 2, returned={"return_id": "r", "amount": money(99)})
    again = order("order_returned", 3, returned={"return_id": "r", "amount": money(40)})
    asked = order("return_asked", 4, returned={"amount": money(60)})
    refused = order("order_returned", 5, returned={"outcome": "refused"})
    row = one(placed, first, again, asked, refused)
    assert (row["revenue"], row["margin"], row["returned_amount"]) == (money(60), money(18), money(40))
    assert (row["returns"], row["status"]) == (1, "partly_returned")
    rest = order("order_returned", 6, returned={"amount": money(60)})
    assert [one(placed, again, rest)[c] for c in ("revenue", "margin", "status", "returns")] == [0, 0, "returned", 2]


def test_cancelled_unless_something_comes_after() -> None:
    placed, cancelled = order("order_placed", 1, total=7, margin=2), order("order_cancelled", 2, channel="call_centre")
    row = one(placed, cancelled)
    assert [row[c] for c in ("status", "revenue", "margin", "cancelled_channel")] == ["cancelled", 0, 0, "call_centre"]
    for later in ("order_placed", "order_updated", "order_fulfilled"):
        assert one(placed, cancelled, order(later, 3))["status"] != "cancelled"
    assert one(placed, cancelled, order("order_paid", 3))["status"] == "cancelled"


def test_each_field_is_of_the_last_event_that_carries_it() -> None:
    row = one(
        order("order_updated", 3, total=3, promo_code="B", delivery={"promised_at": 50}),
        order("order_placed", 1, total=1, promo_code="A", currency="EUR", delivery={"method": "post"}),
        order("order_updated", 4, tax=1),
    )
    assert [row[c] for c in ("total", "promo_code", "currency", "fulfilment_method", "promised_at", "tax")] == [
        3, "B", "EUR", "post", 50, 1,
    ]


def test_returned_quantity_goes_to_the_line_of_equal_id_else_equal_sku() -> None:
    lines = [{"sku": "a", "quantity": money(2)}, {"line_id": "x", "sku": "b", "quantity": money(1), "currency": "USD"},
             {"sku": "a", "quantity": money(1)}]
    back = [{"line_id": "x", "sku": "b", "quantity": money(1)}, {"sku": "a", "quantity": money(1)}]
    found = table("order_items", order("order_placed", 1, items=lines, currency="EUR"),
                  order("order_returned", 2, returned={"amount": 1, "items": back}))
    assert {row["line_id"]: (row["returned_quantity"], row["currency"]) for row in found} == {
        "1": (money(1), "EUR"), "x": (money(1), "USD"), "3": (0, "EUR"),
    }


def test_shared_order_id_makes_an_order_for_each_person() -> None:
    tables = rows(*(order("order_placed", n, f"email:{n}") for n in range(3)))
    assert set(tables["orders"]) == {(person_of(tables, str(n)), "o") for n in range(3)}
    two = rows(*(order("order_placed", n, f"email:{n}") for n in range(2)))
    assert len(two["orders"]) == 1
