"""Purchases folded into what the models need."""

from collections import defaultdict
from datetime import date
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analytics.purchases import Histories, Purchases, histories
from tests.unit.analytics import cdnow


def made(*rows: tuple[int, int, float]) -> Purchases:
    customers, days, values = zip(*rows, strict=True) if rows else ((), (), ())
    return Purchases(np.array(customers, np.int64), np.array(days, np.int64), np.array(values, np.float64))


def told(found: Histories) -> list[tuple[float, ...]]:
    return list(zip(found.customers, found.repeats, found.recency, found.age, found.value, found.first_value,
                    strict=True))


def test_purchases_of_one_day_are_one_and_the_first_day_is_no_repeat() -> None:
    found = histories(made((0, 10, 5.0), (0, 10, 3.0), (0, 24, 4.0), (0, 24, 6.0), (0, 31, 20.0)), 38)
    assert told(found) == [(0, 2, 3.0, 4.0, 15.0, 8.0)]


def test_who_bought_on_one_day_has_no_recency_and_no_value() -> None:
    assert told(histories(made((0, 10, 5.0)), 24)) == [(0, 0, 0.0, 2.0, 0.0, 5.0)]


def test_the_last_day_counts_and_the_day_after_it_does_not() -> None:
    both = made((0, 3, 1.0), (0, 10, 1.0), (1, 11, 1.0))
    assert told(histories(both, 10)) == [(0, 1, 1.0, 1.0, 1.0, 1.0)]
    assert told(histories(both, 9)) == [(0, 0, 0.0, 6 / 7, 0.0, 1.0)]


def test_without_purchases_there_is_nobody() -> None:
    assert len(histories(made(), 10)) == 0
    assert len(histories(made((0, 11, 1.0)), 10)) == 0


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20), st.integers(1, 9).map(float)), max_size=20),
       st.randoms(use_true_random=False))
def test_the_order_of_purchases_does_not_show(rows: list[tuple[int, int, float]], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert told(histories(made(*rows), 15)) == told(histories(made(*shuffled), 15))


def test_cdnow_is_exact_for_every_customer() -> None:
    """Against a plain count in whole days, customer by customer."""
    bought: dict[str, set[date]] = defaultdict(set)
    for customer, day, _ in cdnow.lines():
        if day <= cdnow.CALIBRATED:
            bought[customer].add(day)
    expected = [
        (len(days) - 1, Fraction((max(days) - min(days)).days, 7), Fraction((cdnow.CALIBRATED - min(days)).days, 7))
        for days in bought.values()
    ]
    found = cdnow.calibration()
    assert len(found) == len(expected) == 2357
    assert [(int(x), Fraction(round(t_x * 7), 7), Fraction(round(age * 7), 7)) for x, t_x, age in
            zip(found.repeats, found.recency, found.age, strict=True)] == expected
    assert [(float(t_x), float(age)) for t_x, age in zip(found.recency, found.age, strict=True)] == [
        (float(t_x), float(age)) for _, t_x, age in expected]
