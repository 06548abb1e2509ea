"""LTV predicted: what each customer will buy and spend in the twelve months after a day, undiscounted.

Rules kept: predicted orders times predicted value a day of purchase; margin is the part of revenue that was margin so
far, the customer's own where it told any, else everybody's; a customer who bought once tends to everybody's mean value,
and where the model gives no finite mean, to the mean of what was observed.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np

from analytics import bgnbd, gammagamma
from analytics.bgnbd import BgNbd
from analytics.gammagamma import GammaGamma
from analytics.purchases import WEEK_DAYS, Floats, Histories

HORIZON_MONTHS = 12


@dataclass(frozen=True)
class Predictions:
    """One entry a customer, in the order of its histories."""

    probability_alive: Floats
    orders: Floats
    """Days with a purchase within the horizon."""
    revenue: Floats
    margin: Floats
    """NaN where nobody ever told a margin."""


def horizon_weeks(end: date) -> float:
    """The twelve months after a day, in weeks: 365 or 366 days. 29 February counts to 28 February."""
    last_day = 28 if (end.month, end.day) == (2, 29) else end.day
    return (date(end.year + 1, end.month, last_day) - end).days / WEEK_DAYS


def predict(frequency: BgNbd, money: GammaGamma, known: Histories, weeks: float, margin_ratio: Floats) -> Predictions:
    """What the next `weeks` bring from each customer.

    Shape:  n histories and n margin ratios (NaN where unknown) -> n predictions.
    Unit:   weeks; money as in the histories.
    Cost:   some microseconds a customer.
    """
    x, t_x, age = known.repeats, known.recency, known.age
    orders = bgnbd.expected_purchases(frequency, weeks, x, t_x, age)
    value = gammagamma.expected_value(money, x, known.value)
    value = np.where(np.isnan(value), _mean_observed(known), value)
    revenue = orders * value
    return Predictions(bgnbd.probability_alive(frequency, x, t_x, age), orders, revenue, revenue * margin_ratio)


def _mean_observed(known: Histories) -> float:
    """The mean value of a day of purchase, first days included."""
    spent = float(np.sum(known.value * known.repeats) + np.sum(known.first_value))
    return spent / float(np.sum(known.repeats) + len(known)) if len(known) else float("nan")
