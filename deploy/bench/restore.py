"""How fast a worker that lost its store has it again from the changelog, as the worker itself tells."""

import shutil
import time
from dataclasses import dataclass

from deploy.bench.stack import Worker
from deploy.local.parts import http_text
from deploy.local.ports import Addresses
from deploy.local.readings import readings
from streams.errors import OneThreadError

OWNED_S_MAX = 60.0
"""Partitions of workers that stopped are theirs until their session is over."""


@dataclass(frozen=True)
class Restore:
    """Records applied, in how many seconds, with how much CPU of the worker's process; `start_s` with its store."""

    records: int
    seconds: float
    cpu_s: float
    start_s: float


def measure(addresses: Addresses) -> Restore:
    """Start a worker with its store, then without; both are stopped at the end.

    Shape: the stack is settled and no worker runs. A first start takes over the partitions that others may have had.
    Errors: OneThreadError where it does not get all partitions.
    """
    worker = Worker(addresses)
    try:
        worker.await_ready()
        _await_all_partitions(addresses)
    finally:
        worker.stop()
    worker = Worker(addresses)
    try:
        start_s = worker.await_ready()
    finally:
        worker.stop()
    shutil.rmtree(addresses.home / "state" / "worker-0")
    worker = Worker(addresses)
    try:
        worker.await_ready()
        told = readings(http_text(addresses.metrics_url(0)) or "")
    finally:
        worker.stop()
    return Restore(
        int(told["onethread_recovery_records_total"]), told.get("onethread_recovery_last_seconds wall", 0.0),
        told.get("onethread_recovery_last_seconds cpu", 0.0), start_s,
    )


def _await_all_partitions(addresses: Addresses) -> None:
    deadline = time.monotonic() + OWNED_S_MAX
    while True:
        told = readings(http_text(addresses.metrics_url(0)) or "")
        if told.get("onethread_partitions_assigned") == told.get("onethread_partitions_expected", -1):
            return
        if time.monotonic() > deadline:
            raise OneThreadError(f"after {OWNED_S_MAX:.0f} s the worker has not got all partitions")
        time.sleep(0.2)
