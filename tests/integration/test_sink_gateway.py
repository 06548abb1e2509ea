"""The sink over HTTP, as a worker uses it: the server goes away in the middle and comes back, and no row is lost or
doubled."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sinks.clickhouse import migrations
from sinks.clickhouse.client import connect
from sinks.clickhouse.columns import TABLES, Rows, physical
from sinks.clickhouse.writer import Writer
from streams.errors import Retryable
from streams.settings import Settings
from tests.unit.sinks.clickhouse.conftest import person, row

Start = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


@pytest.fixture
def start(port: int, url: str, tmp_path: Path) -> Iterator[Start]:
    """Starts the gateway on the same data each time it is called; ends those that still run."""
    started: list[subprocess.Popen[bytes]] = []

    def gateway() -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "deploy.local.gateway", "--path", str(tmp_path / "data"), "--port", str(port)]
        with (tmp_path / "gateway.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        started.append(process)
        _wait_for(url, process)
        return process

    yield gateway
    for process in started:
        process.kill()
        process.wait()


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while True:
        assert process.poll() is None, "the gateway ended: see gateway.log"
        try:
            connect(url).close()
            return
        except Exception:
            assert time.monotonic() < deadline, "the gateway does not answer"
            time.sleep(0.1)


def _touchpoints(numbers: range, version: int) -> list[Rows]:
    return [Rows("touchpoints", [row("touchpoints", version, person_id=person(n % 7), event_id=str(n), skus=["a", "b"])
                                 for n in numbers])]


def test_rows_are_exact_after_the_server_was_killed_and_came_back(start: Start, url: str) -> None:
    first = start()
    migrations.apply(url, Settings())
    writer = Writer(url)
    writer.write(_touchpoints(range(100), 1))
    first.kill()
    first.wait()
    with pytest.raises(Retryable):
        writer.write(_touchpoints(range(50, 200), 1))
    start()
    migrations.apply(url, Settings())
    writer.write(_touchpoints(range(50, 200), 1))
    writer.write([Rows("touchpoints", [], [[2, person(3), "3"]])])
    client = connect(url)
    assert client.query("SELECT count(), uniqExact(event_id), countIf(event_id = '3'), sum(copies), any(skus)"
                        " FROM onethread.touchpoints").result_rows == [(199, 199, 0, 199, ["a", "b"])]


def test_every_table_takes_rows_over_http_and_several_migrate_at_once(start: Start, url: str) -> None:
    start()
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: migrations.apply(url, Settings()), range(3)))
    Writer(url).write([Rows(name, [row(name)]) for name in TABLES])
    client = connect(url)
    assert {name: client.query(f"SELECT count() FROM onethread.{physical(name)}").result_rows[0][0]
            for name in TABLES} == dict.fromkeys(TABLES, 1)
    assert client.query("SELECT count() FROM onethread.channels").result_rows[0][0] > 20
