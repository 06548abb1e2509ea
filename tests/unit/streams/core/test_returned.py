"""Returns: the last event of each, what it is worth, and what it says of the order."""

from typing import Any

from streams.core.event import Event, pack
from streams.core.returned import loose_return_id, loose_return_row
from tests.unit.streams.core.test_order import T0, back, event, fold, line, money, named, order, sold


def returns(*events: Event) -> dict[str, dict[str, Any]]:
    rows = [named("returns", row) for row in fold(*events).returns]
    return {row["return_id"]: row for row in rows}


def loose(event_id: str, at_ms: int, type_: str = "order_returned", **record: Any) -> Event:
    made = event(event_id, type_, at_ms, order_id=None, channel="pos", store_id="S1", staff="s-1")
    return Event(**{name: getattr(made, name) for name in made.__struct_fields__} | {"order": pack({"return": record})})


def test_a_return_is_what_its_last_event_says_and_since_when_it_was_asked_for() -> None:
    found = returns(
        sold(100), back("a", 1, "return_asked", return_id="r", amount=money(60), reason="too small"),
        back("b", 2, "return_asked", return_id="r", amount=money(50)),
        event("c", "order_returned", 9, channel="pos", store_id="S1", staff="s-1",
              returned={"return_id": "r", "amount": money(40), "reason": "worn"}),
    )
    assert list(found) == ["r"]
    assert found["r"] == {
        "person_id": b"sold", "order_id": "O1", "return_id": "r", "person_shared": False, "returned_at": T0 + 9,
        "channel": "pos", "store_id": "S1", "staff": "s-1", "amount": money(40), "currency": "EUR",
        "outcome": "accepted", "reason": "worn", "asked_at": T0 + 1, "other_channel": True, "partial": True,
    }


def test_each_return_has_a_row_and_the_accepted_ones_come_to_what_the_order_says() -> None:
    events = (sold(100), back("a", amount=money(30)), back("b", amount=money(70), outcome="refused"),
              back("c", type_="return_asked", amount=money(20)), back("d", outcome="accepted", amount=money(70)))
    found = returns(*events)
    assert {i: (row["outcome"], row["amount"], row["partial"]) for i, row in found.items()} == {
        "a": ("accepted", money(30), True), "b": ("refused", money(70), True), "c": ("asked", money(20), True),
        "d": ("accepted", money(70), True),
    }
    accepted = sum(row["amount"] for row in found.values() if row["outcome"] == "accepted")
    assert (order(*events)["returned_amount"], order(*events)["returns"]) == (accepted, 2)


def test_a_return_is_partial_below_the_total_and_unknown_without_one() -> None:
    assert returns(sold(100), back("a", amount=money(99.9999)))["a"]["partial"] is True
    assert returns(sold(100), back("a", amount=money(100)))["a"]["partial"] is False
    assert returns(sold(None), back("a", amount=money(100)))["a"]["partial"] is None


def test_a_return_through_the_channel_of_the_purchase_is_not_through_another() -> None:
    assert returns(sold(1), back("a", amount=1))["a"]["other_channel"] is False
    assert returns(back("a", amount=1))["a"]["other_channel"] is None


def test_what_is_told_nowhere_is_worth_the_items_and_only_an_accepted_return_is_the_whole_order() -> None:
    sale = sold(100, items=[line("mug", 2, 15), line("pan", 1, 70)])
    found = returns(
        sale, back("a", type_="return_asked", items=[line("mug", 1)]), back("b", type_="return_asked"),
        back("c", outcome="refused", items=[line("hat", 1)]), back("d", outcome="accepted"),
        back("e", outcome="accepted", items=[line("hat", 1)]),
    )
    assert {i: row["amount"] for i, row in found.items()} == {
        "a": money(15), "b": None, "c": None, "d": money(100), "e": 0,
    }


def test_a_return_that_names_no_order_is_its_persons() -> None:
    events = [
        loose("b", 5, return_id="r", amount=money(9), currency="UAH"),
        loose("a", 1, "return_asked", return_id="r", items=[line("mug", 1, 4)], reason="cracked"),
    ]
    assert {loose_return_id(e) for e in events} == {"r"}
    assert named("returns", loose_return_row(b"p", True, events)) == {
        "person_id": b"p", "order_id": "", "return_id": "r", "person_shared": True, "returned_at": T0 + 5,
        "channel": "pos", "store_id": "S1", "staff": "s-1", "amount": money(9), "currency": "UAH",
        "outcome": "accepted", "reason": None, "asked_at": T0 + 1, "other_channel": None, "partial": None,
    }
    assert loose_return_row(b"p", False, events[1:])[8] == money(4)


def test_only_an_event_without_an_order_that_tells_of_a_return_is_loose() -> None:
    assert loose_return_id(back("a", amount=1)) is None
    assert loose_return_id(loose("a", 1, amount=1)) == "a"
    nothing = loose("a", 1)
    assert loose_return_id(
        Event(**{name: getattr(nothing, name) for name in nothing.__struct_fields__} | {"order": b""})
    ) is None
