"""The view of journeys: what depends on the present, and the money of the order that ended one."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from sinks.clickhouse import migrations
from streams.settings import Settings
from tests.unit.sinks.clickhouse.conftest import Engine, person, row

NOW_MS = 1_767_225_600_000  # 2026-01-01
GAP_MS = 30 * 86_400_000
HOUR_MS = 3_600_000


@pytest.fixture
def at_new_year(engine: Engine) -> Iterator[Engine]:
    migrations.apply(engine.url, Settings(as_of="2026-01-01"))
    yield engine
    migrations.apply(engine.url, Settings())


def journey(number: int, **values: Any) -> list[Any]:
    return row("journeys", person_id=person(1), journey_id=person(number), **values)


def test_open_until_more_than_the_gap_has_passed(at_new_year: Engine) -> None:
    at_new_year.write(
        "journeys", journey(1, last_step_at=NOW_MS - GAP_MS), journey(2, last_step_at=NOW_MS - GAP_MS - 1),
        journey(3, last_step_at=NOW_MS - 2 * GAP_MS, order_id="o"), journey(4, last_step_at=NOW_MS, order_id="p"),
    )
    ended = datetime.fromtimestamp((NOW_MS - GAP_MS - 1) / 1000, UTC).replace(tzinfo=None)
    assert at_new_year.rows(
        "SELECT outcome, ended_at IS NULL FROM onethread.journeys ORDER BY toString(journey_id)"
    ) == [("open", 1), ("abandoned", 0), ("converted", 0), ("converted", 0)]
    assert at_new_year.rows("SELECT ended_at FROM onethread.journeys WHERE outcome = 'abandoned'") == [(ended,)]


def test_a_message_is_an_obstacle_once_its_hour_is_over(at_new_year: Engine) -> None:
    at_new_year.write(
        "journeys", journey(1, obstacles=["complaint"], unanswered_at=NOW_MS - HOUR_MS),
        journey(2, obstacles=["complaint"], unanswered_at=NOW_MS - HOUR_MS - 1), journey(3, obstacles=[]),
    )
    assert at_new_year.rows("SELECT obstacles FROM onethread.journeys ORDER BY toString(journey_id)") == [
        (["complaint"],), (["complaint", "message_unanswered"],), ([],),
    ]


def test_money_is_the_orders_of_the_same_person(at_new_year: Engine) -> None:
    at_new_year.write("orders", row("orders", person_id=person(1), order_id="o", revenue=12_345, currency="EUR",
                                    placed_at=NOW_MS))
    at_new_year.write("journeys", journey(1, order_id="o"), journey(2),
                      row("journeys", person_id=person(2), journey_id=person(3), order_id="o"))
    assert at_new_year.rows(
        "SELECT revenue, revenue_reporting, currency FROM onethread.journeys ORDER BY toString(journey_id)"
    ) == [(Decimal("1.2345"), Decimal("1.2345"), "EUR"), (None, None, None), (None, None, None)]


def test_where_people_change_channel_and_where_they_are_lost(at_new_year: Engine) -> None:
    """As analysts type it: parallel arrays, outcome, the last switch of each journey."""
    old = NOW_MS - 2 * GAP_MS
    at_new_year.write(
        "journeys", journey(1, path=["web", "chat"], path_at=[old, old + 2000], last_step_at=old),
        journey(2, path=["web", "chat", "ads"], path_at=[old, old + 4000, old + 9000], order_id="o"),
        journey(3, path=["web", "chat"], path_at=[NOW_MS, NOW_MS], last_step_at=NOW_MS),
    )
    assert at_new_year.rows("""
        SELECT from_channel, to_channel, count() AS switches, countIf(outcome = 'converted') AS in_converted,
               countIf(outcome = 'abandoned' AND is_last) AS lost_here, round(lost_here / switches, 3) AS lost_share,
               round(median(gap_s)) AS median_gap_s
        FROM (SELECT outcome, arrayJoin(arrayMap(i -> (path[i], path[i+1], i + 1 = length(path),
                         dateDiff('second', path_at[i], path_at[i+1])), range(1, length(path)))) AS x,
                     x.1 AS from_channel, x.2 AS to_channel, x.3 AS is_last, x.4 AS gap_s
              FROM onethread.journeys WHERE outcome != 'open')
        GROUP BY from_channel, to_channel ORDER BY lost_here DESC, switches DESC
    """) == [("web", "chat", 2, 1, 1, 0.5, 3.0), ("chat", "ads", 1, 1, 0, 0.0, 5.0)]
