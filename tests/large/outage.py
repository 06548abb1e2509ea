"""`python -m tests.large.outage --minutes 10`: Kafka stands still for minutes of load, and nothing accepted is lost.

A stack of its own in a temporary home. A client sends batches at a steady rate, each again until it is answered, as
SDKs do. Kafka is stopped (SIGSTOP: it answers nobody and takes nothing) and goes on after that time; in the middle the
collector is killed. In the end every accepted call is one touchpoint, and the books balance; exit 1 where not. With
`--disk 100` the spool's disk is full before the end: who is told so is not in ClickHouse, and everybody else is.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from connectors.collector import keys
from deploy.local import parts, records, status
from deploy.local.ports import Addresses
from deploy.local.settle import drained
from sinks.clickhouse.client import connect
from streams.settings import load
from tests.conftest import PEPPER, free_base
from tests.integration.pipeline import await_rest, running
from tests.large import command

BATCH = 50
BEFORE_S = AFTER_S = 15.0
SETTLE_S_MAX = 1800


class Client:
    """Sends pages of visitors. A batch that is told that there is no room is given up; all else is sent again."""

    def __init__(self, addresses: Addresses, rate: float) -> None:
        self._url, self._auth = f"{addresses.collector_url}/v1/batch", (keys.local(addresses.home), "")
        self._rate = rate
        self._next = 0
        self.accepted: set[str] = set()
        self.refused = self.again = 0

    def send_for(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            started = time.monotonic()
            self._send([page(n) for n in range(self._next, self._next + BATCH)])
            self._next += BATCH
            time.sleep(max(0.0, BATCH / self._rate - (time.monotonic() - started)))

    def _send(self, calls: list[dict[str, str]]) -> None:
        while True:
            try:
                answer = httpx.post(self._url, auth=self._auth, json={"batch": calls}, trust_env=False, timeout=30)
            except httpx.HTTPError:  # the collector was killed just now
                self.again += 1
                time.sleep(0.2)
                continue
            if answer.status_code == 200:
                self.accepted.update(f"local:{call['messageId']}" for call in calls)
            else:
                told = answer.json()["error"]["reason"]
                assert (answer.status_code, told) == (503, "spool_full"), f"{answer.status_code}: {answer.text}"
                self.refused += len(calls)
            return


def page(number: int) -> dict[str, str]:
    return {"type": "page", "messageId": f"outage-{number}", "anonymousId": f"visitor-{number % 997}",
            "timestamp": "2026-02-05T10:00:00Z"}


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    if given.disk and not given.in_namespace:
        _enter_namespace(sys.argv[1:] if arguments is None else arguments)
    with tempfile.TemporaryDirectory(prefix="onethread-outage-") as home:
        addresses = Addresses(Path(home), given.port_base or free_base())
        os.environ |= addresses.environ() | {"ONETHREAD_PEPPER": PEPPER}
        with _disk(addresses.home / parts.COLLECTOR, given.disk), running(addresses, 1):
            client = Client(addresses, given.rate)
            client.send_for(BEFORE_S)
            _stand_still(addresses, client, given.minutes * 60)
            client.send_for(AFTER_S)
            command.say(f"{len(client.accepted)} calls were answered 200, {client.refused} were told that there is no "
                        f"room; {client.again} requests were sent again")
            started = time.monotonic()
            assert drained(addresses.collector_url, SETTLE_S_MAX), "the spool does not drain"
            await_rest(addresses, SETTLE_S_MAX)
            command.say(f"{time.monotonic() - started:.0f} s until ClickHouse had all of it")
            return _judge(addresses, client, expect_refusals=bool(given.disk))


def _enter_namespace(arguments: Sequence[str]) -> None:
    """Start again where this process may mount a disk of its own, which nobody else sees. Of Linux."""
    unshare = shutil.which("unshare")
    assert unshare, "--disk needs `unshare` of util-linux"
    os.execv(unshare, [
        unshare, "--user", "--map-root-user", "--mount", sys.executable, "-m", "tests.large.outage", *arguments,
        "--in-namespace",
    ])


@contextmanager
def _disk(folder: Path, mebibytes: int) -> Iterator[None]:
    """A disk of that size at a folder; 0: the folder stays where it is."""
    if not mebibytes:
        yield
        return
    folder.mkdir(parents=True)
    subprocess.check_call(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=700", "tmpfs", folder])
    try:
        yield
    finally:
        subprocess.check_call(["umount", folder])


def _stand_still(addresses: Addresses, client: Client, seconds: float) -> None:
    kafka = records.read(addresses.home, "kafka")
    assert kafka
    os.kill(kafka.pid, signal.SIGSTOP)
    try:
        client.send_for(seconds / 2)
        _tell_collector(addresses)
        collector = records.read(addresses.home, parts.COLLECTOR)
        assert collector
        os.kill(collector.pid, signal.SIGKILL)
        client.send_for(seconds / 2)
        _tell_collector(addresses)
    finally:
        os.kill(kafka.pid, signal.SIGCONT)


def _tell_collector(addresses: Addresses) -> None:
    state = httpx.get(f"{addresses.collector_url}/readyz", trust_env=False, timeout=30).json()
    collector = records.read(addresses.home, parts.COLLECTOR)
    memory = psutil.Process(collector.pid).memory_info().rss / 2**20 if collector else 0
    command.say(f"{state['waiting']} records wait in {state['waiting_bytes'] / 2**20:.1f} MiB; "
                f"the collector holds {memory:.0f} MiB")


def _judge(addresses: Addresses, client: Client, expect_refusals: bool) -> int:
    rows = connect(addresses.clickhouse_url).query("SELECT event_id FROM onethread.touchpoints").result_rows
    found = [row[0] for row in rows]
    lost, unasked = client.accepted - set(found), set(found) - client.accepted
    doubled = len(found) - len(set(found))
    command.say(f"{len(found)} touchpoints: {len(lost)} lost, {doubled} doubled, {len(unasked)} unasked")
    books = status.read(addresses, load(addresses.home)).books or {}
    command.say(f"books: {books}")
    is_right = not (lost or doubled or unasked or books["difference"]) and books["touchpoints"] == len(client.accepted)
    return 0 if is_right and bool(client.refused) == expect_refusals else 1


def _parser() -> argparse.ArgumentParser:
    parser = command.parser("tests.large.outage", __doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long Kafka stands still")
    parser.add_argument("--rate", type=float, default=100.0, help="calls a second")
    parser.add_argument("--disk", type=int, default=0, metavar="MIB",
                        help="give the spool a disk of its own of that size, so that it is full before the end (Linux)")
    parser.add_argument("--in-namespace", action="store_true", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
