"""The sink over HTTP, as a worker uses it: the server goes away in the middle and comes back, and no row is lost or
doubled."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sinks.clickhouse import crediting, fitting, migrations, runs
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


def test_models_read_and_write_over_http(start: Start, url: str) -> None:
    """The same queries as in the engine itself: parameters, Arrow both ways, dropped partitions."""
    start()
    migrations.apply(url, Settings())
    write = Writer(url).write
    numbers = range(1, 31)
    write([
        Rows("persons", [row("persons", person_id=person(n), shared=False) for n in numbers]),
        Rows("orders", [
            row("orders", person_id=person(n), order_id=f"{n}/{day}", placed_at=day * (20 + n % 7) * 86_400_000,
                status="placed", person_shared=False, currency="EUR", revenue=(10 + n % 5 + day) * 10_000)
            for n in numbers for day in (1, 2, 3)]),
        Rows("credits", [
            row("credits", person_id=person(n), order_id=f"{n}/1", event_ids=["a", "b"], touches=["visit", "visit"],
                ats=[1, 2], channels=["web", "pos"], campaign_sources=["", ""], campaign_mediums=["", ""],
                campaign_names=["", ""], **{model: [0, 10**12] for model in RULE_MODELS})
            for n in numbers]),
    ])
    client = connect(url)
    for _ in range(runs.RUNS_KEPT + 1):
        run, _ = crediting.attribute(client, "markov", "channel")
    assert client.query("SELECT uniqExact(run_id), count() FROM onethread.model_credits").result_rows == [
        (runs.RUNS_KEPT, runs.RUNS_KEPT * 60)]
    assert client.query("SELECT sum(credit) FROM onethread.model_credits WHERE run_id = {id:UUID}",
                        parameters={"id": str(run.run_id)}).result_rows == [(30,)]
    assert fitting.fit(client, datetime(1970, 4, 1, tzinfo=UTC)).parameters["customers"] == "30"
    assert fitting.predict(client).parameters["kind"] == "predict"
    assert client.query("SELECT count() FROM onethread.persons WHERE predicted_orders > 0").result_rows == [(30,)]


RULE_MODELS = ("first", "last", "last_non_direct", "linear", "time_decay", "position")
