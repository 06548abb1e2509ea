"""What batch models read from the views, and how their runs are written back.

A run is written whole or not seen: what it found goes in first, its row in batch_runs last, and the views show only
runs that have one. Of each model and basis the last RUNS_KEPT stay.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
from clickhouse_connect.driver.client import Client

from analytics.lifetime import Predictions
from analytics.purchases import Floats, Purchases
from sinks.clickhouse.profile import select

LTV = "ltv"
RUNS_KEPT = 10

COUNTED = "placed_at IS NOT NULL AND status != 'cancelled' AND NOT person_shared"
"""Counted orders, of the view `orders`."""

PEOPLE = "SELECT person_id FROM onethread.facts_persons FINAL WHERE known AND NOT shared"

_PURCHASES = f"""
SELECT person_id,
    groupArray(toInt32(toDate32(assumeNotNull(placed_at), {{zone:String}}))) AS days,
    groupArray(toFloat64(assumeNotNull(revenue_reporting))) AS amounts,
    toFloat64(sumIf(toDecimal128(margin, 4) * toDecimal128(revenue_reporting, 4), margin IS NOT NULL)) AS margins,
    toFloat64(sumIf(toDecimal128(revenue, 4) * toDecimal128(revenue_reporting, 4), margin IS NOT NULL)) AS of_revenue
FROM onethread.orders
WHERE {COUNTED} AND revenue_reporting > 0 AND revenue > 0 AND suspected_duplicate_of IS NULL
    AND placed_at <= {{as_of:DateTime64(3, 'UTC')}} AND person_id IN ({PEOPLE})
GROUP BY person_id ORDER BY person_id
"""


@dataclass(frozen=True)
class Run:
    """One run of a model, as it is kept."""

    run_id: UUID
    model: str
    at: datetime
    as_of: datetime
    parameters: dict[str, str]
    report: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Buyers:
    """Who bought what up to a moment: people with a purchase, numbered in the order of `person_ids`."""

    person_ids: pa.Array
    purchases: Purchases
    """Days counted from 1970-01-01, in the reporting zone."""
    margin_ratio: Floats
    """Margin as a part of revenue: the person's own where its orders tell any, else that of all; NaN where none does."""


def present(client: Client) -> tuple[datetime, str]:
    """(as_of, reporting zone) of the views. Errors: clickhouse_connect's DatabaseError, here and below."""
    row = select(client, "SELECT as_of, reporting_zone FROM onethread.settings")[0]
    return row["as_of"], row["reporting_zone"]


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
    _finish(client, run)


def last_run(client: Client, model: str) -> Run | None:
    """The latest run of a model; None before the first."""
    rows = select(client, """
        SELECT run_id, model, at, as_of, parameters, report FROM onethread.batch_runs
        WHERE model = {model:String} ORDER BY at DESC, run_id LIMIT 1""", model=model)
    if not rows:
        return None
    row = rows[0]
    return Run(row["run_id"], row["model"], row["at"], row["as_of"], row["parameters"], json.loads(row["report"]))


@dataclass(frozen=True)
class Weight:
    """What a model found of a channel or a campaign."""

    weight: Decimal
    """The removal effect, or the Shapley value as a part of all conversions."""
    share: Decimal
    """Of all weights."""
    conversions: float
    """The share, in conversions."""


def write_weights(client: Client, run: Run, weights: Mapping[str, Weight]) -> None:
    """Keep a run of attribution, whose credits are there already."""
    if weights:
        client.insert("onethread.batch_weights", [
            [run.run_id, name, found.weight, found.share, found.conversions] for name, found in sorted(weights.items())
        ])
    _finish(client, run)


def _finish(client: Client, run: Run) -> None:
    """The run is there from now on; those before it that nobody will ask for go."""
    client.insert("onethread.batch_runs", [
        [run.run_id, run.model, run.at, run.as_of, run.parameters, json.dumps(run.report, sort_keys=True)]])
    old = select(client, """
        SELECT run_id FROM onethread.batch_runs
        WHERE model = {model:String} AND parameters['by'] = {by:String}
        ORDER BY at DESC, run_id LIMIT 1000 OFFSET {kept:UInt64}""",
        model=run.model, by=run.parameters.get("by", ""), kept=RUNS_KEPT)
    for row in old:
        run_id = row["run_id"]
        client.command("DELETE FROM onethread.batch_runs WHERE run_id = {id:UUID}", parameters={"id": str(run_id)})
        client.command("DELETE FROM onethread.batch_weights WHERE run_id = {id:UUID}", parameters={"id": str(run_id)})
        for table in ("batch_credits", "batch_predictions"):
            client.command(f"ALTER TABLE onethread.{table} DROP PARTITION '{run_id}'")
