"""`onethread rebuild` on the real stack: a ClickHouse that lost everything shows again what it showed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from deploy.local import stack
from deploy.local.ports import Addresses
from examples.sample import golden, lines
from sinks.clickhouse import rebuilding
from sinks.clickhouse.client import connect
from sinks.clickhouse.migrations import PARAMETERISED, VIEWS
from tests.integration.pipeline import assert_as_expected, await_rest
from tests.integration.test_governing import ROOT, onethread
from tests.integration.test_pipeline import _emit, _good, _loading, addresses  # noqa: F401 - a fixture

pytestmark = pytest.mark.stack

KEPT_BY_TOPICS = {"merges", "identifier_history", "dead_letters", "identifier_notes", "unidentifiable", "rates"}
"""What no state can tell."""


def views(at: Addresses) -> dict[str, Counter[str]]:
    """Every row of every view, as text."""
    client = connect(at.clickhouse_url)
    return {
        view: Counter(repr(row) for row in client.query(f"SELECT * FROM onethread.{view}").result_rows)
        for view in VIEWS if view not in PARAMETERISED
    }


def rebuild_killed(at: Addresses) -> None:
    """A rebuild that ends in the middle, by a signal."""
    command = subprocess.Popen([sys.executable, "-m", "cli.main", "rebuild"], cwd=ROOT, env=os.environ)
    client = connect(at.clickhouse_url)
    until = time.monotonic() + 60
    while time.monotonic() < until and command.poll() is None:
        names = rebuilding.under_way(client)
        if names and rebuilding.rows(client, rebuilding.database_of(names[0])):
            break
        time.sleep(0.05)
    command.send_signal(signal.SIGKILL)
    command.wait()


@pytest.mark.timeout(900)
def test_a_clickhouse_that_lost_everything_is_built_again_while_events_flow(
    addresses: Addresses, tmp_path: Path,  # noqa: F811
) -> None:
    told = list(lines(people=8))
    good = _good(iter(told))
    half = len(good) // 2
    rates = tmp_path / "rates.jsonl"
    rates.write_text(json.dumps({"day": "2026-01-01", "currency": "EUR", "rate": "42.5"}) + "\n")
    stack.start(addresses, 2)
    try:
        _emit(addresses, good[:half])
        bad = [line.encode() for line in told if line.encode() not in set(good)]
        _emit(addresses, bad)
        onethread("load", "rates", str(rates))
        await_rest(addresses)
        before = views(addresses)
        assert all(before[view] for view in KEPT_BY_TOPICS)

        stack.stop(addresses.home)
        shutil.rmtree(addresses.home / "clickhouse")
        stack.start(addresses, 2)
        with _loading(addresses, good[half:], rate=100):
            onethread("rebuild")
        await_rest(addresses)
        assert_as_expected(addresses, good)
        grown = views(addresses)
        for view in KEPT_BY_TOPICS - {"identifier_history"}:  # whose last rows ended meanwhile
            assert not before[view] - grown[view], f"{view} lost rows"

        client = connect(addresses.clickhouse_url)
        client.command("TRUNCATE TABLE onethread.facts_orders")
        client.command("INSERT INTO onethread.facts_persons SELECT * REPLACE (generateUUIDv4() AS person_id) "
                       "FROM onethread.facts_persons LIMIT 3")
        assert views(addresses) != grown
        rebuild_killed(addresses)
        assert json.loads(onethread("status", "--json"))["rebuilding"]
        erase = ("erase", f"phone:{golden.PHONE}", "--reason", "asked for it", "--yes")
        assert "a rebuild is under way" in onethread(*erase, code=1)
        assert "rebuilt" in onethread("rebuild")
        again = views(addresses)
        assert {view: again[view] - grown[view] for view in grown if again[view] != grown[view]} == {}
        assert again == grown
        assert rebuilding.under_way(client) == []
        assert not json.loads(onethread("status", "--json"))["rebuilding"]
        assert "no rebuild is under way" in onethread("rebuild", "--cancel")

        onethread(*erase)
        await_rest(addresses)
        without = views(addresses)
        onethread("rebuild")
        again = views(addresses)
        assert {view: again[view] - without[view] for view in without if again[view] != without[view]} == {}
        assert again == without
        assert "no such phone" in onethread("who", f"phone:{golden.PHONE}", code=1)
    finally:
        stack.stop(addresses.home)
