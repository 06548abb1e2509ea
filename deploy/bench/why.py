"""`onethread why` measured: two identifiers ten hops apart, of a person of a thousand, asked as people ask.

Rules: every question is a command in a process of its own, and its time is what one waits who types it, the start of
Python included. The floor is a command that asks ClickHouse for nothing, in turns with it. The person comes to be by
events through the whole pipeline, and each answer is looked at: ten links, or the measurement failed.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deploy.bench.events import FIRST_MS, Event, event
from deploy.bench.latency import quantile
from deploy.bench.run import machine
from deploy.bench.sender import Sender
from deploy.bench.stack import Say, Worker, running
from deploy.local.parts import CHECKOUT, python_env
from deploy.local.ports import Addresses
from deploy.local.settle import settle
from sinks.clickhouse.client import connect
from streams.core.accept import IDENTIFIERS_MAX
from streams.errors import OneThreadError
from streams.settings import load

IDENTIFIERS = 1_000
"""As many as the product's policy lets one person hold."""
HOPS = 10
TIMES = 20
SETTLE_S_MAX = 600.0
STEP_MS = 60_000
KIND = "device_id"

EMPTY = ("sql", "SELECT 1")
WHY = ("why", f"{KIND}:bench-0", f"{KIND}:bench-{HOPS}", "--json")


def run(home: Path, keep: bool, say: Say) -> dict[str, Any]:
    """Both commands' seconds. Errors: OneThreadError where the stack does not make one person of the events, or a
    command fails or tells something else."""
    told = list(person())
    with running(home, keep, say) as addresses:
        worker = Worker(addresses)
        try:
            worker.await_ready()
            say(f"a person of {IDENTIFIERS:,} identifiers")
            _send(addresses, told)
            took = _measure(addresses, say)
        finally:
            worker.stop()
    return {"machine": machine(), "identifiers": IDENTIFIERS, "hops": HOPS, "events": len(told), "times": TIMES,
            **{name: _spread(seconds) for name, seconds in took.items()}}


def person() -> Iterator[Event]:
    """A chain; all other identifiers around its middle, as many in an event as one may name; then a view of each."""
    rng = random.Random("why")
    named = [[n, n + 1] for n in range(HOPS)]
    named += [[HOPS // 2, *range(first, min(first + IDENTIFIERS_MAX - 1, IDENTIFIERS))]
              for first in range(HOPS + 1, IDENTIFIERS, IDENTIFIERS_MAX - 1)]
    named += [[n] for n in range(IDENTIFIERS)]
    for number, devices in enumerate(named):
        yield event(rng, "app", "app_opened", FIRST_MS + number * STEP_MS, [(KIND, f"bench-{n}") for n in devices])


def _send(addresses: Addresses, events: list[Event]) -> None:
    """Errors: OneThreadError where they do not become one person."""
    settings = load(addresses.home)
    sender = Sender(addresses, settings)
    sender.send(map(sender.encode, events))
    if left := settle(addresses.kafka_bootstrap, settings, SETTLE_S_MAX):
        raise OneThreadError(f"not at rest: {left}")
    found = connect(addresses.clickhouse_url).query(
        "SELECT count() FROM onethread.identifiers GROUP BY person_id").result_rows
    if [tuple(row) for row in found] != [(IDENTIFIERS,)]:
        raise OneThreadError(f"expected one person of {IDENTIFIERS} identifiers; came {found[:10]}")


def _measure(addresses: Addresses, say: Say) -> dict[str, list[float]]:
    """The seconds of each command, in order of size; the first of each brings files into memory and does not count."""
    took: dict[str, list[float]] = {"floor": [], "why": []}
    for number in range(TIMES + 1):
        say(f"asking, {number} of {TIMES} times")
        for name, words in (("floor", EMPTY), ("why", WHY)):
            started = time.perf_counter()
            answer = _command(addresses, *words)
            seconds = time.perf_counter() - started
            if name == "why" and len(json.loads(answer)["chain"]) != HOPS:
                raise OneThreadError(f"expected a chain of {HOPS} links; came {answer[:300]}")
            if number:
                took[name].append(seconds)
    return {name: sorted(seconds) for name, seconds in took.items()}


def _command(addresses: Addresses, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *words], cwd=CHECKOUT,
        env={**os.environ, **python_env(), **addresses.environ()}, capture_output=True, text=True, check=False,
    )
    if done.returncode:
        raise OneThreadError(f"onethread {words[0]} failed: {done.stderr.strip()[-2000:]}")
    return done.stdout


def _spread(seconds: list[float]) -> dict[str, float]:
    return {"p50": quantile(seconds, 0.5), "p99": quantile(seconds, 0.99)}
