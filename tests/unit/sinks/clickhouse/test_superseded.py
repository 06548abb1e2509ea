"""Views that take touchpoints by what they say before versions are compared still follow the latest version."""

from collections.abc import Iterator
from typing import Any

import pytest

from sinks.clickhouse import migrations
from streams.settings import Settings
from tests.unit.sinks.clickhouse.conftest import Engine, person, row

NOW_MS = 1_767_225_600_000  # 2026-01-01
DAY_MS = 86_400_000

SAID: dict[str, dict[str, Any]] = {
    "in a store": {"type": "wifi_seen", "channel": "wifi", "role": "observation", "store_id": "S1"},
    "a cart": {"type": "cart_updated", "channel": "web", "skus": ["pan"]},
    "a wish": {"type": "back_in_stock_requested", "channel": "web", "skus": ["pan"]},
    "a cost": {"type": "ad_clicked", "channel": "ads", "campaign_name": "x", "cost": 10_000, "cost_currency": "EUR"},
    "a score": {"type": "feedback_given", "channel": "email", "score": 4.0, "scale_max": 5.0},
    "research": {"type": "page_viewed", "channel": "web"},
}
ASKED = {
    "in a store": "SELECT sum(seen) FROM onethread.store_funnel",
    "a cart": "SELECT count() FROM onethread.abandoned_carts",
    "a wish": "SELECT sum(persons) FROM onethread.lost_to_stock",
    "a cost": "SELECT count() FROM onethread.campaign_spend",
    "a score": "SELECT sum(answers) FROM onethread.satisfaction",
    "research": "SELECT max(researched) FROM onethread.ropo WHERE research_type = 'any'",
}


@pytest.fixture
def present(engine: Engine) -> Iterator[Engine]:
    """One person with a receipt, of whom six touchpoints tell six things, each asked by another view."""
    migrations.apply(engine.url, Settings(as_of="2026-01-01"))
    engine.write("persons", row("persons", person_id=person(1), known=True, shared=False))
    engine.write("orders", row(
        "orders", person_id=person(1), order_id="till:1", placed_at=NOW_MS - 2 * DAY_MS, placed_channel="pos",
        placed_store_id="S2", status="fulfilled", person_shared=False, currency="EUR", revenue=10_000, anonymous=False))
    engine.write("touchpoints", *(touch(1, name, said) for name, said in SAID.items()))
    yield engine
    migrations.apply(engine.url, Settings())


def touch(version: int, name: str, said: dict[str, Any], conflicts: int = 0) -> list[Any]:
    common = {"role": "interaction", "skus": [], "unavailable": [], "conflicts": conflicts, "channel": "web"}
    at_ms = NOW_MS - 5 * DAY_MS
    return row("touchpoints", version, person_id=person(1), event_id=name, occurred_at=at_ms, **common | said)


def answers(engine: Engine) -> dict[str, int]:
    return {name: int(engine.rows(query)[0][0]) for name, query in ASKED.items()}


def test_a_copy_of_other_content_takes_back_what_the_first_one_said(present: Engine) -> None:
    assert answers(present) == dict.fromkeys(SAID, 1)
    present.write("touchpoints", *(touch(2, name, {"type": "form_submitted"}, conflicts=1) for name in SAID))
    assert answers(present) == dict.fromkeys(SAID, 0)


def test_a_touchpoint_that_went_to_another_person_says_nothing_here(present: Engine) -> None:
    present.write("touchpoints", gone=tuple([2, person(1), name] for name in SAID))
    assert answers(present) == dict.fromkeys(SAID, 0)
