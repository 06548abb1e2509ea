"""Does the model hold? Fitted on the first part of what was observed, it is asked for the rest, and compared with it.

Rules kept: what happens after the cut is hidden from the fit; customers who came after it are left out, for the model
speaks of those it knew. Weeks are counted from the first purchase of all.
"""

from dataclasses import dataclass

import numpy as np

from analytics import bgnbd
from analytics.bgnbd import BgNbd
from analytics.purchases import WEEK_DAYS, Floats, Histories, Purchases, histories

REPEATS_SHOWN = 7
"""Customers with so many repeats or more are one group."""

CALIBRATION_SHARE = 0.5
"""Of the days observed: half to learn from and half to be tested on, as Fader, Hardie and Lee cut CDNOW."""


@dataclass(frozen=True)
class Group:
    """Customers with so many repeats before the cut, and what they bought after it, a head."""

    repeats: int
    customers: int
    actual: float
    predicted: float


@dataclass(frozen=True)
class Holdout:
    """Predicted against actual."""

    cut_day: int
    end_day: int
    fit: bgnbd.Fit
    """Of the calibration part alone."""
    groups: list[Group]
    weeks: list[int]
    """Weeks since the first purchase, up to the end."""
    actual: list[float]
    """Repeat purchases of all customers known at the cut, added up, by week."""
    predicted: list[float]
    actual_after: int
    """Purchases after the cut of customers known then."""
    predicted_after: float

    @property
    def error(self) -> float | None:
        """How far the prediction of the whole is off, as a share of what came; None where nothing came."""
        return (self.predicted_after - self.actual_after) / self.actual_after if self.actual_after else None


def cut_of(purchases: Purchases, end_day: int) -> int:
    """The day at which what was observed is cut in two."""
    return int(purchases.days.min() + (end_day - purchases.days.min()) * CALIBRATION_SHARE)


def hold_out(purchases: Purchases, cut_day: int, end_day: int) -> Holdout:
    """Fit on the purchases up to and with `cut_day`, and compare with those after it, to `end_day`.

    Errors: OneThreadError where there are too few customers to fit.
    Cost:   a fit and a prediction.
    """
    before = histories(purchases, cut_day)
    fit = bgnbd.fit(before)
    repeats = _repeat_days(purchases, before, end_day)
    after = repeats[repeats[:, 1] > cut_day]
    bought = np.bincount(np.searchsorted(before.customers, after[:, 0]), minlength=len(before)).astype(np.float64)
    weeks_after = (end_day - cut_day) / WEEK_DAYS
    expected = bgnbd.expected_purchases(fit.model, weeks_after, before.repeats, before.recency, before.age)
    start = int(purchases.days.min())
    weeks = list(range(1, int((end_day - start) // WEEK_DAYS) + 1))
    return Holdout(
        cut_day, end_day, fit, _groups(before, bought, expected), weeks,
        actual=[float(np.count_nonzero(repeats[:, 1] <= start + week * WEEK_DAYS)) for week in weeks],
        predicted=_tracking(fit.model, before, cut_day, start, weeks),
        actual_after=len(after), predicted_after=float(np.sum(expected)),
    )


def _repeat_days(purchases: Purchases, known: Histories, end_day: int) -> np.ndarray:
    """(customer, day) of every repeat purchase up to the end, of customers that were known at the cut."""
    seen = purchases.until(end_day)
    pairs = np.unique(np.column_stack([seen.customers, seen.days]), axis=0)
    repeat = np.r_[False, np.diff(pairs[:, 0]) == 0] if len(pairs) else np.zeros(0, bool)
    return np.asarray(pairs[repeat & np.isin(pairs[:, 0], known.customers)])


def _groups(known: Histories, bought: Floats, expected: Floats) -> list[Group]:
    groups = []
    shown = np.minimum(known.repeats, REPEATS_SHOWN)
    for repeats in range(REPEATS_SHOWN + 1):
        members = shown == repeats
        if count := int(np.count_nonzero(members)):
            groups.append(Group(repeats, count, float(np.mean(bought[members])), float(np.mean(expected[members]))))
    return groups


def _tracking(model: BgNbd, known: Histories, cut_day: int, start: int, weeks: list[int]) -> list[float]:
    """Expected repeat purchases up to each week: every customer starts on its own first day."""
    first_days = cut_day - known.age * WEEK_DAYS
    firsts, counts = np.unique(first_days, return_counts=True)
    totals = []
    for week in weeks:
        lasted = np.maximum(start + week * WEEK_DAYS - firsts, 0) / WEEK_DAYS
        totals.append(float(np.sum(counts * bgnbd.expected_repeats(model, lasted))))
    return totals
