"""`onethread settle`: wait until everything sent so far is in ClickHouse."""

from typing import Annotated

import typer

from cli.stack import find
from deploy.local.settle import settle
from streams.errors import OneThreadError
from streams.settings import load


def command(timeout: Annotated[float, typer.Option(help="Seconds to wait.")] = 300.0) -> None:
    """Wait until everything produced before is consumed, nothing is in flight, and ClickHouse has it."""
    addresses = find()
    lagging = settle(addresses.kafka_bootstrap, load(addresses.home), timeout)
    if lagging:
        text = ", ".join(f"{topic} {count}" for topic, count in lagging.items())
        raise OneThreadError(f"not settled after {timeout:g} s; records left by topic: {text}")
