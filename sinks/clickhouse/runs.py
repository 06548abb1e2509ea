"""Runs of batch models, as they are kept.

A run is written whole or not seen: what it found goes in first, its row in batch_runs last, and the views show only
runs that have one. Of each model, basis and kind (fit, predict) the last RUNS_KEPT stay.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from clickhouse_connect.driver.client import Client

from sinks.clickhouse import cluster
from sinks.clickhouse.profile import select

LTV = "ltv"
RUNS_KEPT = 10


@dataclass(frozen=True)
class Run:
    """One run of a model, as it is kept."""

    run_id: UUID
    model: str
    at: datetime
    as_of: datetime
    parameters: dict[str, str]
    report: dict[str, Any] = field(default_factory=dict)


def present(client: Client) -> tuple[datetime, str]:
    """(as_of, reporting zone) of the views. Errors: clickhouse_connect's DatabaseError, here and below."""
    row = select(client, "SELECT as_of, reporting_zone FROM onethread.settings")[0]
    return row["as_of"], row["reporting_zone"]


def last_run(client: Client, model: str) -> Run | None:
    """The latest run of a model; None before the first."""
    rows = select(client, """
        SELECT run_id, model, at, as_of, parameters, report FROM onethread.batch_runs
        WHERE model = {model:String} ORDER BY at DESC, run_id LIMIT 1""", model=model)
    if not rows:
        return None
    row = rows[0]
    return Run(row["run_id"], row["model"], row["at"], row["as_of"], row["parameters"], json.loads(row["report"]))


def last_fit_at(client: Client) -> datetime:
    """When LTV was last fitted, not only predicted; 1970 before the first time."""
    rows = select(client, """
        SELECT max(at) AS at FROM onethread.batch_runs WHERE model = {model:String} AND parameters['kind'] = 'fit'
        """, model=LTV)
    at: datetime = rows[0]["at"]
    return at


def finish(client: Client, run: Run) -> None:
    """The run is there from now on; those before it that nobody will ask for go."""
    client.insert("onethread.batch_runs", [
        [run.run_id, run.model, run.at, run.as_of, run.parameters, json.dumps(run.report, sort_keys=True)]])
    old = select(client, """
        SELECT run_id FROM onethread.batch_runs
        WHERE model = {model:String} AND parameters['by'] = {by:String} AND parameters['kind'] = {kind:String}
        ORDER BY at DESC, run_id LIMIT 1000 OFFSET {kept:UInt64}""",
        model=run.model, by=run.parameters.get("by", ""), kind=run.parameters.get("kind", ""), kept=RUNS_KEPT)
    for row in old:
        run_id = row["run_id"]
        for table in ("batch_runs", "batch_weights"):
            cluster.run(client, f"DELETE FROM onethread.{table} WHERE run_id = {{id:UUID}}",
                        parameters={"id": str(run_id)})
        for table in ("batch_order_credits", "batch_predictions"):
            cluster.run(client, f"ALTER TABLE onethread.{table} DROP PARTITION '{run_id}'")
