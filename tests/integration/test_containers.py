"""A deployment in containers, without containers: the commands and environments of deploy/compose.yaml, run as they
stand there, with addresses of this machine and homes of their own.

What a container adds is left out: names, a file system that is read only, users. What is tested is that each process
needs nothing else than what its file tells it, that they find each other, and that commands work from outside.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.ports import HOST, Addresses
from sinks.clickhouse.client import connect
from tests.conftest import PEPPER, free_base
from tests.unit.deploy.manifests import CHECKOUT, environ, services

PATIENCE_S = 90.0
EVENT = {"event_id": "c1", "type": "page_viewed", "occurred_at": "2026-02-01T10:00:00Z", "channel": "web",
         "identifiers": [{"kind": "email", "value": "c1@example.com"}]}


@dataclass
class Site:
    """Where the services of this machine are, and the folder of all homes."""

    folder: Path
    collector: int
    worker: int
    told: Mapping[str, str]

    def environ(self, service: str, home: str) -> dict[str, str]:
        """What the file says, but for addresses, the number of brokers, and ClickHouse's password and cluster."""
        found = environ(service)
        left_out = {"ONETHREAD_CLICKHOUSE_USER", "ONETHREAD_CLICKHOUSE_PASSWORD_FILE"}
        own = {name: value for name, value in found.items() if name not in left_out}
        assert self.told.keys() - own.keys() <= {"ONETHREAD_PORT_BASE", "ONETHREAD_TOPIC_PREFIX"}
        mine = {name: value for name, value in os.environ.items() if not name.startswith("ONETHREAD_")}
        return {**mine, **own, **self.told, "ONETHREAD_HOME": str(self.folder / home), "PYTHONPATH": str(CHECKOUT)}

    def start(self, service: str, home: str) -> "subprocess.Popen[bytes]":
        _, *command = services()[service]["command"]
        with (self.folder / f"{service}.log").open("wb") as log:
            return subprocess.Popen([sys.executable, *command], env=self.environ(service, home), cwd=self.folder,
                                    stdout=log, stderr=log)

    def onethread(self, *words: str) -> str:
        """A command typed where `prepare` runs."""
        done = subprocess.run([sys.executable, "-m", "cli.main", *words], env=self.environ("prepare", "home"),
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def site(broker: Addresses, clickhouse: Addresses, tmp_path: Path) -> Iterator[Site]:
    base = free_base()
    (tmp_path / "pepper").write_text(PEPPER + "\n")
    (tmp_path / "home").mkdir()
    had_tables = _databases(clickhouse)
    yield Site(tmp_path, base, base + 10, {
        "ONETHREAD_KAFKA": broker.kafka_bootstrap, "ONETHREAD_REGISTRY": broker.registry_url,
        "ONETHREAD_CLICKHOUSE": clickhouse.clickhouse_url, "ONETHREAD_CLICKHOUSE_CLUSTER": "",
        "ONETHREAD_COLLECTOR": f"http://{HOST}:{base}", "ONETHREAD_WORKERS": f"dns+http://{HOST}:{base + 10}",
        "ONETHREAD_WORKER_PORT": str(base + 10), "ONETHREAD_PORT_BASE": str(base), "ONETHREAD_BROKERS": "1",
        "ONETHREAD_PARTITIONS": "2", "ONETHREAD_STANDBYS": "0", "ONETHREAD_TOPIC_PREFIX": "contained.",
        "ONETHREAD_PEPPER_FILE": str(tmp_path / "pepper"),
    })
    if not had_tables:
        connect(clickhouse.clickhouse_url).command("DROP DATABASE IF EXISTS onethread")


def test_what_compose_starts_takes_an_event_to_clickhouse(site: Site) -> None:
    for _ in range(2):  # it may be run again
        prepared = site.start("prepare", "home")
        assert prepared.wait(PATIENCE_S) == 0, (site.folder / "prepare.log").read_text()
    key = site.onethread("keys", "add", "shop", "--channel", "web").split()
    running = [site.start("worker-0", "worker"), site.start("collector", "home")]
    try:
        _await(lambda: _answers(f"http://{HOST}:{site.worker}/readyz"), running)
        _await(lambda: _answers(f"http://{HOST}:{site.collector}/readyz"), running)
        text = next(word for word in key if word.startswith("ot_"))
        sent = httpx.post(f"http://{HOST}:{site.collector}/v1/events", json=[EVENT], auth=(text, ""), trust_env=False)
        assert sent.status_code < 300, sent.text
        site.onethread("settle", "--timeout", "60")
        assert "c1" in site.onethread("sql", "SELECT event_id FROM touchpoints WHERE event_id = 'c1'")
        assert '"c1@example.com"' in site.onethread("who", "email:c1@example.com", "--json")
        status: dict[str, Any] = json.loads(site.onethread("status", "--json"))
        assert {part["name"]: part["state"] for part in status["parts"]} == dict.fromkeys(
            ("kafka", "registry", "clickhouse", "collector", "worker-0"), "running")
        assert status["books"]["difference"] == 0
    finally:
        for process in running:
            process.terminate()
        ended = [process.wait(30) for process in running]
    # SIGTERM, as an orchestrator sends it, is a clean end; the collector's server tells of it by the signal itself.
    assert ended == [0, -signal.SIGTERM]


def _await(is_so: Callable[[], bool], running: list["subprocess.Popen[bytes]"]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert all(process.poll() is None for process in running), "a process ended"
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def _databases(clickhouse: Addresses) -> bool:
    found = connect(clickhouse.clickhouse_url).query("SELECT count() FROM system.databases WHERE name = 'onethread'")
    return bool(found.result_rows[0][0])
