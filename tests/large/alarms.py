"""`python -m tests.large.alarms`: parts of a running stack are stopped, and a real Prometheus must see it and fire.

A stack of its own with two workers, in a temporary home, under a steady load; Prometheus (`make promtool`) scrapes it
with our rules, configured as `deploy.prometheus.local` does. Each case breaks something, waits until the metric tells
(at most 30 s) and until its alerts fire, mends it, and waits until metric and alerts are quiet. Exit 1 where one was
late.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from confluent_kafka import Producer

from deploy.local import records
from deploy.local.ports import HOST, PORTS, Addresses
from deploy.prometheus.local import program, write
from tests.conftest import PEPPER, free_base
from tests.integration.pipeline import running
from tests.large import command
from tests.large.outage import Client

SEEN_S_MAX = 30.0
FIRED_S_MAX = 120.0
QUIET_S_MAX = 240.0
CALM_S_MAX = 600.0
"""Workers that were ended come back with growing pauses."""
STAYS = {"CannotCommit", "ConsumerStalled"}
"""Keep firing for five minutes, as the worker helps itself meanwhile."""


@dataclass(frozen=True)
class Case:
    """A fault: parts to stop (SIGSTOP), parts to kill, a topic in which somebody's transaction stays open; the PromQL
    that must tell, the alerts that must fire."""

    says: str
    stopped: tuple[str, ...]
    tells: str
    alerts: frozenset[str]
    killed: tuple[str, ...] = ()
    held: str = ""
    under_load: bool = True


CASES = {
    "worker": Case(
        "a worker of two is stopped", ("worker-1",), 'up{job="onethread-worker"} == 0', frozenset({"WorkerDown"}),
    ),
    "workers": Case(
        "every worker is stopped", ("worker-0", "worker-1"), "deployment:workers_ready:sum == 0",
        frozenset({"NoWorkerReady", "WorkerDown"}),
    ),
    "commit": Case(
        "the broker stands still: workers cannot commit", ("kafka",),
        "time() - onethread_last_commit_seconds > 15 and on (instance) sum by (instance) (onethread_lag_records) > 0",
        frozenset({"CannotCommit", "SpoolAge"}),
    ),
    "consumer": Case(
        "a transaction left open holds up the readers of a partition: its consumer stops without an error", (),
        "deployment:stalled_seconds:max > 10", frozenset({"ConsumerStalled"}), held="events.web",
    ),
    "owner": Case(
        "a worker is killed while the broker and the supervisor stand still: nobody takes its partitions",
        ("kafka", "supervisor"), "deployment:partitions_unowned:sum > 0",
        frozenset({"PartitionWithoutOwner", "WorkerDown"}), killed=("worker-1",), under_load=False,
    ),
    "clickhouse": Case(
        "ClickHouse stands still", ("clickhouse",), "deployment:clickhouse_delay_seconds:max > 10",
        frozenset({"ClickHouseDelay"}),
    ),
}


class Prometheus:
    """Asks the server at `url`."""

    def __init__(self, url: str) -> None:
        self._url = url

    def query(self, promql: str) -> list[Any]:
        answer = httpx.get(f"{self._url}/api/v1/query", params={"query": promql}, trust_env=False, timeout=10)
        return list(answer.json()["data"]["result"])

    def firing(self) -> set[str]:
        alerts = httpx.get(f"{self._url}/api/v1/alerts", trust_env=False, timeout=10).json()["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}


@contextlib.contextmanager
def watched(addresses: Addresses, port: int) -> Iterator[Prometheus]:
    """Prometheus over the stack, on its own port, stopped at the end."""
    server = program("prometheus")
    assert server, "no Prometheus here: `make promtool` fetches Debian's"
    file = write(addresses, list(records.read_all(addresses.home)))
    with (file.parent / "log").open("wb") as log:
        process = subprocess.Popen(
            [server, f"--config.file={file}", f"--storage.tsdb.path={file.parent / 'data'}",
             f"--web.listen-address={HOST}:{port}"], stdout=log, stderr=log,
        )
        try:
            yield Prometheus(f"http://{HOST}:{port}")
        finally:
            process.terminate()
            process.wait(30)


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="onethread-alarms-") as home:
        addresses = Addresses(Path(home), given.port_base or free_base())
        os.environ |= addresses.environ() | {"ONETHREAD_PEPPER": PEPPER}
        with running(addresses, 2), watched(addresses, addresses.base + PORTS) as prometheus:
            passed = [_passes(CASES[name], addresses, prometheus, given.rate) for name in given.only]
            return 0 if all(passed) else 1


def _passes(case: Case, addresses: Addresses, prometheus: Prometheus, rate: float) -> bool:
    command.say(f"{case.says}")
    with _load(addresses, rate):
        calm = _await(lambda: not prometheus.query(case.tells) and not case.alerts & prometheus.firing() - STAYS
                      and len(prometheus.query("onethread_worker_ready == 1")) == 2, CALM_S_MAX)
        if calm is None:
            command.say("  the stack was not well before it")
            return False
        if case.under_load:
            return _broken(case, addresses, prometheus)
    time.sleep(10)
    return _broken(case, addresses, prometheus)


def _broken(case: Case, addresses: Addresses, prometheus: Prometheus) -> bool:
    pids = {name: records.read(addresses.home, name).pid for name in case.stopped + case.killed}  # type: ignore[union-attr]
    for name in case.stopped:
        os.kill(pids[name], signal.SIGSTOP)
    for name in case.killed:
        os.kill(pids[name], signal.SIGKILL)
    held = _left_open(addresses, case.held) if case.held else None
    try:
        started = time.monotonic()
        seen = _await(lambda: bool(prometheus.query(case.tells)), FIRED_S_MAX)
        command.say(f"  {_after(seen)}: {case.tells}")
        fired = {}
        for alert in sorted(case.alerts):
            _await(lambda alert=alert: alert in prometheus.firing(), FIRED_S_MAX)  # type: ignore[misc]
            fired[alert] = time.monotonic() - started
        for alert, seconds in fired.items():
            command.say(f"  fires after at most {seconds:.0f} s: {alert}")
        command.say(f"  all that fires: {', '.join(sorted(prometheus.firing() - {'Watchdog'}))}")
    finally:
        for name in case.stopped:
            os.kill(pids[name], signal.SIGCONT)
        if held:
            held.abort_transaction(60)
    healed = _await(lambda: not prometheus.query(case.tells) and not case.alerts & prometheus.firing() - STAYS,
                    QUIET_S_MAX)
    command.say(f"  quiet {_after(healed)} after it went on")
    return seen is not None and seen <= SEEN_S_MAX and max(fired.values()) <= FIRED_S_MAX and healed is not None


def _left_open(addresses: Addresses, topic: str) -> Producer:
    """A producer in the middle of a transaction with one record in partition 0, as one leaves it that hangs."""
    producer = Producer({"bootstrap.servers": addresses.kafka_bootstrap, "transactional.id": "left-open",
                         "transaction.timeout.ms": 600_000})
    producer.init_transactions(60)
    producer.begin_transaction()
    producer.produce(topic, b"never committed", partition=0)
    producer.flush(60)
    return producer


@contextlib.contextmanager
def _load(addresses: Addresses, rate: float) -> Iterator[None]:
    """Pages of visitors, sent until the block ends."""
    client, stop = Client(addresses, rate), threading.Event()

    def send() -> None:
        while not stop.is_set():
            client.send_for(1.0)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)


def _await(holds: Callable[[], bool], seconds_max: float) -> float | None:
    """Seconds until it holds; None where it does not in time."""
    started = time.monotonic()
    while time.monotonic() - started < seconds_max:
        with contextlib.suppress(httpx.HTTPError, KeyError, ValueError):
            if holds():
                return time.monotonic() - started
        time.sleep(0.5)
    return None


def _after(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.0f} s"


def _parser() -> argparse.ArgumentParser:
    parser = command.parser("tests.large.alarms", __doc__)
    parser.add_argument("only", nargs="*", default=list(CASES), help=f"cases, of {', '.join(CASES)}")
    parser.add_argument("--rate", type=float, default=100.0, help="calls a second")
    return parser


if __name__ == "__main__":
    sys.exit(main())
