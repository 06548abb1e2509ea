"""Suspected duplicates: both edges of every condition, and that changes around an order are all there are."""

from itertools import combinations
from random import Random
from typing import Any

import pytest

from streams.core.alike import Alike
from streams.core.facts import TABLES, Row

WINDOW = 100
SUSPECTED = [c.name for c in TABLES["orders"].columns].index("suspected_duplicate_of")
ORDER = {
    "person_id": b"p", "person_shared": False, "placed_at": 0, "placed_channel": "web", "status": "placed",
    "receipt_ids": [], "suspected_duplicate_of": None,
}


def made(order_id: str, goods: Any = (("mug", 1),), **values: Any) -> dict[tuple[Any, ...], Row]:
    """Rows of one order: `goods` are (sku, quantity)."""
    told = ORDER | {"order_id": order_id} | values
    person_id = told["person_id"]
    rows = {("orders", person_id, order_id): tuple(told.get(c.name) for c in TABLES["orders"].columns)}
    for n, (sku, quantity) in enumerate(goods):
        item = {"person_id": person_id, "order_id": order_id, "line_id": str(n), "sku": sku, "quantity": quantity}
        rows["order_items", person_id, order_id, str(n)] = tuple(
            item.get(c.name) for c in TABLES["order_items"].columns)
    return rows


def suspected(*orders: dict[tuple[Any, ...], Row]) -> dict[str, str]:
    alike = Alike(WINDOW)
    for rows in orders:
        alike.know(next(iter(rows))[2], rows)
    return {key[2]: row[SUSPECTED] for key, row in alike.all().items() if row[SUSPECTED] is not None}


A = made("a")
B = {"placed_channel": "pos", "placed_at": WINDOW}


def test_the_later_of_two_alike_names_the_earlier() -> None:
    assert suspected(made("b", **B), A) == {"b": "a"}
    assert suspected(made("b", **B | {"placed_at": 0}), A) == {"b": "a"}


@pytest.mark.parametrize("rows", [
    made("b", **B | {"placed_at": WINDOW + 1}),
    made("b", **B | {"placed_channel": "web"}),
    made("b", **B | {"person_id": b"q"}),
    made("b", **B | {"person_shared": True}),
    made("b", **B | {"status": "cancelled"}),
    made("b", **B | {"status": "returned"}),
    made("b", **B | {"placed_at": None}),
    made("b", (("mug", 2),), **B),
    made("b", (("mug", 1), ("mug", 1)), **B),
    made("b", (), **B),
])
def test_one_condition_less_and_nothing_is_suspected(rows: dict[tuple[Any, ...], Row]) -> None:
    assert suspected(A, rows) == {}


def test_lines_may_stand_in_another_order() -> None:
    assert suspected(made("a", (("mug", 1), ("pan", 2))), made("b", (("pan", 2), ("mug", 1)), **B)) == {"b": "a"}


def test_orders_with_a_receipt_in_common_are_not_alike() -> None:
    assert suspected(made("a", receipt_ids=["r1", "r2"]), made("b", receipt_ids=["r2"], **B)) == {}
    assert suspected(made("a", receipt_ids=["r1"]), made("b", receipt_ids=["r2"], **B)) == {"b": "a"}


def test_the_earliest_that_it_is_alike_to_is_named_not_one_alike_to_that() -> None:
    third = made("c", placed_channel="app", placed_at=WINDOW + 1)
    assert suspected(A, made("b", **B), third) == {"b": "a", "c": "b"}
    assert suspected(A, made("b", **B), made("c", placed_channel="app", placed_at=WINDOW)) == {"b": "a", "c": "a"}
    assert suspected(A, made("b", **B), made("c", placed_at=WINDOW)) == {"b": "a", "c": "b"}


def _random_order(random: Random, order_id: str) -> dict[tuple[Any, ...], Row]:
    return made(
        order_id, random.choice([(("mug", 1),), (("pan", 1),)]), person_id=random.choice([b"p", b"q"]),
        placed_at=random.choice([0, 50, 100, 101, 150, 250, None]), placed_channel=random.choice(["web", "pos"]),
        status=random.choice(["placed", "placed", "cancelled"]), receipt_ids=random.choice([[], ["r"]]),
    )


def _by_hand(known: dict[str, dict[tuple[Any, ...], Row]]) -> dict[tuple[Any, ...], str | None]:
    names = [c.name for c in TABLES["orders"].columns]
    orders = [dict(zip(names, next(iter(rows.values())), strict=True)) for rows in known.values()]
    goods = {o["order_id"]: sorted(row[3] for key, row in known[o["order_id"]].items() if key[0] == "order_items")
             for o in orders}
    counted = [o for o in orders if o["placed_at"] is not None and o["status"] != "cancelled"]
    counted.sort(key=lambda o: (o["placed_at"], o["order_id"]))
    named: dict[tuple[Any, ...], str | None] = {
        ("orders", o["person_id"], o["order_id"]): None for o in orders}
    for one, other in combinations(counted, 2):
        key = ("orders", other["person_id"], other["order_id"])
        if (one["person_id"] == other["person_id"] and other["placed_at"] - one["placed_at"] <= WINDOW
                and one["placed_channel"] != other["placed_channel"]
                and goods[one["order_id"]] == goods[other["order_id"]]
                and not (one["receipt_ids"] and other["receipt_ids"])):
            named[key] = named[key] or one["order_id"]
    return named


@pytest.mark.parametrize("seed", range(60))
def test_what_changes_around_each_order_leads_to_what_all_orders_say(seed: int) -> None:
    random, alike = Random(seed), Alike(WINDOW)
    known: dict[str, dict[tuple[Any, ...], Row]] = {}
    shown: dict[tuple[Any, ...], str | None] = {}
    for _ in range(30):
        order_id = random.choice("abcdef")
        shown = {key: value for key, value in shown.items() if key[2] != order_id}
        known[order_id] = _random_order(random, order_id)
        shown[next(iter(known[order_id]))] = None
        shown |= {key: row[SUSPECTED] for key, row in alike.around(alike.know(order_id, known[order_id])).items()}
        assert shown == _by_hand(known)
        assert {k: row[SUSPECTED] for k, row in alike.all().items()}.items() <= shown.items()
