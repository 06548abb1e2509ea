"""BG/NBD on the published figures, on customers whose parameters are known, and at its edges."""

import time

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import beta, gamma

from analytics import bgnbd
from analytics.bgnbd import BgNbd
from analytics.purchases import Floats, Histories, Purchases, histories
from streams.errors import OneThreadError
from tests.unit.analytics import cdnow

PUBLISHED = cdnow.PUBLISHED["bg_nbd"]
MODEL = BgNbd(**{name: PUBLISHED[name] for name in bgnbd.NAMES})


def one(value: float) -> Floats:
    return np.array([value])


def simulated(model: BgNbd, customers: int, seed: int, weeks: float = 52.0) -> tuple[Histories, Purchases]:
    """Customers who buy and leave as the model says, from days spread over the first half of the time."""
    random = np.random.default_rng(seed)
    rates = random.gamma(model.r, 1 / model.alpha, customers)
    leaves = random.beta(model.a, model.b, customers)
    firsts = random.integers(0, int(weeks * 3.5), customers)
    rows = [(number, int(firsts[number])) for number in range(customers)]
    for number in range(customers):
        at = float(firsts[number])
        while True:
            at += random.exponential(7 / max(rates[number], 1e-12))
            if at > weeks * 7:
                break
            rows.append((number, int(at)))
            if random.random() < leaves[number]:
                break
    pairs = np.array(rows)
    purchases = Purchases(pairs[:, 0], pairs[:, 1], np.full(len(pairs), 10.0))
    return histories(purchases, int(weeks * 7)), purchases


def test_cdnow_gives_the_published_estimates() -> None:
    found = bgnbd.fit(cdnow.calibration())
    for name in bgnbd.NAMES:
        assert found.estimates[name].value == pytest.approx(PUBLISHED[name], abs=0.01), name
    assert found.log_likelihood == pytest.approx(PUBLISHED["loglik"], abs=0.1)
    assert (found.customers, found.repeaters) == (2357, 946)


def test_standard_errors_are_those_of_the_curvature_in_the_parameters_themselves() -> None:
    """Second differences of the log-likelihood, by no gradient and no logarithms."""
    known = cdnow.calibration()
    found = bgnbd.fit(known)
    at = np.array([found.estimates[name].value for name in bgnbd.NAMES])

    def value(parameters: Floats) -> float:
        ones = np.ones(len(known))
        return bgnbd.log_likelihood(parameters, known.repeats, known.recency, known.age, ones)[0]

    steps = np.diag(at * 1e-3)
    curvature = np.array([[(value(at + i + j) - value(at + i - j) - value(at - i + j) + value(at - i - j))
                           / (4 * i.sum() * j.sum()) for j in steps] for i in steps])
    expected = np.sqrt(np.diag(np.linalg.inv(-curvature)))
    assert [found.estimates[name].standard_error for name in bgnbd.NAMES] == pytest.approx(list(expected), rel=0.01)


def test_the_gradient_is_that_of_the_likelihood() -> None:
    x, t_x, age, counts = (np.array(column) for column in ([0.0, 2, 7], [0.0, 10, 30.5], [5.0, 12, 31], [3.0, 1, 2]))
    at = np.array([0.4, 5.0, 0.8, 2.0])
    _, gradient = bgnbd.log_likelihood(at, x, t_x, age, counts)
    for index, step in enumerate(np.diag(at * 1e-6)):
        up, down = (bgnbd.log_likelihood(at + sign * step, x, t_x, age, counts)[0] for sign in (1, -1))
        assert gradient[index] == pytest.approx((up - down) / (2 * step.sum()), rel=1e-5)


def test_the_published_conditional_expectation() -> None:
    told = cdnow.PUBLISHED["bg_nbd_conditional_expectation"]
    found = bgnbd.expected_purchases(MODEL, told["t"], one(told["x"]), one(told["t_x"]), one(told["T"]))
    assert found[0] == pytest.approx(told["expected"], abs=told["tol"])


def test_the_published_expectations_of_a_new_customer() -> None:
    told = cdnow.PUBLISHED["bg_nbd_expected_purchases"]
    fitted = bgnbd.fit(cdnow.calibration()).model
    found = bgnbd.expected_repeats(fitted, np.array(told["t"]))
    assert list(found) == pytest.approx(told["expected"], abs=told["tol"])


def test_the_expectation_of_a_new_customer_is_the_mean_over_rates_and_leaving() -> None:
    """Against the integral over p of equation 8, with λ taken as its mean over a fine grid."""
    model, weeks = BgNbd(2.0, 8.0, 1.4, 3.0), 20.0

    def given_p(p: float) -> float:
        rates = gamma(model.r, scale=1 / model.alpha)
        return float(rates.expect(lambda rate: (1 - np.exp(-rate * p * weeks)) / p))

    expected, _ = quad(lambda p: given_p(p) * beta(model.a, model.b).pdf(p), 0, 1)
    assert bgnbd.expected_repeats(model, one(weeks))[0] == pytest.approx(expected, rel=1e-6)


def test_who_bought_once_is_alive_and_silence_kills_the_frequent_first() -> None:
    assert bgnbd.probability_alive(MODEL, one(0), one(0), one(30))[0] == cdnow.PUBLISHED["p_alive_when_x_is_0"]
    rare = bgnbd.probability_alive(MODEL, one(2), one(10), one(38))[0]
    frequent = bgnbd.probability_alive(MODEL, one(20), one(10), one(38))[0]
    lately = bgnbd.probability_alive(MODEL, one(20), one(37), one(38))[0]
    assert 0 < frequent < rare < lately < 1


def test_a_customer_without_history_is_a_new_one() -> None:
    for weeks in (1.0, 52.0):
        assert bgnbd.expected_purchases(MODEL, weeks, one(0), one(0), one(0))[0] == pytest.approx(
            bgnbd.expected_repeats(MODEL, one(weeks))[0], rel=1e-12)


def test_nothing_overflows_for_a_customer_with_thousands_of_purchases() -> None:
    found = bgnbd.expected_purchases(MODEL, 52.0, one(5000), one(100), one(300))
    assert found[0] == pytest.approx(0, abs=1e-9)
    assert bgnbd.expected_purchases(MODEL, 52.0, one(5000), one(300), one(300))[0] > 100


def test_the_gap_at_a_of_one_is_closed() -> None:
    beside = [bgnbd.expected_repeats(BgNbd(0.5, 5.0, a, 2.0), one(30.0))[0] for a in (0.999, 1.0, 1.001)]
    assert beside[0] > beside[1] > beside[2]
    assert beside[1] == pytest.approx((beside[0] + beside[2]) / 2, rel=1e-5)


def test_customers_of_known_parameters_give_them_back() -> None:
    model = BgNbd(0.8, 6.0, 0.9, 2.5)
    known, _ = simulated(model, 8000, seed=3)
    found = bgnbd.fit(known)
    for name in bgnbd.NAMES:
        estimate = found.estimates[name]
        assert estimate.standard_error is not None
        # Days are whole and merged where two purchases fall on one, which biases rates a little.
        assert abs(estimate.value - getattr(model, name)) < 4 * estimate.standard_error, name


def test_the_order_of_customers_changes_no_digit() -> None:
    bought = cdnow.purchases()
    turned = Purchases(bought.customers.max() - bought.customers, bought.days, bought.values)
    assert bgnbd.fit(histories(turned, cdnow.CALIBRATED.toordinal())) == bgnbd.fit(cdnow.calibration())


def test_too_few_who_bought_again_are_refused() -> None:
    known, _ = simulated(MODEL, 30, seed=1)
    with pytest.raises(OneThreadError, match=r"expected 20 customers or more who bought on two days; came \d"):
        bgnbd.fit(known)


def test_where_nobody_leaves_the_estimates_say_that_leaving_is_not_told() -> None:
    """All buy each week to the last day: p is near 0, a lies at the edge or far below b, without a standard error."""
    rows = [(customer, day) for customer in range(40) for day in range(customer % 5, 365, 7)]
    pairs = np.array(rows)
    found = bgnbd.fit(histories(Purchases(pairs[:, 0], pairs[:, 1], np.ones(len(pairs))), 365))
    assert found.model.a / found.model.b < 1e-3
    assert found.estimates["a"].standard_error is None
    assert found.estimates["b"].standard_error is None


def test_a_hundred_thousand_customers_are_fitted_in_less_than_half_a_minute() -> None:
    random = np.random.default_rng(11)
    count = 100_000
    age = random.integers(7, 700, count) / 7
    x = np.where(random.random(count) < 0.6, 0, random.geometric(0.3, count)).astype(float)
    t_x = np.where(x > 0, np.floor(age * random.random(count) * 7) / 7, 0.0)
    known = Histories(np.arange(count), x, t_x, age, np.ones(count), np.ones(count))
    begun = time.process_time()
    assert bgnbd.fit(known).customers == count
    assert time.process_time() - begun < 30
