"""The measurements run and make sense in themselves; how fast anything is, is no test."""

import json
from pathlib import Path

import pytest

from deploy.bench.report import figures
from deploy.bench.run import Plan, run


@pytest.mark.stack
def test_every_figure_comes_out_of_one_run(tmp_path: Path) -> None:
    said: list[str] = []
    home = tmp_path / "home"
    document = run(Plan(events=400, people=40, seed=3, latency_s=2), home, keep=False, say=said.append)
    assert json.loads(json.dumps(document)) == document, "one JSON document"
    books = document["pipeline"]["books"]
    assert books == {
        "in": document["events"], "touchpoints": document["events"], "duplicates": 0, "dead_letters": 0,
        "unidentifiable": 0, "difference": 0,
    }
    assert document["floor"]["cpu_us"] > 0
    assert document["stitch"]["cpu_us"] > 0
    assert document["pipeline"]["events_s"] > 0
    assert document["latency"]["event"]["markers"] == 40
    assert document["latency"]["merge"]["markers"] == 10
    assert document["restore"]["records"] > 400, "an event changes more than one key"
    assert figures(document)[0].name.startswith("floor")
    assert said, "progress was told"
    assert not home.exists(), "the home was removed"
