"""What was paid, in how many parts, and when it came to the total."""

import pytest

from streams.core.payment import Taken, paid
from streams.core.worth import AMOUNT_MAX
from tests.unit.streams.core.test_order import CASH, T0, event, money, order, part, sold


def part_of(at_ms: int, amount: int | None) -> Taken:
    return Taken(at_ms, amount, False)


def all_of(at_ms: int, amount: int | None) -> Taken:
    return Taken(at_ms, amount, True)


@pytest.mark.parametrize(("taken", "total", "expected"), [
    ([], 100, (None, None)),
    ([part_of(1, 30)], 100, (30, None)),
    ([part_of(1, 30), part_of(2, 69)], 100, (99, None)),
    ([part_of(1, 30), part_of(2, 70), part_of(3, 5)], 100, (100, 2)),
    ([part_of(1, 30), all_of(2, 100)], 100, (100, 2)),
    ([part_of(1, 30), all_of(2, None)], 100, (100, 2)),
    ([part_of(1, None)], 100, (None, None)),
    ([part_of(1, None), part_of(2, 40)], 100, (40, None)),
    ([all_of(1, None)], None, (None, 1)),
    ([part_of(1, 30)], None, (30, None)),
    ([part_of(1, 0)], 0, (0, 1)),
    ([part_of(1, AMOUNT_MAX), part_of(2, 1)], None, (AMOUNT_MAX, None)),
])
def test_parts_add_up_to_the_total_and_no_further(
    taken: list[Taken], total: int | None, expected: tuple[int | None, int | None],
) -> None:
    assert paid(taken, total) == expected


def test_events_that_take_money_are_payments_and_receipts() -> None:
    columns = "paid_amount paid_in_full_at paid_at"
    parts = [event(f"p{n}", "payment_received", n, order={"payments": [{"method": "card", "amount": money(n)}]})
             for n in (40, 60)]
    assert part(order(sold(100), *parts), columns) == (money(100), T0 + 60, T0 + 40)
    assert part(order(sold(100, payments=CASH)), columns) == (None, None, None)
    receipt = event("r", "order_placed", channel="pos", order={"payments": CASH, "total": money(7)})
    assert part(order(receipt), columns) == (money(7), T0, T0)
    split = event("r", "order_placed", channel="pos", order={"total": money(7), "payments": [
        {"method": "cash", "amount": money(5)}, {"method": "points"}]})
    assert part(order(split), columns) == (money(5), None, T0)
