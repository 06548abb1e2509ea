"""The collector measured: Segment batches over HTTP, to disk and on to Kafka, beside a handler that does nothing.

Rules: first as fast as one connection after the other allows, from several connections at once; then at a steady rate,
where the time of a request says what a client waits. Each server has one core of its own, its clients and Kafka have
the others. Both get the same bodies from the same client in the same minutes. What was accepted is in Kafka at the end,
counted.
"""

import http.client
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import psutil

from connectors.collector import keys
from deploy.bench.latency import quantile
from deploy.bench.run import machine
from deploy.bench.stack import Say, process, running
from deploy.local.parts import CHECKOUT, COLLECTOR, http_text, python_env
from deploy.local.ports import HOST, WORKERS_MAX
from deploy.local.settle import drained
from streams.errors import OneThreadError

CALLS = 100
"""Of a batch."""

CONNECTIONS = 4
STEADY_EVENTS_S = 3_000
STEADY_S = 30.0
"""900 requests: the slowest hundredth is nine of them."""
START_S_MAX = 30.0
DRAIN_S_MAX = 120.0
_AT = "2026-01-01T12:00:00.000Z"


@dataclass(frozen=True)
class Speed:
    """What one server did. `events_core_s` is what a core of its own would do: one second by the CPU an event."""

    events: int
    events_s: float
    cpu_us: float
    events_core_s: float
    p50_ms: float
    p99_ms: float
    steady_p50_ms: float
    steady_p99_ms: float


def run(events: int, home: Path, keep: bool, say: Say) -> dict[str, Any]:
    """Both servers' figures. Errors: OneThreadError where what was accepted did not reach Kafka."""
    batches = list(bodies(events))
    with running(home, keep, say) as addresses:
        say("the floor: an empty handler")
        free = addresses.worker_metrics(WORKERS_MAX - 1)
        kafka = process(addresses, "kafka")
        with _handler(free) as found, _alone(found, kafka):
            floor = _measure(free, "", batches, found, lambda: True)
        say("the collector")
        key, _ = keys.add(home, "bench", channels=("web",), rate=1e9)
        time.sleep(keys.LOOK_EVERY_S)
        drains = partial(drained, addresses.collector_url, DRAIN_S_MAX)
        with _alone(server := process(addresses, COLLECTOR), kafka):
            collector = _measure(addresses.collector, key, batches, server, drains)
    return {"machine": machine(), "bytes_mean": sum(map(len, batches)) / (CALLS * len(batches)),
            "floor": asdict(floor), "collector": asdict(collector)}


def bodies(events: int) -> Iterator[bytes]:
    """Batches of calls as a shop's pages send them: other ids each time, 630 bytes a call."""
    for first in range(0, events, CALLS):
        yield msgspec.json.encode({"batch": [_call(n) for n in range(first, first + CALLS)], "sentAt": _AT})


def _call(n: int) -> dict[str, Any]:
    page = f"https://shop.example.com/p/{n % 500}?variant={n % 9}"
    return {
        "type": "track", "event": "Product Viewed", "messageId": f"bench-{n}", "anonymousId": f"visitor-{n // 5}",
        "timestamp": _AT,
        "properties": {
            "product_id": f"p-{n % 500}", "sku": f"sku-{n % 500}", "name": "An article in oak and brass",
            "category": "lamps", "brand": f"brand-{n % 60}", "price": 12.9, "currency": "EUR", "quantity": 1,
        },
        "context": {
            "library": {"name": "analytics.js", "version": "2.1.0"}, "locale": "en-GB",
            "page": {"path": f"/p/{n % 500}", "referrer": "https://search.example.org/", "title": "A", "url": page},
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0",
        },
    }


def _measure(
    port: int, key: str, batches: list[bytes], server: psutil.Process, drains: Callable[[], bool],
) -> Speed:
    """As fast as can be, then steadily once the spool is empty. Errors: OneThreadError where it does not drain."""
    _drive(port, key, batches[:5], None)  # connections, imports and caches are no part of it
    before, started = server.cpu_times(), time.perf_counter()
    fast = _drive(port, key, batches, None)
    seconds, after = time.perf_counter() - started, server.cpu_times()
    cpu_s = after.user + after.system - before.user - before.system
    _await(drains)
    steady = _drive(port, key, batches[: int(STEADY_EVENTS_S * STEADY_S / CALLS)], STEADY_EVENTS_S / CALLS)
    _await(drains)
    events = len(batches) * CALLS
    return Speed(
        events, events / seconds, cpu_s / events * 1e6, events / cpu_s, _ms(fast, 0.5), _ms(fast, 0.99),
        _ms(steady, 0.5), _ms(steady, 0.99),
    )


def _await(drains: Callable[[], bool]) -> None:
    if not drains():
        raise OneThreadError(f"Kafka did not get what the collector accepted within {DRAIN_S_MAX:.0f} s")


def _ms(seconds: list[float], share: float) -> float:
    return quantile(seconds, share) * 1000


def _drive(port: int, key: str, batches: list[bytes], rate: float | None) -> list[float]:
    """Send all batches; the seconds of each, sorted. With `rate` a batch starts when it is due, not before."""
    todo, lock, took = iter(enumerate(batches)), threading.Lock(), list[float]()
    failed: list[str] = []
    started = time.perf_counter()

    def one() -> None:
        connection = http.client.HTTPConnection(HOST, port, timeout=60)
        while not failed:
            with lock:
                number, body = next(todo, (0, b""))
            if not body:
                break
            if rate:
                time.sleep(max(0.0, started + number / rate - time.perf_counter()))
            began = time.perf_counter()
            connection.request("POST", "/v1/batch", body, {"Authorization": f"Bearer {key}"})
            answer = connection.getresponse()
            text = answer.read()
            took.append(time.perf_counter() - began)
            if answer.status != 200 or b'"refused":[{' in text:
                failed.append(f"{answer.status}: {text[:200]!r}")
        connection.close()

    _together(one)
    if failed:
        raise OneThreadError(f"expected 200 and nothing refused; came {failed[0]}")
    return sorted(took)


def _together(work: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@contextmanager
def _alone(server: psutil.Process, kafka: psutil.Process) -> Iterator[None]:
    """Give a server the first core, and the others to its clients and Kafka. Where there is one core, or a system that
    pins nothing, all share what there is."""
    cores = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []
    clients = psutil.Process(), kafka
    if len(cores) > 1:
        _pin(server, cores[:1])
        for one in clients:
            _pin(one, cores[1:])
    try:
        yield
    finally:
        for one in clients if cores else ():
            _pin(one, cores)


def _pin(process: psutil.Process, cores: list[int]) -> None:
    """All threads that there are; those to come inherit it."""
    for thread in process.threads():
        with suppress(ProcessLookupError):  # it has ended since
            os.sched_setaffinity(thread.id, cores)


@contextmanager
def _handler(port: int) -> Iterator[psutil.Process]:
    """The empty handler in a process of its own."""
    made = subprocess.Popen(
        [sys.executable, "-m", "deploy.bench.handler", str(port)], cwd=CHECKOUT, env={**os.environ, **python_env()},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + START_S_MAX
        while http_text(f"http://{HOST}:{port}/healthz") is None:
            if made.poll() is not None or time.monotonic() > deadline:
                raise OneThreadError("the empty handler does not start")
            time.sleep(0.05)
        yield psutil.Process(made.pid)
    finally:
        made.terminate()
        made.wait()
