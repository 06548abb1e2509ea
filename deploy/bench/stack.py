"""The stack that is measured: in a temporary home, on free ports, with workers that the measurement itself starts.

The supervisor runs Kafka, registry and ClickHouse; the worker is ours, so that it can start after the events are
there, lose its state, and be asked for its CPU.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from deploy.local import checks, parts, records, stack
from deploy.local.ports import BASE_DEFAULT, PORTS, Addresses
from streams.errors import OneThreadError, UsageError

Say = Callable[[str], None]

PEPPER = "bench"
START_S_MAX = 120.0
STOP_S_MAX = 30.0
POLL_S = 0.02


@contextmanager
def running(home: Path, keep: bool, say: Say) -> Iterator[Addresses]:
    """A stack without workers; stopped at the end, and removed unless `keep`.

    Errors: UsageError where the environment points to services of others; OneThreadError where it does not start.
    """
    for name in ("ONETHREAD_KAFKA", "ONETHREAD_REGISTRY", "ONETHREAD_CLICKHOUSE"):
        if os.environ.get(name):
            raise UsageError(f"{name} is set: bench loads a stack of its own and leaves other services alone; unset it")
    home.mkdir(parents=True, exist_ok=True)
    (home / "pepper").write_text(PEPPER + "\n")
    addresses = Addresses(home, free_base())
    try:
        stack.start(addresses, 0, say)
        yield addresses
    finally:
        stack.stop(home)
        if not keep:
            shutil.rmtree(home, ignore_errors=True)


def free_base() -> int:
    """A base whose forty ports are free, above those of the stack that the environment names."""
    first = int(os.environ.get("ONETHREAD_PORT_BASE") or BASE_DEFAULT) + PORTS
    for base in range(first, 65536 - PORTS, PORTS):
        if all(checks.is_free(port) for port in range(base, base + PORTS)):
            return base
    raise OneThreadError(f"expected {PORTS} free ports in a row above {first}; found none")


def process(addresses: Addresses, name: str) -> psutil.Process:
    """A running part of the stack."""
    record = records.read(addresses.home, name)
    found = records.process(record) if record else None
    if found is None:
        raise OneThreadError(f"{name} does not run any more; see {addresses.home / 'logs'}")
    return found


class Worker:
    """One worker process. `ready_s` is how long it took from its start until it had its partitions and their state."""

    def __init__(self, addresses: Addresses, index: int = 0) -> None:
        self.addresses, self.index = addresses, index
        self._part = parts.worker(addresses, index)
        log = addresses.home / "logs" / f"{self._part.name}.log"
        self._started = time.monotonic()
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                self._part.command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, cwd=addresses.home,
                env={**os.environ, **self._part.env}, start_new_session=True,
            )
        self._log = log
        self.process = psutil.Process(self._process.pid)

    def await_ready(self) -> float:
        """Seconds from the start until the worker is ready. Errors: OneThreadError where it ends or takes too long."""
        while not self._part.answers():
            self.check()
            if time.monotonic() - self._started > START_S_MAX:
                raise OneThreadError(f"the worker is not ready after {START_S_MAX:.0f} s; see {self._log}")
            time.sleep(POLL_S)
        return time.monotonic() - self._started

    def check(self) -> None:
        """Errors: OneThreadError where the worker has ended."""
        if (code := self._process.poll()) is not None:
            words = self._log.read_text(errors="replace").strip().splitlines()[-1:]
            raise OneThreadError(f"the worker ended with {code}: {' '.join(words)[:300]}; see {self._log}")

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_S_MAX)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
