"""The ready questions about journeys, on six of them settled by hand: each page shows what its query answers."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sinks.clickhouse import migrations
from streams.settings import Settings
from tests.unit.sinks.clickhouse.conftest import Engine, person, row
from tests.unit.sinks.clickhouse.pages import printed, shown

QUESTIONS = ("channel_switches", "journey_paths", "obstacles", "time_to_purchase")


def at(text: str) -> int:
    """2026-02-03 10:05 as epoch milliseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def journey(number: int, *runs: tuple[str, str, str], order_id: str | None = None, **values: Any) -> list[Any]:
    """`runs` are (time, channel, device); the last is the journey's end."""
    times = [at(time) for time, _, _ in runs]
    told = {
        "started_at": times[0], "last_step_at": times[-1], "path": [channel for _, channel, _ in runs],
        "path_at": times,
        "path_touchpoints": [1] * len(runs), "path_devices": [device for _, _, device in runs],
        "channels": list(dict.fromkeys(channel for _, channel, _ in runs)), "touchpoints": len(runs),
        "start_channel": runs[0][1], "end_channel": runs[-1][1], "obstacles": [], "order_id": order_id,
    }
    return row("journeys", person_id=person(number), journey_id=person(number), **told | values)


def order(number: int, order_id: str, placed: str, revenue: int) -> list[Any]:
    return row("orders", person_id=person(number), order_id=order_id, placed_at=at(placed), placed_channel="pos",
               status="fulfilled", person_shared=False, currency="EUR", revenue=revenue * 10_000)


@pytest.fixture
def shop(engine: Engine) -> Iterator[Engine]:
    """As of March; the second and the fourth were abandoned, the last is open."""
    migrations.apply(engine.url, Settings(as_of="2026-03-01"))
    engine.write(
        "journeys",
        journey(1, ("2026-02-01 10:00", "web", "desktop"), ("2026-02-01 10:30", "chat", "desktop"),
                ("2026-02-02 10:30", "ads", "mobile"), ("2026-02-03 10:00", "pos", "pos"), order_id="o1"),
        journey(2, ("2026-01-10 10:00", "web", "desktop"), ("2026-01-10 11:00", "chat", "mobile"),
                unanswered_at=at("2026-01-10 11:00")),
        journey(3, ("2026-02-10 10:00", "web", "mobile"), ("2026-02-11 22:00", "pos", ""), order_id="o3",
                obstacles=["payment_failed"]),
        journey(4, ("2026-01-05 10:00", "web", "mobile"), obstacles=["payment_failed", "product_unavailable"]),
        journey(5, ("2026-02-12 10:00", "pos", "pos"), order_id="o5"),
        journey(6, ("2026-02-20 10:00", "web", "desktop"), ("2026-02-20 11:00", "chat", "desktop")),
    )
    engine.write("orders", order(1, "o1", "2026-02-03 10:00", 500), order(3, "o3", "2026-02-11 22:00", 100),
                 order(5, "o5", "2026-02-12 10:00", 40))
    yield engine
    migrations.apply(engine.url, Settings())


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_page_shows_what_its_query_answers(shop: Engine, name: str) -> None:
    query, table = shown(name)
    assert table == printed(shop.client.query(query))


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_of_a_period_begins_with_its_first_instant_and_ends_before_its_last(shop: Engine, name: str) -> None:
    first, last = datetime(2026, 1, 5, 10), datetime(2026, 3, 1)
    whole = shop.rows(f"SELECT * FROM onethread.{name} ORDER BY ALL")
    assert whole
    assert shop.rows(f"SELECT * FROM onethread.{name}_between(from = '{first}', to = '{last}') ORDER BY ALL") == whole
    assert shop.rows(f"SELECT * FROM onethread.{name}_between(from = '{last}', to = '{last + timedelta(1)}')") == []
