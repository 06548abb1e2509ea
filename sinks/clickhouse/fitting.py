"""A run of LTV: purchases out of the views, the models fitted or taken from the last fit, predictions back.

Rules kept: a fit holds out the second half of what was observed to see whether the model holds, then learns from all
of it; a prediction takes the parameters of the last fit and the purchases of now, so that it may be made every night
while a fit is made every month.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from clickhouse_connect.driver.client import Client

from analytics import bgnbd, gammagamma, holdout, lifetime
from analytics.bgnbd import BgNbd
from analytics.gammagamma import GammaGamma
from analytics.holdout import Holdout
from analytics.optimum import Estimate
from analytics.purchases import WEEK_DAYS, Histories, Purchases, histories
from sinks.clickhouse.buyers import Buyers, buyers, day_number, write_predictions
from sinks.clickhouse.runs import LTV, Run, last_run, present
from streams.errors import OneThreadError


def fit(client: Client, as_of: datetime | None = None) -> Run:
    """Fit both models on the purchases up to as_of (default: the views' own), and predict twelve months from then.

    Errors: OneThreadError with fewer than 20 people who bought on two days; clickhouse_connect's DatabaseError.
    Cost:   100,000 buyers take some seconds.
    """
    at, end, known = _known(client, as_of)
    seen = histories(known.purchases, day_number(end))
    frequency, money = bgnbd.fit(seen), gammagamma.fit(seen)
    found = _told(frequency.estimates) | _told(money.estimates) | {
        "log_likelihood": repr(frequency.log_likelihood), "value_log_likelihood": repr(money.log_likelihood),
        "correlation": "" if money.correlation is None else f"{money.correlation:.4f}",
        "fitted_at": at.isoformat(),
    }
    return _predicted(client, "fit", at, end, known, seen, frequency.model, money.model, found,
                      _tried(known.purchases, day_number(end)))


def predict(client: Client, as_of: datetime | None = None) -> Run:
    """Predict twelve months from as_of with the parameters of the last fit.

    Errors: OneThreadError before the first fit; clickhouse_connect's DatabaseError.
    """
    before = last_run(client, LTV)
    if before is None:
        raise OneThreadError("nothing is fitted yet: run `onethread ltv fit` first")
    at, end, known = _known(client, as_of)
    frequency = BgNbd(**{name: float(before.parameters[name]) for name in bgnbd.NAMES})
    money = GammaGamma(**{name: float(before.parameters[name]) for name in gammagamma.NAMES})
    return _predicted(client, "predict", at, end, known, histories(known.purchases, day_number(end)), frequency, money,
                      before.parameters, before.report)


def _known(client: Client, as_of: datetime | None) -> tuple[datetime, date, Buyers]:
    """(as_of, its day in the reporting zone, who bought what until then)."""
    views_at, zone = present(client)
    at = as_of or views_at
    return at, at.astimezone(ZoneInfo(zone)).date(), buyers(client, at, zone)


def _predicted(
    client: Client, kind: str, at: datetime, end: date, known: Buyers, seen: Histories, frequency: BgNbd,
    money: GammaGamma, found: dict[str, str], report: dict[str, Any],
) -> Run:
    weeks = lifetime.horizon_weeks(end)
    predictions = lifetime.predict(frequency, money, seen, weeks, known.margin_ratio)
    parameters = found | {
        "kind": kind, "end_day": end.isoformat(), "customers": str(len(seen)),
        "repeaters": str(int((seen.repeats > 0).sum())), "purchases": str(int(seen.repeats.sum()) + len(seen)),
        "horizon_days": str(round(weeks * WEEK_DAYS)),
    }
    run = Run(uuid4(), LTV, datetime.now(UTC), at, parameters, report)
    write_predictions(client, run, known.person_ids, predictions)
    return run


def _told(estimates: dict[str, Estimate]) -> dict[str, str]:
    """Estimates as texts; an empty standard error is one that the data do not tell."""
    texts = {name: repr(estimate.value) for name, estimate in estimates.items()}
    errors = {f"{name}_standard_error": "" if estimate.standard_error is None else repr(estimate.standard_error)
              for name, estimate in estimates.items()}
    return texts | errors


def _tried(purchases: Purchases, end_day: int) -> dict[str, Any]:
    """What the model, shown the first half alone, predicts of the second; or why that cannot be seen."""
    cut = holdout.cut_of(purchases, end_day)
    try:
        return _document(purchases, holdout.hold_out(purchases, cut, end_day))
    except OneThreadError as error:
        day = date(1970, 1, 1) + timedelta(days=cut)
        return {"not_held_out": f"up to {day}, half of what was observed: {error}"}


def _document(purchases: Purchases, found: Holdout) -> dict[str, Any]:
    return {
        "cut_day": found.cut_day, "end_day": found.end_day,
        "cut_week": round((found.cut_day - int(purchases.days.min())) / WEEK_DAYS, 2),
        "groups": [vars(group) for group in found.groups], "weeks": found.weeks, "actual": found.actual,
        "predicted": [round(value, 4) for value in found.predicted], "actual_after": found.actual_after,
        "predicted_after": round(found.predicted_after, 4),
    }
