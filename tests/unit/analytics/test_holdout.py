"""The model asked for what it did not see."""

import numpy as np
import pytest

from analytics import bgnbd
from analytics.bgnbd import BgNbd
from analytics.holdout import cut_of, hold_out
from analytics.purchases import Purchases
from tests.unit.analytics import cdnow
from tests.unit.analytics.test_bgnbd import simulated


def test_cdnow_as_published() -> None:
    """39 weeks to learn from and 39 to be tested on."""
    found = hold_out(cdnow.purchases(), cdnow.CALIBRATED.toordinal(), cdnow.END.toordinal())
    assert found.actual_after == cdnow.PUBLISHED["holdout_weeks_40_78_actual_purchase_days"]
    assert found.fit == bgnbd.fit(cdnow.calibration())
    assert found.error is not None
    assert -0.15 < found.error < 0
    assert sum(group.customers for group in found.groups) == 2357
    assert [group.repeats for group in found.groups] == list(range(8))
    total = sum(group.actual * group.customers for group in found.groups)
    assert total == pytest.approx(found.actual_after)
    predicted = sum(group.predicted * group.customers for group in found.groups)
    assert predicted == pytest.approx(found.predicted_after)


def test_the_cumulative_line_follows_what_came() -> None:
    found = hold_out(cdnow.purchases(), cdnow.CALIBRATED.toordinal(), cdnow.END.toordinal())
    assert found.weeks == list(range(1, 78))
    assert found.actual == sorted(found.actual)
    for week in (20, 38, 60, 77):
        assert found.predicted[week - 1] == pytest.approx(found.actual[week - 1], rel=0.1), week


def test_customers_who_came_after_the_cut_are_left_out() -> None:
    _, bought = simulated(BgNbd(0.8, 6.0, 0.9, 2.5), 400, seed=2)
    late = Purchases(np.r_[bought.customers, 400, 400], np.r_[bought.days, 250, 260], np.r_[bought.values, 1.0, 1.0])
    without, with_late = (hold_out(purchases, 200, 364) for purchases in (bought, late))
    assert with_late == without


def test_customers_of_known_parameters_are_predicted() -> None:
    model = BgNbd(0.8, 6.0, 0.9, 2.5)
    _, bought = simulated(model, 4000, seed=9)
    found = hold_out(bought, 200, 364)
    assert found.error is not None
    assert abs(found.error) < 0.1


def test_the_cut_lies_in_the_middle_of_what_was_observed() -> None:
    bought = Purchases(np.array([0, 0]), np.array([10, 30]), np.ones(2))
    assert cut_of(bought, 50) == 30
