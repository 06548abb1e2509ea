"""What is asked: every ready question as a whole, what analysts typed, and what the main views are asked all day."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client

from analytics.report.page import page
from sinks.clickhouse.profile import person_of, profile
from sinks.clickhouse.reporting import figures

READY = (
    "channel_mix", "white_spots", "identification", "channel_switches", "obstacles", "journey_paths", "ropo",
    "click_and_collect", "cohorts", "campaign_return", "win_back_return", "ltv_by_acquisition", "duplicate_orders",
    "duplicate_contacts", "abandoned_carts", "connectivity", "response_times", "said_again", "refused_returns",
    "satisfaction", "store_funnel", "channel_profile", "device_mix", "time_to_purchase", "price_differences",
    "lost_to_stock", "trait_coverage",
)
"""The ready questions: each view with all its columns and rows, of all time."""

_A_MONTH = "(from = '2026-05-01 00:00:00', to = '2026-06-01 00:00:00')"
_SOMEBODY = "(SELECT person_id FROM onethread.facts_identifiers WHERE value = 'identifier 3000' LIMIT 1)"

TYPICAL = {
    "persons: by status": "SELECT status, count() FROM persons WHERE known AND NOT shared GROUP BY status",
    "persons: how many": "SELECT count() FROM persons WHERE known AND NOT shared",
    "persons: all columns": "SELECT * FROM persons",
    "persons: one": f"SELECT * FROM persons WHERE person_id = {_SOMEBODY}",
    "persons: best hundred": "SELECT person_id, revenue FROM persons WHERE known ORDER BY revenue DESC LIMIT 100",
    "person_channels": "SELECT channel, count(), sum(orders), countIf(preferred) FROM person_channels GROUP BY channel",
    "touchpoints: by channel": "SELECT channel, type, count(), uniqExact(person_id) FROM touchpoints GROUP BY ALL",
    "touchpoints: one day": "SELECT * FROM touchpoints WHERE toDate(occurred_at) = '2026-05-20'",
    "touchpoints: one person": f"SELECT * FROM touchpoints WHERE person_id = {_SOMEBODY}",
    "sessions: by month": "SELECT toStartOfMonth(started_at), count(), avg(switches) FROM sessions GROUP BY 1",
    "journeys: by outcome": "SELECT outcome, count(), avg(days), sum(revenue_reporting) FROM journeys GROUP BY ALL",
    "orders: by month": "SELECT toStartOfMonth(placed_at) AS m, placed_channel, count(), sum(revenue_reporting) "
                        "FROM orders WHERE placed_at IS NOT NULL AND status != 'cancelled' GROUP BY ALL",
    "credits: by model": "SELECT model, channel, sum(credit), sum(revenue_reporting) FROM credits GROUP BY ALL",
    "credits: one model": "SELECT channel, sum(revenue_reporting) FROM credits WHERE model = 'linear' GROUP BY channel",
    **{f"{view}: one month": f"SELECT * FROM {view}_between{_A_MONTH}"
       for view in ("store_funnel", "abandoned_carts", "ropo", "channel_switches", "price_differences")},
}
"""Questions of the main views, and ready questions of a month."""


class Question(NamedTuple):
    """Something to ask, by its name."""

    name: str
    run: Callable[[Client, Mapping[str, Any]], object]


def questions(only: Sequence[str] = ()) -> list[Question]:
    """All of them, or those whose names begin so."""
    found = [
        *(_sql(view, f"SELECT * FROM {view}") for view in READY),
        *(_sql(name, text) for name, text in TYPICAL.items()),
        *(_sql(name, text) for name, text in typed().items()),
        Question("onethread who", _who),
        Question("onethread report", lambda client, _: page(figures(client))),
    ]
    return [one for one in found if not only or any(one.name.startswith(name) for name in only)]


def typed() -> dict[str, str]:
    """What analysts asked first: the queries of docs/sql/questions.md, by the first words of their titles."""
    text = (Path(__file__).parents[3] / "docs" / "sql" / "questions.md").read_text(encoding="utf-8")
    found = re.findall(r"^## ([^\n]+)\n```sql\n(.*?)```", text, re.MULTILINE | re.DOTALL)
    return {f"typed: {title[:24].strip()}": query for title, query in found}


def _sql(name: str, text: str) -> Question:
    def run(client: Client, settings: Mapping[str, Any]) -> None:
        client.raw_query(f"{text.strip()}\nFORMAT Null", settings={**settings, "database": "onethread"})

    return Question(name, run)


def _who(client: Client, _: Mapping[str, Any]) -> None:
    found = person_of(client, "customer_id", "identifier 3000")
    assert found is not None, "rows.sql has this identifier"
    profile(client, found)
