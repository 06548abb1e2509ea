"""`python -m tests.large.outage --minutes 10`: Kafka stands still for minutes of load, and nothing accepted is lost.

A stack of its own in a temporary home. A client sends batches at a steady rate, each again until it is answered, as
SDKs do. Kafka is stopped (SIGSTOP: it answers nobody and takes nothing) and goes on after that time; in the middle the
collector is killed. In the end every accepted call is one touchpoint, and the books balance; exit 1 where not.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import psutil

from connectors.collector import keys
from deploy.local import parts, records
from deploy.local.ports import Addresses
from deploy.local.settle import drained
from sinks.clickhouse.client import connect
from tests.conftest import PEPPER, free_base
from tests.integration.pipeline import await_rest, running
from tests.large import command

BATCH = 50
BEFORE_S = AFTER_S = 15.0
SETTLE_S_MAX = 1800


class Client:
    """Sends pages of visitors; what was answered 200 is counted."""

    def __init__(self, addresses: Addresses, rate: float) -> None:
        self._url, self._auth = f"{addresses.collector_url}/v1/batch", (keys.local(addresses.home), "")
        self._rate = rate
        self.accepted = self.unanswered = 0

    def send_for(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            started = time.monotonic()
            self._send([page(self.accepted + n) for n in range(BATCH)])
            time.sleep(max(0.0, BATCH / self._rate - (time.monotonic() - started)))

    def _send(self, calls: list[dict[str, str]]) -> None:
        while True:
            try:
                answer = httpx.post(self._url, auth=self._auth, json={"batch": calls}, trust_env=False, timeout=30)
                if answer.status_code == 200:
                    self.accepted += len(calls)
                    return
            except httpx.HTTPError:
                pass
            self.unanswered += 1
            time.sleep(0.2)


def page(number: int) -> dict[str, str]:
    return {"type": "page", "messageId": f"outage-{number}", "anonymousId": f"visitor-{number % 997}",
            "timestamp": "2026-02-05T10:00:00Z"}


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="onethread-outage-") as home:
        addresses = Addresses(Path(home), given.port_base or free_base())
        os.environ |= addresses.environ() | {"ONETHREAD_PEPPER": PEPPER}
        with running(addresses, 1):
            client = Client(addresses, given.rate)
            client.send_for(BEFORE_S)
            _stand_still(addresses, client, given.minutes * 60)
            client.send_for(AFTER_S)
            command.say(f"{client.accepted} calls were answered 200, {client.unanswered} requests were sent again")
            started = time.monotonic()
            assert drained(addresses.collector_url, SETTLE_S_MAX), "the spool does not drain"
            await_rest(addresses, SETTLE_S_MAX)
            command.say(f"{time.monotonic() - started:.0f} s until ClickHouse had all of it")
            return _judge(addresses, client.accepted)


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


def _judge(addresses: Addresses, accepted: int) -> int:
    client = connect(addresses.clickhouse_url)
    wanted = {f"local:outage-{number}" for number in range(accepted)}
    found = [row[0] for row in client.query("SELECT event_id FROM onethread.touchpoints").result_rows]
    lost, doubled, unasked = wanted - set(found), len(found) - len(set(found)), set(found) - wanted
    command.say(f"{len(found)} touchpoints: {len(lost)} lost, {doubled} doubled, {len(unasked)} unasked")
    return 1 if lost or doubled or unasked else 0


def _parser() -> argparse.ArgumentParser:
    parser = command.parser("tests.large.outage", __doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long Kafka stands still")
    parser.add_argument("--rate", type=float, default=100.0, help="calls a second")
    return parser


if __name__ == "__main__":
    sys.exit(main())
