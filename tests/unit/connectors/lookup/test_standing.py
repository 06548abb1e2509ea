"""Status, probability alive and money of one person, at both edges of every interval."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connectors.lookup.standing import Figures, Standing, standing
from streams.settings import Settings
from tests.oracle.build import event
from tests.unit.connectors.lookup.reads import NOW, bought, days_ago, held
from tests.unit.streams.core.graphs import Graph


def stands(*events: Any, figures: Figures | None = None, known: bool = True, **settings: Any) -> Standing:
    found = held(Graph().see(*events), ("phone", "p"))
    assert found is not None
    rows = found.rows
    return standing(known, rows.get("orders", ()), rows["touchpoints"], figures or Figures(), Settings(**settings), NOW)


def orders(*days: float) -> list[Any]:
    return [bought(f"o{n}", day, "phone:p") for n, day in enumerate(days)]


def test_without_a_counted_order_one_is_a_prospect_and_an_unknown_thread_is_nothing() -> None:
    view = event("1", 0, "phone:p")
    assert stands(view)[:4] == ("prospect", [], None, 0)
    assert stands(view, known=False).status is None
    cancelled = event("c", days_ago(1), "phone:p", type="order_cancelled", role="order_fact", order={"order_id": "o0"})
    assert stands(*orders(2), cancelled).status == "prospect"


@pytest.mark.parametrize(("days", "status"), [(60, "new"), (61, "active"), (121, "at_risk"), (241, "churned")])
def test_one_day_of_orders_is_new_for_sixty_days_then_judged_by_the_usual_gap(days: int, status: str) -> None:
    """With no pause in all the data the gap is new_days: 60; active up to 2 of them, at risk up to 4."""
    assert stands(*orders(days)).status == status


@pytest.mark.parametrize(("silent", "status"), [(20, "active"), (21, "at_risk"), (40, "at_risk"), (41, "churned")])
def test_from_four_days_of_orders_on_the_own_gap_counts(silent: int, status: str) -> None:
    found = stands(*orders(silent, silent + 10, silent + 20, silent + 40), figures=Figures(gap_days=1000.0))
    assert found.status == status


def test_before_that_everybodys_gap_counts() -> None:
    assert stands(*orders(30, 40), figures=Figures(gap_days=15.0)).status == "active"
    assert stands(*orders(31, 40), figures=Figures(gap_days=15.0)).status == "at_risk"


def seen(name: str, days: float) -> Any:
    return event(name, days_ago(days), "phone:p", channel="wifi", type="wifi_seen", role="observation")


def test_who_seems_gone_and_is_seen_in_a_store_on_two_days_is_unnoticed() -> None:
    gone = orders(100, 110)
    gap = Figures(gap_days=10.0)
    assert stands(*gone, seen("s1", 90), seen("s2", 5), figures=gap)[:2] == ("unnoticed", ["wifi"])
    assert stands(*gone, seen("s1", 91), seen("s2", 5), figures=gap).status == "churned"
    assert stands(*gone, seen("s1", 5), seen("s2", 5), figures=gap).status == "churned"


FIT = Figures(parameters={"r": "0.25", "alpha": "4.0", "a": "0.8", "b": "2.4"})


def test_after_a_fit_the_probability_alive_decides() -> None:
    assert stands(*orders(70), figures=FIT)[:3] == ("active", [], 1.0)
    found = stands(*orders(10, 17, 24), figures=FIT)
    assert found.status == "active"
    assert found.alive == pytest.approx(
        1 / (1 + 0.8 / 3.4 * ((4 + 24 / 7) / (4 + 14 / 7)) ** 2.25))
    assert stands(*orders(200, 207, 214, 221), figures=FIT).status == "churned"


def test_money_is_converted_at_a_rate_at_most_seven_days_old() -> None:
    def paid(rate_day: int) -> Standing:
        rates = {"USD": [(date(2026, 2, rate_day), Decimal("0.9"))]}
        return stands(bought("o", 1, "phone:p", currency="USD"), figures=Figures(rates=rates))

    assert paid(28)[3:] == (1, Decimal("9.0000"), 0, True)
    assert paid(21)[3:] == (1, Decimal("9.0000"), 0, True)
    assert paid(20)[3:] == (1, Decimal(0), 1, False)


def test_days_are_of_the_reporting_zone() -> None:
    late = [bought("o0", 60.05, "phone:p")]
    assert stands(*late).status == "active"
    assert stands(*late, reporting_zone="Europe/Kyiv").status == "new"
