"""The view of credits: one row a touch and model, revenue to the last digit; and how people were acquired."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from streams.core.credit import MODELS
from tests.unit.sinks.clickhouse.conftest import Engine, person, row

NOW_MS = 1_767_225_600_000  # 2026-01-01
WHOLE = 10**12
THIRDS = [333_333_333_333, 333_333_333_333, 333_333_333_334]
NONE = [0, 0, WHOLE]


def order(order_id: str, number: int = 1, **values: Any) -> list[Any]:
    placed = {"placed_at": NOW_MS, "placed_channel": "web", "status": "placed", "currency": "EUR",
              "person_shared": False, "revenue": 100_0000}
    return row("orders", person_id=person(number), order_id=order_id, **placed | values)


def credits(order_id: str, number: int = 1, **values: Any) -> list[Any]:
    shares = dict.fromkeys(("first", "last", "last_non_direct", "time_decay", "position"), NONE)
    touches = {
        "event_ids": ["a", "b", "c"], "touches": ["ad", "visit", "message"],
        "ats": [NOW_MS - 3, NOW_MS - 2, NOW_MS - 1],
        "channels": ["ads", "web", "email"], "campaign_sources": ["google", "", ""],
        "campaign_mediums": ["cpc", "", ""], "campaign_names": ["spring", "", ""], "placed_at": NOW_MS,
    }
    return row("credits", person_id=person(number), order_id=order_id, **shares | touches | {"linear": THIRDS} | values)


def test_a_row_for_each_touch_and_model(engine: Engine) -> None:
    engine.write("orders", order("o"))
    engine.write("credits", credits("o"))
    assert engine.rows("""
        SELECT model, count(), sum(credit), sum(revenue) FROM onethread.credits GROUP BY model ORDER BY model""") == [
        (model, 3, 1, 100) for model in ("first", "last", "last_non_direct", "linear", "position", "time_decay")
    ]
    assert engine.rows("""
        SELECT event_id, touch, channel, campaign_source, campaign_medium, campaign_name, credit, revenue, currency
        FROM onethread.credits WHERE model = 'linear' ORDER BY at""") == [
        ("a", "ad", "ads", "google", "cpc", "spring", Decimal("0.333333333333"), Decimal("33.3333"), "EUR"),
        ("b", "visit", "web", None, None, None, Decimal("0.333333333333"), Decimal("33.3333"), "EUR"),
        ("c", "message", "email", None, None, None, Decimal("0.333333333334"), Decimal("33.3334"), "EUR"),
    ]


@pytest.mark.parametrize("revenue", [0, 1, 2, 3, 99_999, 10**18 - 1])
def test_revenue_is_shared_to_the_last_digit_and_no_touch_owes_any(engine: Engine, revenue: int) -> None:
    fifths = [WHOLE // 5] * 5
    engine.write("orders", order("o", revenue=revenue))
    engine.write("credits", credits("o", event_ids=list("abcde"), touches=["ad"] * 5, ats=[NOW_MS] * 5,
                                    channels=["ads"] * 5, campaign_sources=[""] * 5, campaign_mediums=[""] * 5,
                                    campaign_names=[""] * 5, **dict.fromkeys(MODELS, fifths)))
    assert engine.rows("""
        SELECT DISTINCT toString(sum(revenue)), toString(sum(revenue_reporting)), min(revenue) >= 0
        FROM onethread.credits GROUP BY model""") == [
        (told := f"{Decimal(revenue).scaleb(-4).normalize():f}", told, 1),
    ]


def test_an_order_of_unknown_value_is_credited_without_money(engine: Engine) -> None:
    engine.write("orders", order("o", revenue=None))
    engine.write("credits", credits("o"))
    assert engine.rows("SELECT DISTINCT revenue, revenue_reporting FROM onethread.credits") == [(None, None)]


def test_of_two_orders_of_one_id_the_one_shown_is_credited(engine: Engine) -> None:
    engine.write("orders", order("o", 1, placed_at=NOW_MS), order("o", 2, placed_at=NOW_MS - 1))
    engine.write("credits", credits("o", 1), credits("o", 2))
    assert engine.rows("SELECT count(), toString(any(person_id)) FROM onethread.credits") == [
        (18, "00000000-0000-0000-0000-000000000002")]


def test_people_are_acquired_by_the_way_to_their_first_order_else_by_their_first_touch(engine: Engine) -> None:
    engine.write("persons", *(
        row("persons", person_id=person(n), acquired_at=NOW_MS - 9, acquisition_channel="email",
            acquisition_campaign="letters")
        for n in (1, 2)
    ))
    engine.write("orders", order("late", placed_at=NOW_MS + 1), order("o"))
    engine.write(
        "credits", credits("late", placed_at=NOW_MS + 1, acquisition_channel="web", acquired_at=NOW_MS),
        credits("o", acquisition_channel="ads", acquisition_source="google", acquisition_medium="cpc",
                acquisition_campaign="spring", acquired_at=NOW_MS - 3),
    )
    def at(ms: int) -> datetime:
        return datetime.fromtimestamp(ms / 1000, UTC).replace(tzinfo=None)

    assert engine.rows("""
        SELECT acquired_at, acquisition_channel, acquisition_source, acquisition_medium, acquisition_campaign
        FROM onethread.persons ORDER BY toString(person_id)""") == [
        (at(NOW_MS - 3), "ads", "google", "cpc", "spring"), (at(NOW_MS - 9), "email", None, None, "letters"),
    ]
