"""Gamma-Gamma: what a customer spends on a day it buys.

Values of one customer scatter around a mean of its own as a gamma of shape p; over customers that mean's scale follows
a gamma(q, v). Source: Fader and Hardie, "The Gamma-Gamma Model of Monetary Value", note 025 (2013); equation 3 is the
likelihood, equation 5 the conditional mean. It takes how often a customer buys and how much it spends as independent:
the report shows their correlation. Only customers who bought again, and for more than nothing, take part.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln

from analytics.bgnbd import REPEATERS_MIN
from analytics.optimum import Estimate, maximise
from analytics.purchases import Floats, Histories
from streams.errors import OneThreadError

NAMES = ("p", "q", "v")


@dataclass(frozen=True)
class GammaGamma:
    """The three parameters; v in money."""

    p: float
    q: float
    v: float

    @property
    def mean(self) -> float | None:
        """What customers spend on a day on average; None where the model gives no finite mean (q <= 1)."""
        return self.p * self.v / (self.q - 1) if self.q > 1 else None


@dataclass(frozen=True)
class Fit:
    """The parameters under which the values are likeliest."""

    model: GammaGamma
    estimates: dict[str, Estimate]
    log_likelihood: float
    customers: int
    correlation: float | None
    """Of how often and how much; far from 0 the model is not to be trusted. None where one of them does not vary."""


def fit(histories: Histories) -> Fit:
    """Estimate the parameters from the customers with a repeat.

    Errors: OneThreadError with fewer than REPEATERS_MIN of these.
    Cost:   100,000 customers take about 1 s.
    """
    again = (histories.repeats > 0) & (histories.value > 0)
    if np.count_nonzero(again) < REPEATERS_MIN:
        came = np.count_nonzero(again)
        raise OneThreadError(f"expected {REPEATERS_MIN} customers or more who bought on two days; came {came}")
    x, m = histories.repeats[again], histories.value[again]
    order = np.lexsort((m, x))
    x, m = x[order], m[order]
    unit = float(np.mean(m))
    estimates, value = maximise(lambda parameters: log_likelihood(parameters, x, m / unit), NAMES, np.ones(3))
    v = estimates["v"]
    error = None if v.standard_error is None else float(f"{v.standard_error * unit:.4g}")
    estimates["v"] = Estimate(float(f"{v.value * unit:.10g}"), error)
    model = GammaGamma(**{name: estimate.value for name, estimate in estimates.items()})
    in_money = float(f"{value - len(m) * np.log(unit):.10g}")
    return Fit(model, estimates, in_money, len(m), _correlation(x, m))


def log_likelihood(parameters: Floats, x: Floats, m: Floats) -> tuple[float, Floats]:
    """The log-likelihood of mean values m over x purchases, and its gradient by p, q, v."""
    p, q, v = parameters
    shape = p * x
    total = (gammaln(shape + q) - gammaln(shape) - gammaln(q) + q * np.log(v) + (shape - 1) * np.log(m)
             + shape * np.log(x) - (shape + q) * np.log(v + m * x))
    gradient = np.array([
        np.sum(x * (digamma(shape + q) - digamma(shape) + np.log(m) + np.log(x) - np.log(v + m * x))),
        np.sum(digamma(shape + q) - digamma(q) + np.log(v) - np.log(v + m * x)),
        np.sum(q / v - (shape + q) / (v + m * x)),
    ])
    return float(np.sum(total)), gradient


def expected_value(model: GammaGamma, x: Floats, m: Floats) -> Floats:
    """The mean value that a customer's purchases tend to: its own, drawn towards everybody's the fewer there were.

    Without a repeat it is everybody's mean; NaN there where the model gives none (q <= 1).
    """
    weight = model.p * x + model.q - 1
    mean = np.divide(model.p * (model.v + m * x), weight, out=np.full_like(weight, np.nan), where=weight > 0)
    return np.where((x > 0) | (model.q > 1), mean, np.nan)


def _correlation(x: Floats, m: Floats) -> float | None:
    if np.ptp(x) == 0 or np.ptp(m) == 0:
        return None
    return float(np.corrcoef(x, m)[0, 1])
