"""The whole pipeline on real services: disorder, repeats, restarts, kills and pauses leave just the oracle's rows."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random

import psutil
import pytest

from connectors.emit import Emitter
from deploy.local import records
from deploy.local.ports import Addresses
from examples.sample import lines
from streams.core.policy import default
from streams.settings import load
from tests.conftest import PEPPER, free_base
from tests.integration.pipeline import assert_as_expected, await_rest, running

pytestmark = pytest.mark.stack

SESSION_S = 6
"""The workers' session time-out: a longer pause loses the partitions."""
WORKERS = 3


@pytest.fixture
def addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Addresses:
    addresses = Addresses(tmp_path, free_base())
    environ = {
        **addresses.environ(), "ONETHREAD_PEPPER": PEPPER, "ONETHREAD_DEFAULT_REGION": "UA",
        "ONETHREAD_REPORTING_ZONE": "Europe/Kyiv", "ONETHREAD_REPORTING_CURRENCY": "UAH",
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return addresses


@pytest.mark.timeout(600)
def test_rows_are_the_oracles_whatever_happens_to_the_workers(addresses: Addresses) -> None:
    random = Random(7)
    told = _good(lines(people=70))
    told += random.sample(told, len(told) * 3 // 10)
    random.shuffle(told)
    third = len(told) // 3
    with running(addresses, WORKERS):
        _emit(addresses, told[:third])
        await_rest(addresses)
        assert_as_expected(addresses, told[:third])
        with _loading(addresses, told[third:], rate=150):
            await_rest(addresses)  # of what was sent so far; the rest keeps coming
            for victim in (0, 1, 2):
                time.sleep(random.uniform(2, 4))
                os.kill(_worker(addresses, victim), signal.SIGKILL)
            _await_workers(addresses)
            _pause(_worker(addresses, 0), 2 * SESSION_S)
        for victim in range(WORKERS):
            os.kill(_worker(addresses, victim), signal.SIGTERM)
        _await_workers(addresses)
        await_rest(addresses)
        assert_as_expected(addresses, told)


def _good(events: Iterator[str]) -> list[bytes]:
    """Without the sample's bad input, which is another test's matter."""
    return [line.encode() for line in events if line.startswith("{") and len(line) < 10_000 and _is_json(line)]


def _is_json(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _emit(addresses: Addresses, told: Sequence[bytes], rate: float = 0) -> None:
    started = time.monotonic()
    settings = load(addresses.home)
    with Emitter(addresses.kafka_bootstrap, addresses.registry_url, settings, default()) as emitter:
        for n, line in enumerate(told):
            emitter.send(line, "test")
            if rate and (ahead := n / rate - (time.monotonic() - started)) > 0:
                time.sleep(ahead)


@contextmanager
def _loading(addresses: Addresses, told: Sequence[bytes], rate: float) -> Iterator[None]:
    failed: list[BaseException] = []

    def emit() -> None:
        try:
            _emit(addresses, told, rate)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=emit)
    thread.start()
    try:
        yield
    finally:
        thread.join()
    assert not failed, failed


def _worker(addresses: Addresses, number: int) -> int:
    record = records.read(addresses.home, f"worker-{number}")
    assert record is not None
    assert record.pid
    return record.pid


def _await_workers(addresses: Addresses, timeout_s: float = 120) -> None:
    """Until every worker that was killed lives again."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        time.sleep(0.5)
        found = [records.read(addresses.home, f"worker-{n}") for n in range(WORKERS)]
        if all(record and record.state == "running" and psutil.pid_exists(record.pid or 0) for record in found):
            return
    raise AssertionError(f"workers did not come back: {found}")


def _pause(pid: int, seconds: float) -> None:
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        os.kill(pid, signal.SIGCONT)
