"""One run of the measurements, in order; every figure comes from the same stack, events and minutes as its floor."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import psutil

from deploy.bench import backlog, latency, restore
from deploy.bench.events import Event, generate
from deploy.bench.sender import Sender
from deploy.bench.stack import Say, Worker, process, running
from deploy.bench.watch import Watch
from deploy.local.parts import CHECKOUT, python_env
from deploy.local.ports import Addresses
from streams.core.channels import CHANNELS
from streams.errors import OneThreadError
from streams.settings import Settings, load
from streams.topics import Topics

LATENCY_S = 20
PARTS = ("worker", "kafka", "clickhouse")
SAY_EVERY = 2_000


@dataclass(frozen=True)
class Plan:
    """What to measure on."""

    events: int
    people: int
    seed: int
    workers: int = 1
    latency_s: int = LATENCY_S


def run(plan: Plan, home: Path, keep: bool, say: Say) -> dict[str, Any]:
    """All figures as one document.

    Errors: OneThreadError where a part ends, or what is in ClickHouse is not what was sent.
    """
    with running(home, keep, say) as addresses:
        settings = load(home)
        sender = Sender(addresses, settings)
        markers = latency.Markers(settings, plan.seed, plan.latency_s)
        sent = sender.send(map(sender.encode, _told(plan, markers.before, say)))
        document: dict[str, Any] = {"machine": machine(), "plan": asdict(plan), "events": sent}
        topics = [Topics(settings.topic_prefix).events(channel) for channel in CHANNELS]
        say("the floor: a process that reads and decodes")
        document["floor"] = _apart("floor", addresses, str(sent), *topics)
        say("the stitching stage alone")
        document["stitch"] = _apart("stitch", addresses, str(sent), str(home / "bench"), *topics)
        document |= _workers(plan, addresses, settings, sender, markers, sent, say)
        say("a worker that lost its store")
        document["restore"] = asdict(restore.measure(addresses))
        return document


def _told(plan: Plan, before: list[Event], say: Say) -> Iterator[Event]:
    for number, event in enumerate(chain(before, generate(plan.events, plan.people, plan.seed))):
        if number % SAY_EVERY == 0:
            say(f"producing, {number:,} of {plan.events:,} events")
        yield event


def _workers(plan: Plan, addresses: Addresses, settings: Settings, sender: Sender, markers: latency.Markers,
             sent: int, say: Say) -> dict[str, Any]:
    """What is measured on running workers: the backlog, then the latency at half that rate, then their memory."""
    workers = [Worker(addresses, index) for index in range(plan.workers)]
    processes = {part: process(addresses, part) for part in ("kafka", "clickhouse")}
    processes |= {f"worker-{worker.index}": worker.process for worker in workers}
    urls = [addresses.metrics_url(worker.index) for worker in workers]
    try:
        with Watch(urls, processes) as watch:
            found = backlog.measure(addresses, workers, watch, settings, sent, say)
        rate = sent / found.seconds
        say(f"latency at {rate / 2:,.0f} events/s")
        more = list(map(sender.encode, generate(int(rate / 2 * plan.latency_s), plan.people, plan.seed, part=1)))
        with Watch(urls, processes) as later:
            seconds = latency.measure(addresses, sender, more, markers, rate / 2)
        for worker in workers:
            worker.check()
        return {
            "pipeline": {
                **asdict(found), "events_s": rate, "sustained_s": found.sustained_s(sent),
                "cpu_us": {part: watch.cpu_us(part, sent) for part in PARTS},
            },
            "latency": {"rate": rate / 2, **{kind: _spread(values) for kind, values in seconds.items()}},
            "memory_mib": {part: later.rss_mib(part) for part in PARTS},
        }
    finally:
        for worker in workers:
            worker.stop()


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "markers": len(values), "p50": latency.quantile(values, 0.5), "p90": latency.quantile(values, 0.9),
        "p99": latency.quantile(values, 0.99), "max": values[-1],
    }


def _apart(name: str, addresses: Addresses, *arguments: str) -> dict[str, Any]:
    """The JSON that a measurement in a process of its own prints."""
    done = subprocess.run(
        [sys.executable, "-m", f"deploy.bench.{name}", addresses.kafka_bootstrap, *arguments], cwd=CHECKOUT,
        env={**os.environ, **python_env(), **addresses.environ()}, capture_output=True, text=True, check=False,
    )
    if done.returncode:
        raise OneThreadError(f"the measurement {name} failed: {done.stderr.strip()[-2000:]}")
    return dict(json.loads(done.stdout))


def machine() -> dict[str, Any]:
    return {
        "cpus": os.cpu_count(), "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}", "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }
