"""The life of a stack as a user sees it: the command line on real parts, in a home of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from deploy.local.ports import Addresses
from tests.conftest import PEPPER, free_base

ROOT = Path(__file__).parents[2]


class Shell:
    """Types `onethread …` with the environment of one stack."""

    def __init__(self, home: Path, **environ: str) -> None:
        self.addresses = Addresses(home, free_base())
        self.environ: Mapping[str, str] = {
            **os.environ, **self.addresses.environ(), "PYTHONPATH": str(ROOT), "ONETHREAD_PEPPER": PEPPER, **environ,
        }

    def __call__(self, *words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "cli.main", *words]
        return subprocess.run(command, env=self.environ, cwd=ROOT, capture_output=True, text=True, timeout=280)

    def status(self) -> dict[str, Any]:
        return json.loads(self("status", "--json").stdout)

    def pids(self) -> dict[str, int]:
        return {part["name"]: part["pid"] for part in self.status()["parts"]}


@pytest.fixture
def shell(tmp_path: Path) -> Any:
    made = Shell(tmp_path / "home")
    yield made
    made("down")


@pytest.mark.timeout(600)
def test_a_stack_starts_is_asked_stops_and_goes_on_where_it_was(shell: Shell) -> None:
    """One long story, because a start costs more than all its questions."""
    up = shell("up", "--detach")
    assert up.returncode == 0, up.stderr
    first = shell.pids()
    assert set(first) == {"supervisor", "kafka", "registry", "clickhouse", "collector", "worker-0"}

    again = shell("up", "--detach", "--workers", "3")
    assert (again.returncode, shell.pids()) == (0, first)

    assert shell("sql", "SELECT 1 + 1").stdout == "2\n"
    assert "UNKNOWN_IDENTIFIER" in shell("sql", "SELECT nothing").stderr
    assert "READONLY" in shell("sql", "CREATE TABLE onethread.kept (a Int8) ENGINE = Log").stderr
    written = shell("sql", "--write", "CREATE TABLE onethread.kept (a Int8) ENGINE = MergeTree ORDER BY a")
    assert written.returncode == 0, written.stderr
    assert shell("settle", "--timeout", "60").returncode == 0

    os.kill(first["supervisor"], signal.SIGKILL)
    told = shell("status")
    assert told.returncode == 1
    assert "killed" in told.stdout

    assert shell("down").returncode == 0
    assert not any(psutil.pid_exists(pid) for pid in first.values())
    assert "nothing running" in shell("down").stdout

    changed = Shell(shell.addresses.home, ONETHREAD_SESSION_GAP="45m")("up", "--detach")
    assert changed.returncode == 1
    assert "session_gap" in changed.stderr

    assert shell("up", "--detach").returncode == 0
    assert "kept" in shell("sql", "SHOW TABLES FROM onethread").stdout
    status = shell.status()
    assert status["books"]["difference"] == 0
    assert datetime.fromisoformat(status["as_of"]).tzinfo is UTC
    assert shell("down", "--wipe", "--yes").returncode == 0
    assert not shell.addresses.home.exists()


def test_without_a_stack_every_question_says_how_to_get_one(shell: Shell) -> None:
    for words in (["status"], ["sql", "SELECT 1"], ["settle"]):
        asked = shell(*words)
        assert asked.returncode == 1
        assert f'no stack in {shell.addresses.home}: run "onethread up", or set ONETHREAD_HOME' in asked.stderr


def test_a_port_in_use_is_told_with_who_uses_it(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", shell.addresses.registry)):
        up = shell("up", "--detach")
    assert up.returncode == 1
    assert f"port {shell.addresses.registry} (registry) is in use by pid {os.getpid()}" in up.stderr


def test_offline_without_a_cache_is_one_clear_line(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    shell = Shell(tmp_path / "home", ONETHREAD_CACHE=str(tmp_path / "cache"), https_proxy=nowhere, HTTPS_PROXY=nowhere)
    up = shell("up", "--detach")
    assert up.returncode == 1
    assert "cannot be downloaded from Maven Central" in up.stderr
    assert up.stderr.count("\n") == 1


def test_wipe_without_a_terminal_asks_for_yes(shell: Shell) -> None:
    shell.addresses.home.joinpath("run").mkdir(parents=True)
    refused = shell("down", "--wipe")
    assert refused.returncode == 2
    assert shell.addresses.home.exists()
