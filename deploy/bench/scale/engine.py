"""A ClickHouse of its own for the measurement: the local stack's gateway on one path, without the rest of the stack."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from clickhouse_connect.driver.client import Client

from deploy.bench.stack import free_base
from deploy.local import checks
from deploy.local.parts import http_text, python_env
from deploy.local.ports import HOST
from sinks.clickhouse import migrations
from sinks.clickhouse.client import connect
from streams.errors import OneThreadError
from streams.settings import Settings

START_S_MAX = 60.0
ANSWER_S_MAX = 900
IDLE_S = 2.0
"""No merge for so long means that none is due."""

SETTINGS = {"as_of": "2026-06-30T12:00:00Z", "reporting_zone": "Europe/Kyiv"}
"""The end of the two years that rows.sql tells of."""


@dataclass(frozen=True)
class Running:
    """The engine, how to ask it, and its process."""

    url: str
    client: Client
    process: psutil.Process

    def cpu_s(self) -> float:
        """CPU that the process has used so far, in user and system mode."""
        used = self.process.cpu_times()
        return float(used.user + used.system)

    def rest(self) -> None:
        """Return when background merges are over."""
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < IDLE_S:
            if self.client.query("SELECT count() FROM system.merges").result_rows[0][0]:
                quiet_since = time.monotonic()
            time.sleep(0.2)


@contextmanager
def running(path: Path, port: int, memory_mb: int) -> Iterator[Running]:
    """The engine over a path, with the tables and views of this version; stopped at the end.

    Errors: OneThreadError where it does not start.
    """
    path.mkdir(parents=True, exist_ok=True)
    port = port or free_base()
    if not checks.is_free(port):
        raise OneThreadError(f"port {port} is in use; choose another or stop what listens there")
    with (path / "gateway.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy.local.gateway", "--path", str(path / "clickhouse"), "--port", str(port),
             "--memory-mb", str(memory_mb)],
            env=python_env(), stdout=log, stderr=log)
    try:
        url = f"http://{HOST}:{port}"
        _await(url, process, path)
        migrations.apply(url, Settings.model_validate(SETTINGS))
        yield Running(url, connect(url, ANSWER_S_MAX), psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait()


def _await(url: str, process: "subprocess.Popen[bytes]", path: Path) -> None:
    until = time.monotonic() + START_S_MAX
    while http_text(f"{url}/ping") is None:
        if process.poll() is not None or time.monotonic() > until:
            raise OneThreadError(f"expected ClickHouse at {url}; it does not answer: see {path}/gateway.log")
        time.sleep(0.1)
