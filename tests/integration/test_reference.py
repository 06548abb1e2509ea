"""Reference records through a whole stack: a file, the command line, the rows of the views."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.ports import Addresses
from sinks.clickhouse.client import connect
from tests.integration.pipeline import await_rest

ROOT = Path(__file__).parents[2]


def load(name: str, file: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "cli.main", "load", name, str(file)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.mark.stack
def test_what_is_loaded_is_seen_after_settle_and_the_last_value_wins(running_stack: Addresses, tmp_path: Path) -> None:
    file = tmp_path / "stores.csv"
    stores = [f"S{n},Store {n},Europe/Kyiv" for n in range(500)]
    file.write_text("\n".join(["store_id,name,zone", *stores, "S7,Renamed,Europe/Kyiv"]))
    told = load("stores", file)
    assert (told.returncode, told.stderr) == (0, "loaded 501 stores\n")
    file.write_text('{"store_id": "S8", "name": "Another"}\n')
    assert load("stores", file).returncode == 0
    file.write_text('{"store_id": "S9", "zone": "Mars"}\n')
    refused = load("stores", file)
    assert refused.returncode == 1
    assert f"{file}:1: zone: expected an IANA time zone" in refused.stderr
    await_rest(running_stack)
    rows = connect(running_stack.clickhouse_url).query(
        "SELECT count(), groupArrayIf((store_id, name, zone), store_id IN ('S7', 'S8', 'S9')) FROM"
        " (SELECT * FROM onethread.stores ORDER BY store_id)"
    ).result_rows
    assert rows == [(500, [
        ("S7", "Renamed", "Europe/Kyiv"), ("S8", "Another", None), ("S9", "Store 9", "Europe/Kyiv"),
    ])]
