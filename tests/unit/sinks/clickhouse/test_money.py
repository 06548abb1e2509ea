"""Money in the reporting currency: the rate of the day, of the reporting zone, at most 7 days old; never guessed."""

from decimal import Decimal
from typing import Any

import pytest

from sinks.clickhouse import migrations
from streams.settings import Settings
from tests.unit.sinks.clickhouse.conftest import Engine, person, row

DAY_MS = 86_400_000
DAY = 20_000
HOUR_MS = 3_600_000


def order(order_id: str, at_ms: int | None, **values: Any) -> list[Any]:
    told = {"placed_at": at_ms, "placed_channel": "web", "status": "placed", "person_shared": False, "currency": "UAH",
            "revenue": 100_0000, "margin": 30_0000, "returned_amount": 10_0000}
    return row("orders", person_id=person(1), order_id=order_id, **told | values)


def rate(day: int, text: str, currency: str = "UAH", version: int = 1) -> list[Any]:
    return row("rates", version, day=day, currency=currency, rate=Decimal(text))


def converted(engine: Engine) -> dict[str, Any]:
    return dict(engine.rows("SELECT order_id, revenue_reporting FROM onethread.orders"))


def test_a_rate_holds_from_its_day_until_the_next_and_seven_days_at_most(engine: Engine) -> None:
    engine.write("rates", rate(DAY, "0.02"), rate(DAY + 3, "0.03"))
    at = {"before": DAY * DAY_MS - 1, "first": DAY * DAY_MS, "last": (DAY + 3) * DAY_MS - 1, "next": (DAY + 3) * DAY_MS,
          "old": (DAY + 11) * DAY_MS - 1, "too_old": (DAY + 11) * DAY_MS}
    engine.write("orders", *(order(name, ms) for name, ms in at.items()))
    assert converted(engine) == {"before": None, "first": 2, "last": 2, "next": 3, "old": 3, "too_old": None}


def test_the_day_is_of_the_reporting_zone(engine: Engine) -> None:
    migrations.apply(engine.url, Settings(reporting_zone="Europe/Kyiv"))
    try:
        engine.write("rates", rate(DAY, "0.02"), rate(DAY + 8, "0.03"))
        midnight = DAY * DAY_MS - 3 * HOUR_MS  # Kyiv is three hours ahead on that day
        engine.write("orders", order("before", midnight - 1), order("after", midnight))
        assert converted(engine) == {"before": None, "after": 2}
    finally:
        migrations.apply(engine.url, Settings())


def test_what_has_no_rate_is_left_out_of_sums_and_counted(engine: Engine) -> None:
    engine.write("persons", row("persons", person_id=person(1), shared=False))
    engine.write("rates", rate(DAY, "0.0235"))
    engine.write("orders", order("a", DAY * DAY_MS), order("b", DAY * DAY_MS, currency="EUR"),
                 order("c", DAY * DAY_MS, currency="USD"), order("d", DAY * DAY_MS, currency=None),
                 order("e", None))
    assert converted(engine) == {"a": Decimal("2.35"), "b": 100, "c": None, "d": None, "e": None}
    assert engine.rows("SELECT orders, revenue, margin, returned, unconverted FROM onethread.persons") == [
        (4, Decimal("102.35"), Decimal("30.705"), Decimal("10.235"), 2)]
    assert engine.rows("SELECT orders, revenue FROM onethread.person_channels") == [(4, Decimal("102.35"))]


def test_a_rate_that_comes_later_or_is_corrected_holds_for_the_past_at_once(engine: Engine) -> None:
    engine.write("orders", order("a", DAY * DAY_MS))
    assert converted(engine) == {"a": None}
    engine.write("rates", rate(DAY, "0.02", version=5))
    assert converted(engine) == {"a": 2}
    engine.write("rates", rate(DAY, "0.04", version=6), rate(DAY, "9", version=3))
    assert converted(engine) == {"a": 4}


def test_halves_are_rounded_to_the_even_digit(engine: Engine) -> None:
    engine.write("rates", rate(DAY, "0.00005"), rate(DAY, "0.00015", "PLN"), rate(DAY, "12345678.000000000001", "USD"))
    engine.write("orders", *(order(currency, DAY * DAY_MS, currency=currency, revenue=1_0000)
                             for currency in ("UAH", "PLN")),
                 order("USD", DAY * DAY_MS, currency="USD", revenue=10**18 - 1))
    assert converted(engine) == {"UAH": 0, "PLN": Decimal("0.0002"), "USD": None}


def test_a_touchpoints_cost_is_converted_at_the_rate_of_its_day(engine: Engine) -> None:
    engine.write("rates", rate(DAY, "0.02"))
    engine.write("touchpoints", *(
        row("touchpoints", event_id=event_id, occurred_at=day * DAY_MS, cost=cost, cost_currency=currency)
        for event_id, day, cost, currency in (
            ("a", DAY, 5_0000, "UAH"), ("b", DAY - 1, 5_0000, "UAH"), ("c", DAY, 5_0000, "EUR"), ("d", DAY, None, None))
    ))
    assert dict(engine.rows("SELECT event_id, cost_reporting FROM onethread.touchpoints")) == {
        "a": Decimal("0.1"), "b": None, "c": 5, "d": None}


@pytest.fixture
def campaigns(engine: Engine) -> Engine:
    def told(event_id: str, day: int, cost: int | None, **values: Any) -> list[Any]:
        campaign = {"campaign_source": "meta", "campaign_name": "spring", "cost_currency": "EUR", "type": "ad_clicked"}
        return row("touchpoints", event_id=event_id, occurred_at=day * DAY_MS, cost=cost, **campaign | values)

    engine.write("campaign_costs", row(
        "campaign_costs", day=DAY, source="meta", medium="", name="spring", cost=7_0000, currency="EUR", clicks=9))
    engine.write(
        "touchpoints", told("a", DAY, 1_0000), told("b", DAY + 1, 2_0000), told("c", DAY + 1, 3_0000),
        told("d", DAY + 1, 4_0000, cost_currency="USD"), told("e", DAY + 1, None),
        told("f", DAY, 5_0000, campaign_medium="cpc"),
        told("g", DAY, 6_0000, campaign_source=None, campaign_name=None),
    )
    return engine


def test_a_campaign_day_costs_what_was_loaded_else_what_its_events_tell_never_both(campaigns: Engine) -> None:
    assert campaigns.rows(
        "SELECT dateDiff('day', toDate(0), day), source, medium, name, told_by, clicks, cost_reporting, unconverted"
        " FROM onethread.campaign_spend ORDER BY day, medium NULLS FIRST"
    ) == [
        (DAY, "meta", None, "spring", "campaign_costs", 9, 7, 0),
        (DAY, "meta", "cpc", "spring", "events", 1, 5, 0),
        (DAY + 1, "meta", None, "spring", "events", 3, 5, 1),
    ]
