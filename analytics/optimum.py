"""Maximum likelihood of a model with positive parameters: the estimates, and how sure they are.

Rules kept: the search is over logarithms, so no parameter can leave its range; it starts at one place and sums in one
order, so that the same data give the same digits; estimates are rounded to ten digits, below which the last steps of
the search are noise. Standard errors come from the observed information at the optimum, by the delta method.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from analytics.purchases import Floats
from streams.errors import OneThreadError

LOG_BOUND = 12.0
"""Parameters lie within e^±12; an estimate at the edge says that the data do not tell it."""

DIGITS = 10
FLAT = 1e-7
"""A curvature so much smaller than the largest is the noise of its own computation."""

_PART = 0.1
"""A direction's component from which on a parameter takes part in it."""

_STEP = 1e-4
"""Of the central difference of the gradient, in logarithms: its error is then about 1e-8 of the second derivative."""

Likelihood = Callable[[Floats], tuple[float, Floats]]
"""Parameters -> (log-likelihood, its gradient)."""


@dataclass(frozen=True)
class Estimate:
    """What the likelihood says of one parameter."""

    value: float
    standard_error: float | None
    """None where the likelihood is flat: the data do not tell the parameter."""


def maximise(likelihood: Likelihood, names: tuple[str, ...], start: Floats) -> tuple[dict[str, Estimate], float]:
    """The parameters under which the data are likeliest, and their log-likelihood.

    Errors: OneThreadError where the search does not come to rest: the data do not suit the model.
    Cost:   some fifty evaluations of the likelihood.
    """

    def minus(logs: Floats) -> tuple[float, Floats]:
        parameters = np.exp(logs)
        value, gradient = likelihood(parameters)
        return -value, -gradient * parameters

    found = minimize(minus, np.log(start), jac=True, method="L-BFGS-B", bounds=[(-LOG_BOUND, LOG_BOUND)] * len(names),
                     options={"maxiter": 1000, "ftol": 1e-14, "gtol": 1e-8})
    if not np.isfinite(found.fun):
        raise OneThreadError("the model cannot be fitted: expected a finite likelihood; the values are out of range")
    logs = _polished(minus, found.x)
    values = [float(f"{value:.{DIGITS}g}") for value in np.exp(logs)]
    errors = _standard_errors(minus, logs)
    estimates = {name: Estimate(value, None if error is None else float(f"{error * value:.4g}"))
                 for name, value, error in zip(names, values, errors, strict=True)}
    return estimates, float(f"{likelihood(np.array(values))[0]:.{DIGITS}g}")


def _polished(minus: Callable[[Floats], tuple[float, Floats]], logs: Floats) -> Floats:
    """Newton's steps from where the search stopped, as long as they lessen the gradient."""
    gradient = minus(logs)[1]
    for _ in range(20):
        curvature = _curvature(minus, logs)
        if np.any(_flat(curvature)):
            return logs
        step = np.linalg.solve(curvature, gradient)
        if np.max(np.abs(step)) > 1 or np.any(np.abs(logs - step) > LOG_BOUND):
            return logs
        there = minus(logs - step)[1]
        if np.max(np.abs(there)) >= np.max(np.abs(gradient)):
            return logs
        logs, gradient = logs - step, there
    return logs


def _standard_errors(minus: Callable[[Floats], tuple[float, Floats]], logs: Floats) -> list[float | None]:
    """Of the logarithms: roots of the diagonal of the inverse information over the parameters that the data tell."""
    curvature = _curvature(minus, logs)
    told = np.flatnonzero(~_flat(curvature))
    errors: list[float | None] = [None] * len(logs)
    if len(told):
        variances = np.diag(np.linalg.inv(curvature[np.ix_(told, told)]))
        for index, variance in zip(told, variances, strict=True):
            errors[index] = float(np.sqrt(variance))
    return errors


def _flat(curvature: Floats) -> NDArray[np.bool_]:
    """Which parameters take part in a direction along which the likelihood does not change."""
    if not np.all(np.isfinite(curvature)):
        return np.ones(len(curvature), dtype=bool)
    sizes, directions = np.linalg.eigh(curvature)
    flat = sizes <= FLAT * max(1.0, float(sizes[-1]))
    return np.asarray(np.any(np.abs(directions[:, flat]) > _PART, axis=1))


def _curvature(minus: Callable[[Floats], tuple[float, Floats]], logs: Floats) -> Floats:
    """Second derivatives by central differences of the gradient."""
    rows = []
    for index in range(len(logs)):
        step = np.zeros(len(logs))
        step[index] = _STEP
        rows.append((minus(logs + step)[1] - minus(logs - step)[1]) / (2 * _STEP))
    matrix = np.array(rows)
    return np.asarray((matrix + matrix.T) / 2)
