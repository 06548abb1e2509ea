"""The measurement at scale runs, fills every table it names, asks every ready view; how fast it is, is no test."""

import json
from pathlib import Path

import pytest

from deploy.bench.scale.__main__ import main
from deploy.bench.scale.filling import tables
from deploy.bench.scale.questions import READY, typed
from sinks.clickhouse.columns import TABLES
from sinks.clickhouse.migrations import VIEWS

READ = {"persons", "touchpoints", "sessions", "visits", "journeys", "orders", "order_items", "credits", "conversations"}


def test_rows_are_made_for_every_table_that_costs() -> None:
    made = {table.name: table.rows for table in tables(persons=1000)}
    assert made["touchpoints"] == 10_000
    assert READ <= made.keys() <= TABLES.keys()


def test_every_ready_view_is_asked_and_every_typed_question() -> None:
    assert set(READY) <= set(VIEWS)
    assert len(typed()) == 8


def test_questions_are_answered_over_rows_made_small(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--persons", "1200", "--path", str(tmp_path), "--only", "ropo", "persons: one", "--json"]) == 0
    answered = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in answered] == ["ropo", "persons: one", "ropo: one month"]
    assert all(one["seconds"] > 0 and not one["error"] for one in answered)
