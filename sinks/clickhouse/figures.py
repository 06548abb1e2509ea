"""What is asked of ClickHouse beside the state of one person: figures on everybody, and predictions by person."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from clickhouse_connect.driver.client import Client

from sinks.clickhouse.profile import select

GAP = """
SELECT quantileExactInclusiveArray(0.5)(gaps) AS gap, sum(length(gaps)) AS pauses
FROM (
    WITH (SELECT ifNull(nullIf(reporting_zone, ''), 'UTC') FROM onethread.settings) AS zone
    SELECT arrayPopFront(arrayDifference(
        arraySort(groupUniqArray(toInt32(toDate32(assumeNotNull(placed_at), assumeNotNull(zone)))))
    )) AS gaps
    FROM onethread.counted_orders
    WHERE person_id IN (SELECT person_id FROM onethread.facts_persons FINAL WHERE known AND NOT shared)
    GROUP BY person_id
)
"""


def usual_gap_days(client: Client) -> float | None:
    """The median pause of all people between days of orders; None without any. As the view `persons` has it.

    Errors: clickhouse_connect's DatabaseError, here and below. Cost: a pass over all orders.
    """
    row = select(client, GAP)[0]
    return float(row["gap"]) if row["pauses"] else None


def rates(client: Client) -> dict[str, list[tuple[date, Decimal]]]:
    """Of each currency (day, what one unit is worth in the reporting currency), by day."""
    found: dict[str, list[tuple[date, Decimal]]] = defaultdict(list)
    for row in select(client, "SELECT currency, day, rate FROM onethread.facts_rates FINAL ORDER BY currency, day"):
        found[row["currency"]].append((row["day"], row["rate"]))
    return dict(found)


PREDICTIONS = """
SELECT person_id, predicted_orders, predicted_revenue, predicted_margin FROM onethread.batch_predictions
WHERE run_id = {run:UUID}"""


def predictions(client: Client, run_id: UUID, person_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """What a run of LTV predicts of some persons, as the view `persons` shows it; who has no prediction is left out."""
    rows = select(client, f"{PREDICTIONS} AND person_id IN {{ids:Array(UUID)}}",
                  run=run_id, ids=[str(one) for one in person_ids])
    return {row.pop("person_id"): row for row in rows}


def all_predictions(client: Client, run_id: UUID, most: int) -> dict[UUID, dict[str, Any]]:
    """The same of everybody, of `most` persons at most."""
    rows = select(client, f"{PREDICTIONS} LIMIT {{most:UInt32}}", run=run_id, most=most)
    return {row.pop("person_id"): row for row in rows}
