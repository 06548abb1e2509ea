"""Twelve months ahead: orders times value, and what part of it is margin."""

from datetime import date

import numpy as np
import pytest

from analytics import bgnbd, gammagamma, lifetime
from analytics.bgnbd import BgNbd
from analytics.gammagamma import GammaGamma
from analytics.purchases import Histories

FREQUENCY, MONEY = BgNbd(0.243, 4.414, 0.793, 2.426), GammaGamma(6.25, 3.74, 15.44)
KNOWN = Histories(np.arange(3), np.array([0.0, 2, 9]), np.array([0.0, 30.43, 38]), np.array([38.86] * 3),
                  np.array([0.0, 20, 80]), np.array([10.0, 20, 30]))


@pytest.mark.parametrize(("end", "days"), [
    (date(2026, 3, 1), 365), (date(2027, 3, 1), 366), (date(2028, 2, 29), 365), (date(2028, 3, 1), 365),
])
def test_twelve_months_are_a_year_of_the_calendar(end: date, days: int) -> None:
    assert lifetime.horizon_weeks(end) == days / 7


def test_revenue_is_orders_times_value_and_margin_its_part() -> None:
    ratio = np.array([0.3, np.nan, 0.5])
    found = lifetime.predict(FREQUENCY, MONEY, KNOWN, 52.0, ratio)
    orders = bgnbd.expected_purchases(FREQUENCY, 52.0, KNOWN.repeats, KNOWN.recency, KNOWN.age)
    value = gammagamma.expected_value(MONEY, KNOWN.repeats, KNOWN.value)
    assert list(found.orders) == list(orders)
    assert list(found.revenue) == list(orders * value)
    assert found.margin[0] == found.revenue[0] * 0.3
    assert np.isnan(found.margin[1])
    assert list(found.probability_alive) == list(
        bgnbd.probability_alive(FREQUENCY, KNOWN.repeats, KNOWN.recency, KNOWN.age))


def test_without_a_finite_mean_a_first_purchase_tends_to_what_was_observed() -> None:
    found = lifetime.predict(FREQUENCY, GammaGamma(6.25, 0.9, 15.44), KNOWN, 52.0, np.ones(3))
    observed = (20 * 2 + 80 * 9 + 10 + 20 + 30) / 14
    assert found.revenue[0] == pytest.approx(found.orders[0] * observed)
