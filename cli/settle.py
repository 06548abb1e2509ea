"""`onethread settle`: wait until everything sent so far is in ClickHouse."""

import time
from typing import Annotated

import typer

from cli.progress import line
from cli.stack import find
from deploy.local import records
from deploy.local.parts import COLLECTOR
from deploy.local.ports import Addresses
from deploy.local.settle import drained, settle
from streams.errors import OneThreadError
from streams.settings import Settings, load


def command(timeout: Annotated[float, typer.Option(help="Seconds to wait.")] = 300.0) -> None:
    """Wait until everything produced before is consumed, nothing is in flight, and ClickHouse has it."""
    addresses = find()
    wait(addresses, load(addresses.home), timeout)


def wait(addresses: Addresses, settings: Settings, timeout_s: float) -> None:
    """Wait, with a line on the terminal that says what is left. Errors: OneThreadError when the time is over."""
    deadline = time.monotonic() + timeout_s
    with line("stitching") as tell:
        def say(left: dict[str, int]) -> None:
            tell(description=f"stitching: {_listed(left)}")

        collects = records.read(addresses.home, COLLECTOR) or addresses.is_outside("COLLECTOR")
        if collects and not drained(addresses.collector_url, timeout_s, say):
            raise OneThreadError(f"not settled after {timeout_s:g} s; Kafka does not have what the collector accepted")
        lagging = settle(addresses.kafka_bootstrap, settings, deadline - time.monotonic(), say)
    if lagging:
        raise OneThreadError(f"not settled after {timeout_s:g} s; records left by topic: {_listed(lagging)}")


def _listed(lagging: dict[str, int]) -> str:
    return ", ".join(f"{topic} {count}" for topic, count in lagging.items()) or "a last look"
