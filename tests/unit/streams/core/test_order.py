"""Every rule of an order's row: steps, fields, money, returns, status; and that the row is a function of the set."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.event import SCALE, Event, pack
from streams.core.facts import TABLES, Row
from streams.core.order import OrderRows, order_rows
from streams.core.worth import AMOUNT_MAX, ratio

T0 = 1_770_000_000_000
CASH = [{"method": "cash"}]


def event(event_id: str, type_: str, at_ms: int = 0, **fields: Any) -> Event:
    """`order` and `returned` are the Avro records, `points` the points spent."""
    document: dict[str, Any] = {"order": {"order_id": "O1", **fields.pop("order", {})}}
    if "returned" in fields:
        document["return"] = fields.pop("returned")
    if "points" in fields:
        document["points_spent"] = fields.pop("points")
    values: dict[str, Any] = {
        "received_ms": 0, "position": ("events.web", 0, 0), "digest": b"", "ids": (), "channel": "web",
        "role": "interaction", "device": None, "store_id": None, "staff": None, "order_id": "O1", "campaign": None,
        "referrer": None, "click_id": None, "message_id": None, "conversation_id": None, "content": b"", **fields,
    }
    return Event(event_id=event_id, at_ms=T0 + at_ms, type=type_, order=pack(document), **values)


def fold(*events: Event) -> OrderRows:
    """Each event's person is named after it, and identified by a kind named after it."""
    return order_rows("O1", events, lambda e: (e.event_id.encode(), False), lambda e: f"kind of {e.event_id}")


def order(*events: Event) -> dict[str, Any]:
    return named("orders", fold(*events).order)


def lines(*events: Event) -> list[dict[str, Any]]:
    return [named("order_items", row) for row in fold(*events).items]


def named(table: str, row: Row) -> dict[str, Any]:
    """A row by column, without the journey, which the fold of an order does not know."""
    columns = [c.name for c in TABLES[table].columns if c.name != "journey_id"]
    return dict(zip(columns, row, strict=True))


def part(row: dict[str, Any], names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names.split())


def money(amount: float) -> int:
    return round(amount * SCALE)


def line(sku: str, quantity: float = 1, price: float | None = None, **fields: Any) -> dict[str, Any]:
    priced = {} if price is None else {"price": money(price)}
    return {"sku": sku, "quantity": money(quantity), **priced, **fields}


def sold(total: float | None = 100, **fields: Any) -> Event:
    told = {} if total is None else {"total": money(total)}
    return event("sold", "order_placed", order={"currency": "EUR", **told, **fields})


def back(event_id: str, at_ms: int = 1, type_: str = "order_returned", **record: Any) -> Event:
    return event(event_id, type_, at_ms, returned=record)


# Who, when, where

def test_story_through_four_channels_is_one_row() -> None:
    """Asked for in Direct, agreed on the phone, paid online, handed over in the store, partly returned by post."""
    events = [
        event("a", "order_requested", 0, channel="instagram", device="mobile",
              order={"items": [line("boots", 1, 90), line("socks", 2, 5, line_id="x")], "currency": "EUR"}),
        event("b", "order_placed", 10, channel="call_centre", device="phone", staff="operator-1",
              order={"total": money(102), "shipping": money(2), "tax": money(17), "discount": money(3),
                     "margin": money(30), "promo_code": "SPRING",
                     "delivery": {"method": "pickup", "promised_at": T0 + 99}}, points=money(40)),
        event("c", "payment_received", 20, channel="payment", order={"payments": [{"method": "card_online"}]}),
        event("d", "order_ready", 30, channel="delivery", store_id="S1"),
        event("e", "order_fulfilled", 40, channel="pos", store_id="S2", order={"receipt_id": "R7"}),
        back("f", 50, return_id="r1", items=[line("socks", 1)]),
    ]
    row, items, returns, shipments = fold(*events)
    assert row == (
        b"b", "O1", False, T0, "instagram", T0 + 10, "call_centre", "phone", None, "operator-1",
        T0 + 20, "payment", None, ["card_online"], T0 + 30, "S1", T0 + 40, "pos", "S2", "pickup", T0 + 99,
        None, None, "partly_returned", money(102), "EUR", money(97), ratio(money(30), 97, 102), money(5), money(3),
        money(2), money(17), money(40), "SPRING", False, "kind of b", ["R7"], 1,
        None, None, None, None,
    )
    assert items == [
        (b"b", "O1", "1", "boots", None, None, None, SCALE, None, 0, money(90), None, None, "EUR",
         T0 + 10, "call_centre", None),
        (b"b", "O1", "x", "socks", None, None, None, 2 * SCALE, None, SCALE, money(5), None, None, "EUR",
         T0 + 10, "call_centre", None),
    ]
    assert returns == [
        (b"b", "O1", "r1", False, T0 + 50, "web", None, None, money(5), "EUR", "accepted", None, None, True, True),
    ]
    assert shipments == [
        (b"b", "O1", "O1", False, "pickup", None, "delivered", T0 + 99, T0 + 40, False, None, None, "EUR"),
    ]


def test_placing_event_is_the_earliest_order_placed_even_after_a_payment() -> None:
    row = order(event("a", "order_paid", 0), event("c", "order_placed", 9), event("b", "order_placed", 5))
    assert part(row, "person_id placed_at paid_at identified_by") == (b"b", T0 + 5, T0, "kind of b")


def test_without_order_placed_the_earliest_order_paid_places_the_order() -> None:
    row = order(event("b", "order_paid", 5), event("a", "order_requested", 0), event("c", "order_paid", 9))
    assert part(row, "person_id placed_at status") == (b"b", T0 + 5, "paid")


def test_payment_received_pays_but_does_not_place() -> None:
    row = order(event("a", "payment_received", 5, store_id="S1"))
    assert part(row, "placed_at paid_at paid_store_id status") == (None, T0 + 5, "S1", "paid")


def test_order_without_placing_event_is_of_its_earliest_event_and_identified_by_nothing() -> None:
    row = order(event("b", "order_updated", 1), event("a", "order_requested", 0))
    assert part(row, "person_id placed_at placed_channel anonymous identified_by status") == (
        b"a", None, None, True, None, "requested",
    )


def test_of_simultaneous_events_the_least_event_id_comes_first() -> None:
    row = order(event("b", "order_placed", order={"total": 2}), event("a", "order_placed", order={"total": 1}))
    assert part(row, "person_id total") == (b"a", 2)


def test_order_is_anonymous_when_nothing_identifies_its_placing_event() -> None:
    row = order_rows("O1", [sold()], lambda _: (b"p", True), lambda _: None).order
    assert part(named("orders", row), "anonymous identified_by person_shared") == (True, None, True)


@pytest.mark.parametrize(("type_", "columns"), [
    ("order_requested", "requested_at requested_channel"),
    ("order_placed", "placed_at placed_channel placed_store_id"),
    ("order_paid", "paid_at paid_channel paid_store_id"),
    ("payment_received", "paid_at paid_channel paid_store_id"),
    ("order_fulfilled", "fulfilled_at fulfilled_channel fulfilled_store_id"),
    ("order_cancelled", "cancelled_at cancelled_channel"),
])
def test_step_is_of_its_earliest_event(type_: str, columns: str) -> None:
    row = order(
        event("a", type_, 7, channel="chat", store_id="S1"), event("b", type_, 5, channel="pos", store_id="S2"),
        event("c", "page_viewed", 0),
    )
    assert part(row, columns) == (T0 + 5, "pos", "S2")[: len(columns.split())]


def test_each_field_is_of_the_last_event_carrying_it() -> None:
    row = order(
        event("a", "order_placed", 0, points=7,
              order={"total": 5, "currency": "EUR", "discount": 1, "promo_code": "A"}),
        event("b", "order_updated", 1, order={"total": 4, "shipping": 2, "delivery": {"method": "post"}}),
        event("c", "delivery_updated", 2, order={"discount": 3, "delivery": {"promised_at": 9}}, points=0),
    )
    assert part(row, "total currency discount shipping tax promo_code points_spent fulfilment_method promised_at") == (
        4, "EUR", 3, 2, None, "A", 0, "post", 9,
    )


def test_payment_methods_and_receipts_are_distinct_in_order_of_first_use() -> None:
    paid = {"payments": [{"method": "card_online"}, {"method": "points"}], "receipt_id": "R2"}
    row = order(
        event("b", "order_fulfilled", 2, order={"payments": [{"method": "points"}, *CASH], "receipt_id": "R1"}),
        event("c", "order_updated", 3, order=paid),
        event("a", "order_paid", 1, order=paid),
    )
    assert part(row, "payment_methods receipt_ids") == (["card_online", "points", "cash"], ["R2", "R1"])


# Receipts

@pytest.mark.parametrize(("channel", "told", "paid", "fulfilled", "method"), [
    ("pos", {"payments": CASH}, True, True, "carry_out"),
    ("pos", {"payments": CASH, "delivery": {"method": "carry_out"}}, True, True, "carry_out"),
    ("pos", {"payments": CASH, "delivery": {"method": "courier"}}, True, False, "courier"),
    ("pos", {"payments": CASH, "delivery": {"carrier": "some post"}}, True, False, None),
    ("pos", {"payments": []}, False, False, None),
    ("pos", {}, False, False, None),
    ("web", {"payments": CASH}, False, False, None),
])
def test_receipt_of_a_till_is_also_paid_and_carried_out(
    channel: str, told: dict[str, Any], paid: bool, fulfilled: bool, method: str | None,
) -> None:
    row = order(event("a", "order_placed", 3, channel=channel, store_id="S1", order=told))
    assert part(row, "paid_at paid_store_id") == ((T0 + 3, "S1") if paid else (None, None))
    assert part(row, "fulfilled_at fulfilled_channel") == ((T0 + 3, "pos") if fulfilled else (None, None))
    assert row["fulfilment_method"] == method
    assert row["status"] == ("fulfilled" if fulfilled else "paid" if paid else "placed")


def test_delivery_told_after_a_receipt_says_how_it_was_handed_over() -> None:
    row = order(
        event("a", "order_placed", 0, channel="pos", order={"payments": CASH}),
        event("b", "delivery_updated", 1, order={"delivery": {"method": "home_from_store"}}),
    )
    assert row["fulfilment_method"] == "home_from_store"


def test_receipt_that_hands_over_an_order_made_elsewhere_does_not_place_it() -> None:
    row = order(
        event("a", "order_placed", 0, channel="web"),
        event("b", "order_fulfilled", 1, channel="pos", store_id="S1", order={"receipt_id": "R1", "payments": CASH}),
    )
    assert part(row, "placed_channel paid_at fulfilled_store_id receipt_ids") == ("web", None, "S1", ["R1"])


# Money

def test_total_told_stands_above_the_lines() -> None:
    assert order(sold(total=95, items=[line("a", 1, 100)]))["total"] == money(95)


def test_total_absent_is_the_sum_of_quantity_times_price() -> None:
    assert order(sold(total=None, items=[line("a", 0.456, 400), line("b", 2, 1.5), line("c")]))["total"] == money(185.4)


def test_total_is_unknown_where_nothing_tells_it() -> None:
    row = order(sold(total=None, items=[line("a")], margin=money(1)))
    assert part(row, "total revenue margin returned_amount") == (None, None, None, 0)


def test_sum_of_lines_is_rounded_once() -> None:
    """Twice 0.5 of the smallest unit is one unit; rounded line by line it would be none."""
    half = {"sku": "a", "quantity": 5_000, "price": 1}
    assert order(sold(total=None, items=[half, half]))["total"] == 1


@pytest.mark.parametrize(("a", "b", "c", "expected"), [
    (1, 1, 2, 0), (3, 1, 2, 2), (5, 1, 2, 2), (1, 1, 3, 0), (2, 1, 3, 1), (7, 3, 1, 21), (0, 5, 9, 0),
    (10**18, 10**18, 10**18, 10**18),
])
def test_ratio_rounds_half_to_even(a: int, b: int, c: int, expected: int) -> None:
    assert ratio(a, b, c) == expected


def test_amounts_beyond_the_sinks_range_stay_at_its_end() -> None:
    """One absurd line must not stop the stream that encodes it."""
    huge = {"sku": "a", "quantity": AMOUNT_MAX, "price": AMOUNT_MAX}
    row, items, *_ = fold(
        sold(total=None, items=[huge]), back("r1", items=[huge]), back("r2", amount=AMOUNT_MAX, items=[huge])
    )
    named_row = named("orders", row)
    assert part(named_row, "total returned_amount revenue") == (AMOUNT_MAX, AMOUNT_MAX, 0)
    assert named("order_items", items[0])["returned_quantity"] == AMOUNT_MAX
    pack([row, items])


def test_currency_absent_in_the_order_is_that_of_its_lines() -> None:
    placed = event("a", "order_placed", order={"items": [line("a", 1, 5, currency="PLN")]})
    assert order(placed)["currency"] == "PLN"
    assert order(sold(items=[line("a", 1, 5, currency="PLN")]))["currency"] == "EUR"


def test_margin_shrinks_with_the_revenue() -> None:
    row = order(sold(margin=money(30)), back("r", amount=money(25)))
    assert part(row, "revenue margin") == (money(75), money(22.5))
    assert order(sold(total=0, margin=money(1)))["margin"] is None


# Returns

@pytest.mark.parametrize(("amount", "status", "revenue"), [
    (0, "placed", 100), (0.0001, "partly_returned", 99.9999), (99.9999, "partly_returned", 0.0001),
    (100, "returned", 0), (150, "returned", 0),
])
def test_returned_is_what_takes_back_the_total(amount: float, status: str, revenue: float) -> None:
    row = order(sold(), back("r", amount=money(amount)))
    assert part(row, "status returned_amount revenue returns") == (status, money(amount), money(revenue), 1)


@pytest.mark.parametrize(("type_", "record", "accepted"), [
    ("order_returned", {}, True),
    ("order_returned", {"outcome": "asked"}, False),
    ("order_returned", {"outcome": "refused"}, False),
    ("return_asked", {}, False),
    ("return_asked", {"outcome": "accepted"}, True),
    ("order_updated", {}, True),
])
def test_only_accepted_returns_count(type_: str, record: dict[str, Any], accepted: bool) -> None:
    row, items, *_ = fold(
        sold(items=[line("a", 2, 50)]), back("r", type_=type_, amount=money(50), items=[line("a")], **record)
    )
    assert part(named("orders", row), "returns returned_amount") == ((1, money(50)) if accepted else (0, 0))
    assert named("order_items", items[0])["returned_quantity"] == (SCALE if accepted else 0)


def test_of_one_return_the_last_event_counts() -> None:
    asked = back("a", 1, "return_asked", return_id="r", items=[line("a")])
    accepted = back("b", 2, return_id="r", amount=money(40))
    refused = back("c", 3, return_id="r", outcome="refused")
    assert part(order(sold(), asked, accepted), "returns returned_amount") == (1, money(40))
    assert part(order(sold(), refused, accepted, asked), "returns returned_amount") == (0, 0)


def test_returns_without_an_id_are_as_many_as_their_events() -> None:
    row = order(sold(), back("r1", amount=money(10)), back("r2", amount=money(10)))
    assert part(row, "returns returned_amount") == (2, money(20))


def test_return_without_amount_is_worth_its_items() -> None:
    bought = sold(items=[line("a", 2, 30, line_id="x"), line("a", 1, 40, line_id="y")])
    assert order(bought, back("r", items=[line("a", 1, 29)]))["returned_amount"] == money(29)
    assert order(bought, back("r", items=[line("a", 1, line_id="y")]))["returned_amount"] == money(40)
    assert order(bought, back("r", items=[line("a")]))["returned_amount"] == money(30)
    assert order(bought, back("r", items=[line("unknown")]))["returned_amount"] == 0


def test_return_without_amount_and_items_takes_back_the_total() -> None:
    assert part(order(sold(), back("r")), "returned_amount status") == (money(100), "returned")


def test_returned_items_find_their_line_by_id_then_by_sku() -> None:
    bought = sold(items=[line("a"), line("b"), line("a", line_id="z")])
    returned = [line("a"), line("b", 0.5), line("a", 0.25, line_id="z"), line("b", 0.125, line_id="no such"),
                line("unknown", 9)]
    quantities = {item["line_id"]: item["returned_quantity"] for item in lines(bought, back("r", items=returned))}
    assert quantities == {"1": SCALE, "2": money(0.625), "z": money(0.25)}


# Status

LADDER = ["order_requested", "order_placed", "payment_received", "order_ready", "order_fulfilled"]


@pytest.mark.parametrize("steps", [LADDER[: n + 1] for n in range(len(LADDER))])
def test_status_is_the_furthest_step_in_any_order_of_time(steps: list[str]) -> None:
    for times in permutations(range(len(steps))) if len(steps) < 4 else [range(len(steps)), range(len(steps), 0, -1)]:
        row = order(*(event(f"e{i}", type_, at) for i, (type_, at) in enumerate(zip(steps, times, strict=False))))
        assert row["status"] == {
            "order_requested": "requested", "order_placed": "placed", "payment_received": "paid",
            "order_ready": "ready", "order_fulfilled": "fulfilled",
        }[steps[-1]]


@pytest.mark.parametrize("type_", ["order_updated", "delivery_updated", "return_asked", "page_viewed"])
def test_order_of_which_no_step_is_known_is_requested(type_: str) -> None:
    assert order(event("a", type_))["status"] == "requested"


@pytest.mark.parametrize(("type_", "alive"), [
    ("order_placed", True), ("order_updated", True), ("order_fulfilled", True),
    ("order_paid", False), ("payment_received", False), ("order_ready", False), ("order_returned", False),
    ("order_requested", False), ("delivery_updated", False), ("page_viewed", False),
])
def test_cancelled_order_lives_again_when_placed_updated_or_fulfilled_later(type_: str, alive: bool) -> None:
    cancelled = event("b", "order_cancelled", 5)
    after = order(sold(margin=money(10)), cancelled, event("c", type_, 6))
    before = order(sold(margin=money(10)), cancelled, event("c", type_, 4))
    at_once = order(sold(margin=money(10)), cancelled, event("c", type_, 5))
    assert (after["status"] != "cancelled") == alive
    assert (at_once["status"] != "cancelled") == alive
    assert before["status"] == "cancelled"
    assert before["cancelled_at"] == after["cancelled_at"] == T0 + 5
    assert part(before, "revenue margin") == (0, 0)


def test_order_cancelled_again_is_cancelled() -> None:
    row = order(
        sold(), event("a", "order_cancelled", 1), event("b", "order_updated", 2), event("c", "order_cancelled", 3)
    )
    assert part(row, "status cancelled_at") == ("cancelled", T0 + 1)


# Lines

def test_lines_are_those_of_the_last_event_carrying_any() -> None:
    first = sold(items=[line("a"), line("b")])
    assert [i["sku"] for i in lines(first, event("u", "order_updated", 1, order={"items": [line("c")]}))] == ["c"]
    assert [i["sku"] for i in lines(first, event("u", "order_updated", 1))] == ["a", "b"]
    assert lines(first, event("u", "order_updated", 1, order={"items": []})) == []


def test_line_keeps_what_is_told_of_it() -> None:
    told = {
        "line_id": "7", "sku": "apple", "name": "Apple", "category": "fruit", "brand": "Orchard", "quantity": 4_560,
        "unit": "kg", "price": money(40), "discount": money(1), "margin": money(2), "currency": "PLN",
    }
    placed = event("a", "order_placed", 3, channel="pos", store_id="S1", order={"currency": "EUR", "items": [told]})
    assert fold(placed).items == [(
        b"a", "O1", "7", "apple", "Apple", "fruit", "Orchard", 4_560, "kg", 0, money(40), money(1), money(2), "PLN",
        T0 + 3, "pos", "S1",
    )]


def test_line_without_quantity_is_one() -> None:
    assert [i["quantity"] for i in lines(sold(items=[{"sku": "a"}]))] == [SCALE]


def test_line_ids_are_distinct() -> None:
    """They are part of the row's key."""
    items = [line("a", line_id="2"), line("b"), line("c", line_id="2"), line("d")]
    assert [i["line_id"] for i in lines(sold(items=items))] == ["2", "2#2", "2#3", "4"]


# A function of the set

some_lines = st.lists(
    st.builds(line, st.sampled_from("ab"), st.sampled_from([1, 0.5]), st.sampled_from([None, 3, 7.5])), max_size=3
)
some_orders = st.fixed_dictionaries({}, optional={
    "total": st.sampled_from([0, money(10), money(20)]), "currency": st.just("EUR"), "items": some_lines,
    "margin": st.just(money(3)), "receipt_id": st.sampled_from(["R1", "R2"]), "payments": st.just(CASH),
    "delivery": st.fixed_dictionaries({}, optional={"method": st.sampled_from(["pickup", "carry_out"])}),
})
some_returns = st.fixed_dictionaries({}, optional={
    "return_id": st.sampled_from(["r1", "r2"]), "amount": st.sampled_from([0, money(4), money(20)]),
    "outcome": st.sampled_from(["asked", "accepted", "refused"]), "items": some_lines,
})
some_events = st.lists(
    st.builds(
        lambda id_, type_, at, told, returned, **more: event(
            id_, type_, at, order=told, **({"returned": returned} if returned is not None else {}), **more,
        ),
        st.uuids().map(str),
        st.sampled_from([
            "order_requested", "order_placed", "order_updated", "order_paid", "payment_received", "order_ready",
            "order_fulfilled", "order_cancelled", "order_returned", "return_asked", "delivery_updated",
        ]),
        st.integers(0, 3), some_orders, st.none() | some_returns, channel=st.sampled_from(["web", "pos"]),
        store_id=st.sampled_from([None, "S1"]),
    ),
    min_size=1, max_size=6, unique_by=lambda e: e.event_id,
)


@given(some_events, st.randoms(use_true_random=False))
def test_rows_do_not_depend_on_the_order_of_arrival(events: list[Event], random: Any) -> None:
    shuffled = random.sample(events, len(events))
    assert fold(*events) == fold(*shuffled)


@given(some_events)
def test_money_of_any_story_is_consistent(events: list[Event]) -> None:
    row = order(*events)
    assert (row["status"] == "cancelled") <= (row["revenue"] == 0)
    if row["total"] is not None and row["status"] != "cancelled":
        assert row["revenue"] == max(0, row["total"] - row["returned_amount"])
    assert (row["status"] == "returned") <= (row["revenue"] == 0)
    assert (row["status"] in ("partly_returned", "returned")) <= (row["returns"] > 0)
    assert row["margin"] is None or 0 <= row["margin"] <= money(3)
    keys = [item["line_id"] for item in lines(*events)]
    assert len(keys) == len(set(keys))
