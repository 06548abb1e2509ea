"""Faults that need no stack to be looked at: a torn store, a clock that jumps."""

import os
import signal
import subprocess
import sys
import time
from random import Random
from types import SimpleNamespace

import pytest

from deploy.local import orders, rolling
from streams.errors import OneThreadError
from tests.chaos.deployment import CLOCK
from tests.chaos.faults import AHEAD_S, commanded, membership, tear
from tests.chaos.plan import KINDS, Fault

FILES = {"CURRENT": b"MANIFEST-000005\n", "MANIFEST-000005": b"m" * 500, "000009.sst": b"a" * 900,
         "000011.sst": b"b" * 900}


@pytest.mark.parametrize(("how", "changed"), [
    ("file cut off", {"000011.sst"}),
    ("file garbled", {"000011.sst"}),
    ("file gone", {"000011.sst"}),
    ("manifest cut off", {"MANIFEST-000005"}),
    ("CURRENT gone", {"CURRENT"}),
    ("all gone", set(FILES)),
])
def test_each_way_of_tearing_damages_its_file_and_no_other(tmp_path, how, changed):
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    tear(tmp_path, how, Random(1))
    left = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert {name for name, content in FILES.items() if left.get(name) != content} == changed


def test_a_store_without_data_files_is_torn_at_its_manifest(tmp_path):
    (tmp_path / "MANIFEST-000005").write_bytes(b"m" * 500)
    tear(tmp_path, "file cut off", Random(1))
    assert (tmp_path / "MANIFEST-000005").stat().st_size < 500


@pytest.mark.parametrize(("how", "wanted"), [("added", 4), ("removed in order", 3)])
def test_workers_come_and_go_by_the_product_s_command(monkeypatch, how, wanted):
    asked = []
    monkeypatch.setattr(rolling, "scale", lambda addresses, number: asked.append((addresses, number)))
    with membership(SimpleNamespace(direct="there"), Fault(1, "", "worker-3", how, 0.0)):
        assert asked == [("there", wanted)]


def test_a_worker_that_is_removed_by_a_kill_does_not_come_back(tmp_path):
    killed = []
    stack = SimpleNamespace(home=tmp_path, signal=lambda name, number: killed.append((name, number)))
    with membership(stack, Fault(1, "", "worker-3", "removed by a kill", 0.0)):
        assert orders.take(tmp_path).workers == 3
    assert killed == [("worker-3", signal.SIGKILL)]


def test_a_command_that_refuses_ends_no_run(capsys):
    def refuse():
        raise OneThreadError("not every worker works")

    commanded(refuse)
    assert "not every worker works" in capsys.readouterr().err


def test_all_ways_of_the_plan_are_known():
    assert AHEAD_S.keys() >= {*KINDS["clock jumped"].ways, *KINDS["collector's clock jumped"].ways}


def test_a_clock_jumps_while_its_process_runs(tmp_path):
    ahead = tmp_path / "clock"
    code = "import sys, time\nfor _ in sys.stdin: print(time.time(), time.time_ns() // 10**9, flush=True)"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          env={**os.environ, "PYTHONPATH": str(CLOCK), "CHAOS_CLOCK": str(ahead)}) as process:
        for seconds in (0, 3600, -86_400, 0):
            ahead.write_text(str(seconds))
            time.sleep(0.15)
            process.stdin.write("\n")
            process.stdin.flush()
            for told in process.stdout.readline().split():
                assert float(told) - time.time() == pytest.approx(seconds, abs=5)
        process.stdin.close()
