"""`python -m tests.large.rolling --workers 2 --standbys 1`: what a stream of events notices of restarts and scaling.

A stack of its own in a temporary home. A client sends events at a steady rate through the collector; another looks
which of them SQL shows. Meanwhile all workers are restarted in turn, one is added, one taken away, and one killed with
its state. Of each it tells the longest time from an event's sending to its being seen, and the longest time in which
nothing new was seen. In the end every event is there once; exit 1 where not, or where one took more than 10 s.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx

from connectors.collector import keys
from deploy.local import records, rolling
from deploy.local.ports import Addresses
from sinks.clickhouse.client import connect
from tests.conftest import PEPPER, free_base
from tests.integration.pipeline import await_rest, running
from tests.large import command
from tests.large.outage import page

GAP_S_MAX = 10.0
BATCH_S = 0.1
LOOK_S = 0.1
QUIET_S = 8.0


class Stream:
    """Sends, and looks what is there; times are those of one clock."""

    def __init__(self, addresses: Addresses, rate: float) -> None:
        self._url, self._auth = f"{addresses.collector_url}/v1/batch", (keys.local(addresses.home), "")
        self._clickhouse = connect(addresses.clickhouse_url)
        self._batch = max(1, round(rate * BATCH_S))
        self._stop = threading.Event()
        self.sent: dict[str, float] = {}
        self.seen: dict[str, float] = {}
        self._threads = [threading.Thread(target=self._send), threading.Thread(target=self._look)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _send(self) -> None:
        with httpx.Client(auth=self._auth, trust_env=False, timeout=30) as client:
            while not self._stop.wait(BATCH_S):
                numbers = range(len(self.sent), len(self.sent) + self._batch)
                now = time.monotonic()
                client.post(self._url, json={"batch": [page(n) for n in numbers]}).raise_for_status()
                self.sent |= {f"local:outage-{n}": now for n in numbers}

    def _look(self) -> None:
        while not self._stop.wait(LOOK_S):
            for row in self._clickhouse.query("SELECT event_id FROM onethread.touchpoints").result_rows:
                self.seen.setdefault(row[0], time.monotonic())

    def during(self, work: Callable[[], Any]) -> tuple[float, float, float]:
        """(seconds of the work, longest delay of an event, longest time without a new one), a quiet time after it."""
        began = time.monotonic()
        work()
        took = time.monotonic() - began
        time.sleep(QUIET_S)
        now = time.monotonic()
        sent = {event: at for event, at in list(self.sent.items()) if at >= began - 1}
        delays = [self.seen.get(event, now) - at for event, at in sent.items()]
        times = sorted({began, *(at for at in list(self.seen.values()) if at >= began), now})
        return took, max(delays), max(b - a for a, b in pairwise(times))


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="onethread-rolling-") as home:
        addresses = Addresses(Path(home), given.port_base or free_base())
        os.environ |= addresses.environ() | {"ONETHREAD_PEPPER": PEPPER, "ONETHREAD_STANDBYS": str(given.standbys)}
        with running(addresses, given.workers):
            return _measure(addresses, given)


def _measure(addresses: Addresses, given: argparse.Namespace) -> int:
    stream = Stream(addresses, given.rate)
    time.sleep(QUIET_S)
    works: dict[str, Callable[[], Any]] = {
        "nothing": lambda: time.sleep(QUIET_S),
        f"restart of {given.workers} workers": lambda: list(rolling.restart(addresses, rolling.workers(addresses))),
        "one worker more": lambda: rolling.scale(addresses, given.workers + 1),
        "one worker less": lambda: rolling.scale(addresses, given.workers),
        "a worker killed": lambda: _kill(addresses, lose_state=False),
        "a worker killed, its state lost": lambda: _kill(addresses, lose_state=True),
    }
    worst = 0.0
    try:
        for name, work in works.items():
            took, delay, gap = stream.during(work)
            worst = max(worst, delay)
            print(f"{name:34} {took:5.1f} s, an event took up to {delay:4.1f} s, nothing new for up to {gap:4.1f} s, "
                  f"load {os.getloadavg()[0]:.1f}", flush=True)
    finally:
        stream.end()
    await_rest(addresses, 300)
    rows = connect(addresses.clickhouse_url).query("SELECT event_id FROM onethread.touchpoints").result_rows
    found = [row[0] for row in rows]
    lost, doubled = stream.sent.keys() - set(found), len(found) - len(set(found))
    print(f"{len(stream.sent)} events sent: {len(lost)} lost, {doubled} doubled; the longest delay was {worst:.1f} s")
    return 1 if lost or doubled or worst > GAP_S_MAX else 0


def _kill(addresses: Addresses, lose_state: bool) -> None:
    """Kill worker-0; return when all work again."""
    record = records.read(addresses.home, "worker-0")
    assert record
    os.kill(record.pid, signal.SIGKILL)
    if lose_state:
        shutil.rmtree(addresses.home / "state" / "worker-0", ignore_errors=True)
    deadline = time.monotonic() + 180
    while not rolling.is_back(addresses, "worker-0", record):
        assert time.monotonic() < deadline, "worker-0 does not come back"
        time.sleep(0.2)


def _parser() -> argparse.ArgumentParser:
    parser = command.parser("tests.large.rolling", __doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--standbys", type=int, default=1)
    parser.add_argument("--rate", type=float, default=50.0, help="events a second")
    return parser


if __name__ == "__main__":
    sys.exit(main())
