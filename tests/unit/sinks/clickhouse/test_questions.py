"""Questions as analysts type them, answered by the views on a handful of people settled by hand."""

from typing import Any

import pytest

from sinks.clickhouse import migrations
from streams.settings import Settings
from tests.unit.sinks.clickhouse.conftest import Engine, person, row

NOW_MS = 1_767_225_600_000  # 2026-01-01
MINUTE_MS = 60_000
DAY_MS = 86_400_000


@pytest.fixture
def sample(engine: Engine) -> Any:
    """1 buys online and in the store, 2 online (the rest is too old), 3 in the store; 4 is shared, 5 unknown."""
    migrations.apply(engine.url, Settings(as_of="2026-01-01"))
    engine.write("persons", *(row("persons", person_id=person(n), known=n != 5, shared=n == 4) for n in range(1, 6)))
    engine.write(
        "orders", order(1, "a", "web", 300), order(1, "b", "pos", 200), order(2, "c", "web", 50),
        order(2, "old", "pos", 999, days=400), order(3, "d", "pos", 100), order(3, "e", "pos", 500, status="cancelled"),
        order(4, "f", "pos", 700, person_shared=True), order(5, "g", "pos", 70),
        order(3, "h", "web", 0, paid_at=NOW_MS - DAY_MS, fulfilled_at=NOW_MS - DAY_MS + 13 * MINUTE_MS,
              fulfilment_method="pickup", fulfilled_store_id="S1", status="cancelled"),
    )
    engine.write("person_channels", *(
        row("person_channels", person_id=person(n), channel=channel, interactions=count)
        for n, channel, count in ((1, "web", 3), (1, "pos", 1), (2, "web", 1), (3, "pos", 4), (3, "sms", 0))))
    yield engine
    migrations.apply(engine.url, Settings())


def order(number: int, order_id: str, channel: str, revenue: int, days: int = 1, **values: Any) -> list[Any]:
    placed = {"placed_at": NOW_MS - days * DAY_MS, "placed_channel": channel, "status": "placed", "currency": "EUR",
              "person_shared": False, "revenue": revenue * 10_000}
    return row("orders", person_id=person(number), order_id=order_id, **placed | values)


def test_revenue_a_head_of_omnichannel_against_single_channel_buyers(sample: Engine) -> None:
    assert sample.rows("""
        WITH b AS (SELECT o.person_id, sum(o.revenue_reporting) AS revenue, uniqExact(c.family) AS families
                   FROM onethread.orders o JOIN onethread.persons p USING (person_id)
                   JOIN onethread.channels c ON c.channel = o.placed_channel, onethread.settings s
                   WHERE p.known AND NOT p.shared AND o.status != 'cancelled' AND c.family != 'other'
                     AND o.placed_at >= s.as_of - INTERVAL 12 MONTH
                   GROUP BY o.person_id)
        SELECT countIf(families > 1) AS omni, countIf(families = 1) AS single,
               round(avgIf(revenue, families > 1), 2) AS omni_head,
               round(avgIf(revenue, families = 1), 2) AS single_head,
               round(omni_head / single_head, 2) AS multiplier FROM b
    """) == [(1, 2, 500, 75, 6.67)]


def test_what_people_say_against_what_they_do(sample: Engine) -> None:
    assert sample.rows("""
        SELECT p.preferences['contact_channel'] AS stated, c.most_used, count() AS persons
        FROM onethread.persons p JOIN (
            SELECT person_id, argMax(channel, (interactions, channel)) AS most_used
            FROM onethread.person_channels WHERE interactions > 0 GROUP BY person_id) c USING (person_id)
        WHERE p.known AND NOT p.shared GROUP BY stated, most_used ORDER BY persons DESC
    """) == [("", "web", 2), ("", "pos", 1)]


def test_minutes_from_payment_to_pick_up(sample: Engine) -> None:
    assert sample.rows("""
        SELECT fulfilled_store_id AS store_id, count() AS collected,
               quantileExact(0.5)(dateDiff('minute', paid_at, fulfilled_at)) AS median_minutes,
               round(countIf(fulfilled_at <= paid_at + INTERVAL 15 MINUTE) / collected, 3) AS within_15
        FROM onethread.orders o JOIN onethread.channels c ON c.channel = o.placed_channel
        WHERE c.family = 'online' AND fulfilment_method = 'pickup' AND paid_at IS NOT NULL AND fulfilled_at IS NOT NULL
        GROUP BY store_id
    """) == [("S1", 1, 13, 1)]
