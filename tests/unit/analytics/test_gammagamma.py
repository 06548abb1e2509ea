"""Gamma-Gamma on the published figures and at its edges."""

import numpy as np
import pytest

from analytics import gammagamma
from analytics.gammagamma import GammaGamma
from analytics.purchases import Histories
from streams.errors import OneThreadError
from tests.unit.analytics import cdnow

PUBLISHED = cdnow.PUBLISHED["gamma_gamma"]


def spent(x: list[float], m: list[float]) -> Histories:
    zeros = np.zeros(len(x))
    return Histories(np.arange(len(x)), np.array(x), zeros, zeros, np.array(m), zeros)


def test_cdnow_gives_the_published_estimates() -> None:
    found = gammagamma.fit(cdnow.calibration())
    for name in gammagamma.NAMES:
        assert found.estimates[name].value == pytest.approx(PUBLISHED[name], abs=0.01), name
        error = found.estimates[name].standard_error
        assert error is not None
        assert 0 < error < found.estimates[name].value
    assert found.customers == 946


def test_the_published_values_of_the_first_ten_customers() -> None:
    told = cdnow.PUBLISHED["gamma_gamma_expected_avg_first10"]
    known = cdnow.calibration()
    found = gammagamma.expected_value(gammagamma.fit(known).model, known.repeats, known.value)
    assert list(found[:10]) == pytest.approx(told["expected"], abs=told["tol"])


def test_the_gradient_is_that_of_the_likelihood() -> None:
    x, m, at = np.array([1.0, 4, 2]), np.array([10.0, 30, 2.5]), np.array([5.0, 3.0, 12.0])
    _, gradient = gammagamma.log_likelihood(at, x, m)
    for index, step in enumerate(np.diag(at * 1e-6)):
        up, down = (gammagamma.log_likelihood(at + sign * step, x, m)[0] for sign in (1, -1))
        assert gradient[index] == pytest.approx((up - down) / (2 * step.sum()), rel=1e-5)


def test_the_more_purchases_the_nearer_to_the_own_mean() -> None:
    model = GammaGamma(6.0, 4.0, 15.0)
    found = gammagamma.expected_value(model, np.array([0.0, 1, 10, 1000]), np.array([0.0, 100, 100, 100]))
    assert found[0] == pytest.approx(30.0) == model.mean
    assert list(found[1:]) == pytest.approx([6 * 115 / 9, 6 * 1015 / 63, 6 * 100_015 / 6003])


def test_without_a_finite_mean_a_customer_without_repeats_has_none() -> None:
    model = GammaGamma(6.0, 0.9, 15.0)
    assert model.mean is None
    found = gammagamma.expected_value(model, np.array([0.0, 1.0]), np.array([0.0, 20.0]))
    assert np.isnan(found[0])
    assert found[1] == pytest.approx(6 * 35 / 5.9)


def test_money_in_another_unit_scales_v_alone() -> None:
    known = cdnow.calibration()
    dollars, cents = (gammagamma.fit(spent(list(known.repeats), list(known.value * factor))) for factor in (1, 100))
    assert [cents.model.p, cents.model.q, cents.model.v / 100] == pytest.approx(
        [dollars.model.p, dollars.model.q, dollars.model.v], rel=1e-7)


def test_values_of_nothing_are_left_out() -> None:
    known = spent([1.0] * 30 + [2.0], [float(10 + n % 7) for n in range(30)] + [0.0])
    assert gammagamma.fit(known).customers == 30


def test_the_correlation_is_told_where_there_is_one() -> None:
    values = [float(10 + n % 7) for n in range(30)]
    assert gammagamma.fit(spent([1.0] * 30, values)).correlation is None
    assert gammagamma.fit(spent([value - 9 for value in values], values)).correlation == pytest.approx(1)


def test_too_few_who_bought_again_are_refused() -> None:
    with pytest.raises(OneThreadError, match="expected 20 customers or more who bought on two days; came 2"):
        gammagamma.fit(spent([1.0, 2.0, 0.0], [1.0, 2.0, 0.0]))
