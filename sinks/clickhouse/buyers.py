"""Who bought what, as the models of LTV take it from the view `counted_orders`, and what they predict, written back."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
from clickhouse_connect.driver.client import Client

from analytics.lifetime import Predictions
from analytics.purchases import Floats, Purchases
from sinks.clickhouse.runs import Run, finish

PEOPLE = "SELECT person_id FROM onethread.facts_persons FINAL WHERE known AND NOT shared"

_PURCHASES = f"""
SELECT person_id,
    groupArray(toInt32(toDate32(assumeNotNull(placed_at), {{zone:String}}))) AS days,
    groupArray(toFloat64(assumeNotNull(revenue_reporting))) AS amounts,
    toFloat64(ifNull(sumIf(margin * rate, margin IS NOT NULL), 0)) AS margins,
    toFloat64(ifNull(sumIf(revenue_reporting, margin IS NOT NULL), 0)) AS of_revenue
FROM onethread.counted_orders
WHERE revenue_reporting > 0 AND suspected_duplicate_of IS NULL
    AND placed_at <= {{as_of:DateTime64(3, 'UTC')}} AND person_id IN ({PEOPLE})
GROUP BY person_id ORDER BY person_id
"""


@dataclass(frozen=True)
class Buyers:
    """Who bought what up to a moment: people with a purchase, numbered in the order of `person_ids`."""

    person_ids: pa.Array
    purchases: Purchases
    """Days counted from 1970-01-01, in the reporting zone."""
    margin_ratio: Floats
    """Margin as a part of revenue: the person's own where its orders tell any, else that of all, else NaN."""


def buyers(client: Client, as_of: datetime, zone: str) -> Buyers:
    """The purchases that LTV is made of.

    Rule: counted orders of people, placed up to as_of, with revenue in the reporting currency of more than nothing,
    suspected duplicates left out.
    Cost: one reading of the orders; a million of them take some seconds.
    """
    found = client.query_arrow(_PURCHASES, parameters={"zone": zone, "as_of": as_of})
    ids, days, amounts, margins, revenues = (column.combine_chunks() for column in found.columns)
    lengths = np.diff(days.offsets.to_numpy())
    purchases = Purchases(
        np.repeat(np.arange(len(ids), dtype=np.int64), lengths), _flat(days).astype(np.int64), _flat(amounts))
    margin, revenue = margins.to_numpy(zero_copy_only=False), revenues.to_numpy(zero_copy_only=False)
    of_all = np.sum(margin) / np.sum(revenue) if np.sum(revenue) else np.nan
    ratio = np.divide(margin, revenue, out=np.full(len(ids), of_all), where=revenue > 0)
    return Buyers(getattr(ids, "storage", ids), purchases, ratio)


def _flat(lists: pa.ListArray) -> Any:
    return lists.flatten().to_numpy(zero_copy_only=False)


def day_number(day: date) -> int:
    """The day as Buyers count days."""
    return day.toordinal() - date(1970, 1, 1).toordinal()


def write_predictions(client: Client, run: Run, person_ids: pa.Array, predictions: Predictions) -> None:
    """Keep a run of LTV with what it predicts for each person."""
    margin = pa.array(predictions.margin, mask=np.isnan(predictions.margin))
    rows = pa.table({
        "run_id": pa.array([run.run_id.bytes] * len(person_ids), pa.binary(16)), "person_id": person_ids,
        "predicted_orders": predictions.orders, "predicted_revenue": predictions.revenue, "predicted_margin": margin,
    })
    client.insert_arrow("onethread.batch_predictions", rows)
    finish(client, run)
