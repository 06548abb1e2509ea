"""A run of LTV over the views: which purchases count, and what is kept."""

from collections import defaultdict
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest

from analytics import bgnbd, chart, gammagamma, lifetime
from analytics.purchases import Purchases, histories
from sinks.clickhouse import fitting, migrations, runs
from sinks.clickhouse.buyers import buyers, day_number
from streams.errors import OneThreadError
from streams.settings import Settings
from tests.unit.analytics import cdnow
from tests.unit.sinks.clickhouse.conftest import Engine, person, row

DAY_MS = 86_400_000
AS_OF = datetime(1997, 9, 30, 23, 59, tzinfo=UTC)


def order(number: int, order_id: str, day: float, revenue: float, **values: Any) -> list[Any]:
    placed = {"placed_at": int(day * DAY_MS), "placed_channel": "web", "status": "fulfilled", "person_shared": False,
              "currency": "EUR", "revenue": round(revenue * 10_000)}
    return row("orders", person_id=person(number), order_id=order_id, **placed | values)


@pytest.fixture
def cdnow_orders(engine: Engine) -> Engine:
    """Every line of CDNOW is an order of a known person, at noon."""
    numbers: dict[str, int] = defaultdict(lambda: len(numbers) + 1)
    rows = [order(numbers[customer], f"o{place}", day_number(day) + 0.5, dollars)
            for place, (customer, day, dollars) in enumerate(cdnow.lines())]
    engine.write("orders", *rows)
    engine.write("persons", *(row("persons", person_id=person(number), shared=False) for number in numbers.values()))
    return engine


def paid_lines() -> Purchases:
    """CDNOW less the purchases of nothing, which are no transactions of LTV."""
    bought = cdnow.purchases()
    paid = bought.values > 0
    return Purchases(bought.customers[paid], bought.days[paid], bought.values[paid])


def test_a_fit_over_the_views_is_that_over_the_file(cdnow_orders: Engine) -> None:
    run = fitting.fit(cdnow_orders.client, AS_OF)
    known = histories(paid_lines(), cdnow.CALIBRATED.toordinal())
    frequency, money = bgnbd.fit(known), gammagamma.fit(known)
    expected = {name: repr(found.value) for name, found in (frequency.estimates | money.estimates).items()}
    assert {name: run.parameters[name] for name in expected} == expected
    assert run.parameters["purchases"] == str(int(known.repeats.sum()) + len(known))
    assert float(run.parameters["r"]) == pytest.approx(cdnow.PUBLISHED["bg_nbd"]["r"], abs=0.01)
    assert run.parameters["end_day"] == "1997-09-30"
    kept = runs.last_run(cdnow_orders.client, "ltv")
    assert kept is not None
    assert (kept.run_id, kept.parameters, kept.report) == (run.run_id, run.parameters, run.report)


def test_what_is_predicted_for_each_person_is_kept(cdnow_orders: Engine) -> None:
    run = fitting.fit(cdnow_orders.client, AS_OF)
    known = histories(paid_lines(), cdnow.CALIBRATED.toordinal())
    predicted = lifetime.predict(
        bgnbd.fit(known).model, gammagamma.fit(known).model, known, 365 / 7, np.full(len(known), np.nan))
    found = cdnow_orders.rows(
        "SELECT count(), sum(predicted_orders), sum(predicted_revenue), countIf(predicted_margin IS NULL)"
        f" FROM onethread.batch_predictions WHERE run_id = '{run.run_id}'")
    count = len(known)
    assert found == [(count, pytest.approx(predicted.orders.sum()), pytest.approx(predicted.revenue.sum()), count)]


def test_two_fits_give_the_same_digits(cdnow_orders: Engine) -> None:
    first, second = (fitting.fit(cdnow_orders.client, AS_OF) for _ in range(2))
    assert (first.parameters, first.report) == (second.parameters, second.report)
    runs_kept = "SELECT uniqExact(run_id), uniqExact(parameters), uniqExact(report) FROM onethread.model_runs"
    assert cdnow_orders.rows(runs_kept) == [(2, 1, 1)]
    different = """
        SELECT count() FROM (
            SELECT count() AS times FROM onethread.batch_predictions
            GROUP BY person_id, predicted_orders, predicted_revenue HAVING times != 2)"""
    assert cdnow_orders.rows(different) == [(0,)]


def test_a_prediction_keeps_the_parameters_and_takes_purchases_as_they_are_now(cdnow_orders: Engine) -> None:
    fitted = fitting.fit(cdnow_orders.client, AS_OF)
    later = fitting.predict(cdnow_orders.client, datetime(1997, 12, 31, 12, tzinfo=UTC))
    names = (*bgnbd.NAMES, *gammagamma.NAMES, "r_standard_error", "fitted_at")
    assert [later.parameters[name] for name in names] == [fitted.parameters[name] for name in names]
    assert (later.parameters["kind"], later.parameters["end_day"]) == ("predict", "1997-12-31")
    assert int(later.parameters["purchases"]) > int(fitted.parameters["purchases"])


def test_before_the_first_fit_nothing_can_be_predicted(engine: Engine) -> None:
    with pytest.raises(OneThreadError, match="run `onethread ltv fit` first"):
        fitting.predict(engine.client)


def test_too_few_buyers_are_refused_and_leave_no_run(engine: Engine) -> None:
    engine.write("persons", row("persons", person_id=person(1), shared=False))
    engine.write("orders", order(1, "a", 1, 10), order(1, "b", 9, 10))
    with pytest.raises(OneThreadError, match="came 1"):
        fitting.fit(engine.client)
    assert engine.rows("SELECT count() FROM onethread.model_runs") == [(0,)]


def test_only_the_last_runs_of_a_kind_are_kept(cdnow_orders: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A nightly prediction does not push out the monthly fit."""
    monkeypatch.setattr(runs, "RUNS_KEPT", 2)
    fitted = fitting.fit(cdnow_orders.client, AS_OF)
    predicted = [fitting.predict(cdnow_orders.client, AS_OF).run_id for _ in range(3)]
    for table in ("model_runs", "batch_predictions"):
        kept = {found for (found,) in cdnow_orders.rows(f"SELECT DISTINCT run_id FROM onethread.{table}")}
        assert kept == {fitted.run_id, *predicted[1:]}
    assert abs(runs.last_fit_at(cdnow_orders.client) - fitted.at).total_seconds() < 0.001


def test_the_purchases_of_ltv_are_counted_orders_of_people_in_the_reporting_currency(engine: Engine) -> None:
    engine.write("persons", row("persons", person_id=person(1), shared=False),
                 row("persons", person_id=person(2), shared=False, known=False),
                 row("persons", person_id=person(3), shared=True))
    engine.write(
        "orders", order(1, "a", 10, 25.5), order(1, "same-day", 10.2, 4.5), order(1, "at-the-end", 20, 7),
        order(1, "after-it", 20.001, 9), order(1, "of-nothing", 11, 0),
        order(1, "cancelled", 11, 5, status="cancelled"),
        order(1, "no-rate", 11, 5, currency="UAH"), order(1, "never", 11, 5, placed_at=None),
        order(2, "unknown", 11, 5), order(3, "shared", 11, 5, person_shared=True),
    )
    found = buyers(engine.client, datetime(1970, 1, 21, tzinfo=UTC), "UTC")
    assert [value.as_py() for value in found.person_ids] == [person(1)]
    bought = sorted(zip(found.purchases.days, found.purchases.values, strict=True))
    assert bought == [(10, 4.5), (10, 25.5), (20, 7.0)]


def test_a_day_is_one_of_the_reporting_zone(engine: Engine) -> None:
    engine.write("persons", row("persons", person_id=person(1), shared=False))
    engine.write("orders", order(1, "late", 10.95, 5))
    for zone, day in (("UTC", 10), ("Europe/Kyiv", 11)):
        assert list(buyers(engine.client, datetime(1970, 2, 1, tzinfo=UTC), zone).purchases.days) == [day]


def test_margin_is_the_persons_own_part_else_that_of_all(engine: Engine) -> None:
    engine.write("persons", *(row("persons", person_id=person(n), shared=False) for n in (1, 2, 3)))
    engine.write("orders", order(1, "a", 1, 100, margin=20_0000), order(1, "b", 2, 300, margin=100_0000),
                 order(1, "untold", 3, 800), order(2, "c", 3, 200, margin=140_0000), order(3, "d", 3, 50))
    found = buyers(engine.client, datetime(1970, 2, 1, tzinfo=UTC), "UTC")
    told = dict(zip((value.as_py() for value in found.person_ids), found.margin_ratio, strict=True))
    assert told == {person(1): pytest.approx(0.3), person(2): pytest.approx(0.7), person(3): pytest.approx(260 / 600)}


def test_the_end_day_is_that_of_the_reporting_zone(cdnow_orders: Engine) -> None:
    migrations.apply(cdnow_orders.url, Settings(reporting_zone="Europe/Kyiv"))
    run = fitting.fit(cdnow_orders.client, AS_OF)
    migrations.apply(cdnow_orders.url, Settings())
    assert run.parameters["end_day"] == "1997-10-01"


def test_the_page_shows_estimates_and_what_was_held_out(cdnow_orders: Engine) -> None:
    run = fitting.fit(cdnow_orders.client, datetime(1998, 6, 30, 23, tzinfo=UTC))
    page = chart.page(run.parameters, run.report)
    assert page == chart.page(run.parameters, run.report)
    assert "<polyline class=actual" in page
    assert "<rect class=model" in page
    assert f"{float(run.parameters['alpha']):.4f}" in page
    assert f"{run.report['actual_after']:,} purchases came" in page
    cut = date(1970, 1, 1).toordinal() + run.report["cut_day"]
    assert date.fromordinal(cut) == date(1997, 9, 30)


def test_the_page_says_why_nothing_was_held_out(cdnow_orders: Engine) -> None:
    run = fitting.fit(cdnow_orders.client, datetime(1997, 3, 1, tzinfo=UTC))
    run.report.clear()
    run.report["not_held_out"] = "up to <then>: too few"
    assert "too few" in chart.page(run.parameters, run.report)
    assert "&lt;then&gt;" in chart.page(run.parameters, run.report)
