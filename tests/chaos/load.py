"""Steady load by two ways: a program with the product's producer (to Kafka), and clients of the collector (HTTP).

Rules: what was acknowledged is noted and is what the checker holds the stack to; a request without an answer is sent
again until it has one, as SDKs do, so in the end everything is acknowledged. The events are those of the sample's
business, with identities that join, one in ten told twice, in an order that the seed decides.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice

import httpx

from connectors import producer
from connectors.collector import keys
from streams.core.channels import CHANNELS
from streams.core.policy import default
from tests.chaos.deployment import Deployment

PAGE = 10
"""Events of one request."""
ANSWER_S_MAX = 10.0
AGAIN_S = 0.2
FLUSH_S_MAX = 300.0


class Load:
    """Sends lines at a rate until stopped; a context. `told` has what was acknowledged, markers too."""

    def __init__(self, stack: Deployment, lines: Iterator[bytes], rate: float) -> None:
        self._stack, self._lines, self._rate = stack, lines, rate
        self._key, _ = keys.add(stack.home, "chaos", channels=tuple(CHANNELS))
        self._stop = threading.Event()
        self._markers = 0
        self._lock = threading.Lock()
        self._failure: BaseException | None = None
        self.told: list[bytes] = []
        self.sent_again = 0

    def __enter__(self) -> "Load":
        path = self._stack.home / producer.FOLDER / "chaos.db"
        path.parent.mkdir(exist_ok=True)
        proxied = self._stack.proxied
        self._opened = producer.to_kafka(proxied.kafka_bootstrap, proxied.registry_url, path, "chaos",
                                         self._stack.settings, default())
        self._producer = self._opened.__enter__()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            self._opened.__exit__(None, None, None)

    def stop(self) -> None:
        """Send no more. Errors: what the load ended with, if it did."""
        self._stop.set()
        self._thread.join()
        self.check()

    def check(self) -> None:
        """Errors: what the load ended with, if it did; then there is nothing to go on for."""
        if self._failure:
            raise self._failure

    def flush(self) -> None:
        """Wait until Kafka has what the producer took. Errors: OneThreadError where it does not."""
        self._producer.flush(FLUSH_S_MAX)

    def mark(self, count: int) -> list[str]:
        """Send so many events by each way; their ids. With them seen in ClickHouse, everything flows."""
        with self._lock:
            first, self._markers = self._markers, self._markers + 2 * count
        names = [f"marker-{number}" for number in range(first, first + 2 * count)]
        self._by_producer([marker(name) for name in names[:count]])
        self._by_collector([marker(name) for name in names[count:]])
        return names

    def _run(self) -> None:
        try:
            for way in self._ways():
                if self._stop.is_set():
                    return
                started = time.monotonic()
                way(list(islice(self._lines, PAGE)))
                self._stop.wait(max(0.0, PAGE / self._rate - (time.monotonic() - started)))
        except BaseException as error:
            self._failure = error

    def _ways(self) -> Iterator[Callable[[list[bytes]], None]]:
        while True:
            yield self._by_producer
            yield self._by_collector

    def _by_producer(self, lines: list[bytes]) -> None:
        refused = [reject for reject in self._producer.send_many(lines) if reject]
        assert not refused, refused
        self._note(lines)

    def _by_collector(self, lines: list[bytes]) -> None:
        url = f"{self._stack.direct.collector_url}/v1/events"
        while True:
            try:
                answer = httpx.post(url, auth=(self._key, ""), content=b"\n".join(lines), trust_env=False,
                                    timeout=ANSWER_S_MAX)
            except httpx.HTTPError:
                answer = None
            if answer is not None and answer.status_code == 200:
                assert answer.json()["accepted"] == len(lines), answer.text
                return self._note(lines)
            assert answer is None or answer.status_code >= 429, answer.text
            self.sent_again += 1
            time.sleep(AGAIN_S)

    def _note(self, lines: list[bytes]) -> None:
        with self._lock:
            self.told += lines


def marker(name: str) -> bytes:
    """An event of a visitor of its own."""
    return json.dumps({
        "event_id": name, "channel": "web", "type": "page_viewed", "occurred_at": "2026-02-20T10:00:00Z",
        "source": "site", "identifiers": [{"kind": "anonymous_id", "value": f"visitor-of-{name}"}],
    }).encode()

