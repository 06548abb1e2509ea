"""Cohorts, what people are worth by what brought them, and what win-back campaigns brought: settled by hand."""

import random
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from sinks.clickhouse import migrations
from streams.settings import Settings
from tests.unit.sinks.clickhouse.conftest import Engine, person, row
from tests.unit.sinks.clickhouse.people import AS_OF, DAY_MS, TODAY, bought, fitted, people, seen

COHORTS = "SELECT cohort, age, persons, buyers, retention, orders, revenue FROM onethread.cohorts ORDER BY cohort, age"


@pytest.fixture
def views(engine: Engine) -> Iterator[Engine]:
    """The views at noon of 2024-10-04, UTC."""
    migrations.apply(engine.url, Settings(as_of=AS_OF.isoformat()))
    yield engine
    migrations.apply(engine.url, Settings())


def ago(year: int, month: int, day: int) -> int:
    return (AS_OF.date() - date(year, month, day)).days


def spent(engine: Engine, number: int, event: str, days_ago: float, cost: int | None, **values: Any) -> None:
    shown = {"role": "exposure", "type": "message_sent", "channel": "email", "campaign_name": "autumn",
             "campaign_source": None, "message_id": event, "cost_currency": "EUR", "conflicts": 0}
    engine.write("touchpoints", row(
        "touchpoints", person_id=person(number), event_id=event, occurred_at=int((TODAY + 0.5 - days_ago) * DAY_MS),
        cost=None if cost is None else cost * 10_000, **shown | values))


def test_a_cohort_is_followed_month_by_month(views: Engine) -> None:
    """Two came in August; one of them bought again in October, nobody in September. A third came in October."""
    people(views, 1, 2, 3)
    people(views, 4, known=False)
    bought(views, 1, ago(2024, 8, 2), ago(2024, 8, 20), ago(2024, 10, 1))
    bought(views, 2, ago(2024, 8, 31))
    bought(views, 3, ago(2024, 10, 2))
    bought(views, 4, ago(2024, 10, 2))
    assert views.rows(COHORTS) == [
        (date(2024, 8, 1), 0, 2, 2, 1.0, 3, 30), (date(2024, 8, 1), 1, 2, 0, 0.0, 0, 0),
        (date(2024, 8, 1), 2, 2, 1, 0.5, 1, 10), (date(2024, 10, 1), 0, 1, 1, 1.0, 1, 10),
    ]


def test_a_month_is_one_of_the_reporting_zone(views: Engine) -> None:
    people(views, 1)
    bought(views, 1, ago(2024, 8, 31) - 0.45)
    assert next(cohort for cohort, *_ in views.rows(COHORTS)) == date(2024, 8, 1)
    migrations.apply(views.url, Settings(as_of=AS_OF.isoformat(), reporting_zone="Europe/Kyiv"))
    assert next(cohort for cohort, *_ in views.rows(COHORTS)) == date(2024, 9, 1)


def test_a_cohort_is_paid_back_when_its_margin_reaches_its_cost(views: Engine) -> None:
    """100 of cost for two new buyers in August: 50 a head; margin 40 a head by August, 60 by October."""
    people(views, 1, 2)
    bought(views, 1, ago(2024, 8, 2), margin=80_0000)
    bought(views, 2, ago(2024, 8, 2), margin=None)
    views.write("orders", row(
        "orders", person_id=person(1), order_id="later", placed_at=int((TODAY - 2) * DAY_MS), placed_channel="web",
        status="placed", person_shared=False, currency="EUR", revenue=90_0000, margin=40_0000))
    spent(views, 1, "mail", ago(2024, 8, 1), 100)
    found = views.rows(
        "SELECT age, margin, margin_a_head, cost_a_head, paid_back, revenue_a_head FROM onethread.cohorts ORDER BY age")
    assert found == [(0, 80, 40.0, 50.0, 0, 10.0), (1, None, 40.0, 50.0, 0, 10.0), (2, 40, 60.0, 50.0, 1, 55.0)]


WIN_BACK = """
    SELECT contacts, persons, cost, active, unnoticed, lapsed, spent_in_vain, spent_on_unnoticed, won_back,
        won_back_orders, won_back_revenue, return_ratio
    FROM onethread.win_back_return"""


def win_back(engine: Engine, number: int, days_ago: float, cost: int | None = 2, **values: Any) -> None:
    spent(engine, number, f"wb/{number}/{days_ago}", days_ago, cost, campaign_name="Autumn win-back", **values)


def test_win_back_money_is_in_vain_on_the_active_and_on_the_unnoticed(views: Engine) -> None:
    """1 was active, 2 had left but was seen in the store, 3 had left and came back, 4 had left for good; gaps of 10."""
    people(views, 1, 2, 3, 4)
    bought(views, 1, 55, 65, 75, 85)
    bought(views, 2, 100, 110, 120, 130)
    bought(views, 3, 30, 100, 110, 120, 130)
    bought(views, 4, 100, 110, 120, 130)
    seen(views, 2, 70, 60)
    for number in (1, 2, 3, 4):
        win_back(views, number, 50)
    assert views.rows(WIN_BACK) == [(4, 4, 8, 1, 1, 2, 4, 2, 1, 1, 10, 1.25)]


@pytest.mark.parametrize(("back", "won"), [(20, 1), (19.99, 0), (50, 0), (49.9, 1)])
def test_won_back_is_who_buys_within_thirty_days_of_the_contact(views: Engine, back: float, won: int) -> None:
    people(views, 1)
    bought(views, 1, 100, 110, 120, 130)
    views.write("orders", row(
        "orders", person_id=person(1), order_id="back", placed_at=int((TODAY + 0.5 - back) * DAY_MS), revenue=7_0000,
        placed_channel="web", status="placed", person_shared=False, currency="EUR"))
    win_back(views, 1, 50)
    found = views.rows("SELECT won_back, won_back_orders FROM onethread.win_back_return")
    assert found == [(won, won)]


def test_four_events_of_one_message_are_one_contact_and_an_order_counts_once(views: Engine) -> None:
    people(views, 1)
    bought(views, 1, 30, 100, 110, 120, 130)
    for place, kind in enumerate(("message_sent", "message_delivered")):
        win_back(views, 1, 50 - place / 100, cost=2 if place == 0 else None, message_id="m", type=kind)
    win_back(views, 1, 45)
    found = views.rows("SELECT contacts, persons, cost, won_back_orders FROM onethread.win_back_return")
    assert found == [(2, 1, 4, 1)]


def test_only_win_back_campaigns_are_looked_at(views: Engine) -> None:
    people(views, 1)
    spent(views, 1, "a", 50, 2, campaign_name="autumn")
    spent(views, 1, "b", 50, 2, campaign_name=None)
    assert views.rows(WIN_BACK) == []
    spent(views, 1, "c", 50, 2, campaign_name="WINBACK 2")
    assert views.rows("SELECT campaign_name, contacts FROM onethread.win_back_return") == [("WINBACK 2", 1)]


def test_cost_without_a_rate_is_counted_and_not_guessed(views: Engine) -> None:
    people(views, 1)
    win_back(views, 1, 50, cost_currency="UAH")
    assert views.rows("SELECT cost, unconverted FROM onethread.win_back_return") == [(0, 1)]


def test_worth_by_acquisition_adds_up_to_all_people(views: Engine) -> None:
    people(views, 1, 2)
    people(views, 3, known=False)
    bought(views, 1, 10, 20, margin=3_0000)
    bought(views, 3, 10)
    found = views.rows(
        "SELECT sum(persons), sum(buyers), sum(orders), sum(revenue), sum(margin) FROM onethread.ltv_by_acquisition")
    assert found == [(2, 1, 2, Decimal(20), Decimal(6))]


def test_worth_is_told_by_what_brought_people(views: Engine) -> None:
    """Two came by one campaign, on two channels: its cost of 90 is divided among them; a third came by none."""
    spring = {"acquisition_source": "google", "acquisition_medium": "cpc", "acquisition_campaign": "spring"}
    people(views, 1, 2, acquisition_channel="ads", **spring)
    people(views, 3, acquisition_channel="web", **spring)
    people(views, 4, acquisition_channel="pos", acquisition_source=None, acquisition_medium=None,
           acquisition_campaign=None)
    bought(views, 4, 10, margin=2_0000)
    spent(views, 1, "ad", 5, 90, campaign_source="google", campaign_medium="cpc", campaign_name="spring")
    fitted(views, orders=2, revenue=30)
    assert views.rows("""
        SELECT acquisition_channel, acquisition_campaign, persons, buyers, revenue, predicted, predicted_revenue,
            ltv_a_head, cost, payback
        FROM onethread.ltv_by_acquisition ORDER BY acquisition_channel
    """) == [
        ("ads", "spring", 2, 0, 0, 1, 30, 15.0, 60, 0.0),
        ("pos", None, 1, 1, 10, 0, None, 10.0, None, None),
        ("web", "spring", 1, 0, 0, 0, None, 0.0, 30, 0.0),
    ]


def test_every_cohort_is_that_of_a_plain_count(views: Engine) -> None:
    source = random.Random(3)
    days = {n: sorted(source.sample(range(1, 300), source.choice([0, 1, 2, 4]))) for n in range(1, 40)}
    people(views, *days)
    for number, bought_on in days.items():
        if bought_on:
            bought(views, number, *bought_on)
    months = {n: [month_of(ago) for ago in bought_on] for n, bought_on in days.items() if bought_on}
    this_month = month_of(0)
    expected = []
    for cohort in sorted({min(all_months) for all_months in months.values()}):
        members = [all_months for all_months in months.values() if min(all_months) == cohort]
        for age in range(this_month - cohort + 1):
            orders = [all_months.count(cohort + age) for all_months in members]
            buyers = sum(count > 0 for count in orders)
            expected.append((date(cohort // 12, cohort % 12 + 1, 1), age, len(members), buyers, buyers / len(members),
                             sum(orders), 10 * sum(orders)))
    assert views.rows(COHORTS) == expected


def month_of(days_ago: int) -> int:
    """Months since the year 0."""
    day = date.fromordinal(AS_OF.date().toordinal() - days_ago)
    return day.year * 12 + day.month - 1
